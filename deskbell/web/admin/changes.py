"""What the pages of the audit log show, as functions over a session."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.orm import Session

from deskbell.accounts.models import User, display_name
from deskbell.accounts.queries import get_user_by_email
from deskbell.audit.browsing import ChangeFilter, changes_of_operation, find_changes, get_operation
from deskbell.audit.models import AuditAction
from deskbell.kernel.actor import Channel
from deskbell.kernel.errors import DeskbellError, InvalidError
from deskbell.kernel.orm import Base
from deskbell.kernel.paging import Cursor
from deskbell.tickets.queries import get_ticket
from deskbell.web.admin.listing import choices, day, days, whole
from deskbell.web.i18n import gettext as _
from deskbell.web.pages.pager import ROWS, Pager
from deskbell.web.pages.present import moment
from deskbell.web.worded import worded

NOBODY: Final = "system"
"""In the field for who: what nobody in particular did."""
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they were typed."""

    who: str
    table: str
    record: str
    ticket: str
    action: str
    channel: str
    since: str
    until: str
    operation: str

    def given(self) -> dict[str, str]:
        """Return those that ask for something."""
        return {name: str(value) for name, value in asdict(self).items() if value}


def understood(session: Session, asked: Asked, zone: str) -> ChangeFilter:
    """Read the filters. Raises InvalidError that names the field."""
    since, until = days(_day(asked.since, "since"), _day(asked.until, "until"), zone)
    by_system = asked.who.strip().lower() == NOBODY
    return ChangeFilter(
        user_id=None if by_system or not asked.who.strip() else _who(session, asked.who),
        by_system=by_system,
        table_name=asked.table or None,
        record_id=_record(asked),
        ticket_id=_ticket(session, asked.ticket) if asked.ticket.strip() else None,
        action=asked.action or None,
        channel=asked.channel or None,
        since=since,
        until=until,
    )


def change_list(session: Session, asked: Asked, zone: str, pager: Pager) -> dict[str, Any]:
    """Return a page of the log; where a filter cannot be read, why not."""
    context: dict[str, Any] = {
        "filters": asdict(asked),
        "is_filtered": bool(asked.given()),
        "tables": choices(audited_tables(), _("Everything")),
        "actions": choices([action.value for action in AuditAction], _("All actions")),
        "channels": choices([channel.value for channel in Channel], _("All channels")),
        "errors": {},
        "back_to": None,
    }
    try:
        wanted = understood(session, asked, zone)
    except InvalidError as error:
        return context | {"errors": {error.field or "": worded(error)}, "page": pager.rows([], None)}
    step = find_changes(session, wanted, limit=ROWS, before=_before(pager))
    return context | {"page": _page(pager, [_change(row) for row in step.rows], step.before), "back_to": step.back_to}


def operation_page(session: Session, operation_id: int, pager: Pager) -> dict[str, Any]:
    """Return an operation with a page of its changes, in their order. Five statements."""
    operation = get_operation(session, operation_id)
    user = session.get(User, operation.user_id) if operation.user_id else None
    rows = changes_of_operation(session, operation_id, limit=ROWS + 1, after=_before(pager) or 0)
    last = rows[ROWS - 1].id if len(rows) > ROWS else None
    return {
        "operation": {
            "id": operation.id,
            "act": operation.act,
            "channel": operation.channel,
            "cause": operation.cause,
            "created_at": operation.created_at,
            "user": {"id": user.id, "name": display_name(user)} if user else None,
        },
        "page": _page(pager, [_change(row) for row in rows[:ROWS]], last),
    }


def audited_tables() -> list[str]:
    """Return the names of the tables whose changes are recorded."""
    return sorted(name for name, table in Base.metadata.tables.items() if table.info.get("audit") == "full")


def _page(pager: Pager, items: list[dict[str, Any]], place: int | None) -> dict[str, Any]:
    key: bytes = pager.request.app.state.key
    return pager.rows(items, Cursor((place,), pager.scope).seal(key) if place else None)


def _before(pager: Pager) -> int | None:
    """Return the id that the page before ended with. Raises InvalidError for a cursor of another list."""
    place = pager.place()
    if place is None:
        return None
    if place.fingerprint != pager.scope or not isinstance(place.values[0], int):
        raise InvalidError(_("This page belongs to another list. Begin at its first page."), field="cursor")
    return place.values[0]


def _change(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.created_at,
        "operation_id": row.operation_id,
        "user_id": row.user_id,
        "user_name": row.user_name or (f"#{row.user_id}" if row.user_id else None),
        "channel": row.channel,
        "act": row.act,
        "cause": row.cause,
        "table": row.table_name,
        "record_id": row.record_id,
        "action": row.action,
        "changes": list(_pairs(row)),
    }


def _pairs(row: Row[Any]) -> list[dict[str, Any]]:
    """Show what changed, from what to what; of a row that was removed, what it was."""
    values = row.changes if isinstance(row.changes, dict) else {}
    is_pair = {name: isinstance(value, list) and len(value) == 2 for name, value in values.items()}  # noqa: PLR2004 - old and new
    removed = row.action == AuditAction.DELETE
    return [
        {
            "field": name,
            "old": _shown(value if removed or not is_pair[name] else value[0]),
            "new": None if removed or not is_pair[name] else _shown(value[1]),
            "is_pair": is_pair[name] and not removed,
        }
        for name, value in sorted(values.items())
    ]


def _shown(value: Any) -> Any:  # noqa: ANN401 - of any column
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}…"
    return moment(value)


def _who(session: Session, who: str) -> int:
    number = whole(who)
    if number is not None:
        return number
    try:
        return get_user_by_email(session, who).id
    except DeskbellError as error:
        raise InvalidError(error.message, field="who") from error


def _ticket(session: Session, number: str) -> int:
    try:
        return get_ticket(session, number, deleted=True).id
    except DeskbellError as error:
        raise InvalidError(error.message, field="ticket") from error


def _record(asked: Asked) -> int | None:
    if not asked.record.strip():
        return None
    number = whole(asked.record)
    if number is None:
        raise InvalidError(_("Write the record's number."), field="record")
    if not asked.table:
        raise InvalidError(_("Say of what it is a record."), field="record")
    return number


def _day(value: str, field: str) -> Any:  # noqa: ANN401 - a date or nothing
    if not value.strip():
        return None
    found = day(value.strip())
    if found is None:
        raise InvalidError(_("Write the day as 2026-12-31."), field=field)
    return found
