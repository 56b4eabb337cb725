"""The history of a ticket for people, read from the audit log: who, what, when, through what, why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Person, Team, display_name
from deskbell.audit.models import AuditAction, AuditLog
from deskbell.audit.queries import changes_of_ticket
from deskbell.kernel.arrays import in_array
from deskbell.kernel.text import one_line
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket

Entry = Row[Any]
"""A row of `deskbell.audit.queries.changes`."""
LONG = 200
PEOPLE = ("creator_id", "assignee_id", "author_id")
NOT_FOR_PEOPLE = frozenset({"content_html", "description_html", "content_format", "description_format"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a ticket or to what belongs to it. `actor` is None for Deskbell itself; values are for reading."""

    id: int
    at: datetime
    actor: str | None
    channel: str
    act: str
    cause: str
    operation_id: int
    summary: str
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def history_of(session: Session, ticket: Ticket, *, limit: int = 500) -> list[Change]:
    """Return the newest changes, at most `limit`, with names in the place of ids. A fixed number of statements."""
    rows = session.execute(changes_of_ticket(ticket.id).order_by(AuditLog.id.desc()).limit(limit)).all()
    names = _Names(session, rows, ticket)
    return [
        Change(
            id=row.id,
            at=row.created_at,
            actor=row.user_name or (f"#{row.user_id}" if row.user_id else None),
            channel=row.channel,
            act=row.act or "",
            cause=row.cause,
            operation_id=row.operation_id,
            summary=_summary(row, names),
            changes=_readable(row, names),
        )
        for row in rows
    ]


class _Names:
    """What the ids in some audit rows are called."""

    def __init__(self, session: Session, logs: Sequence[Entry], ticket: Ticket) -> None:
        self.people = {p.id: display_name(p) for p in session.scalars(_with_ids(Person, _values(logs, PEOPLE)))}
        self.teams = {t.id: t.name for t in session.scalars(_with_ids(Team, _values(logs, ("team_id",))))}
        self.tags = {t.id: t.name for t in session.scalars(_with_ids(Tag, _values(logs, ("tag_id",))))}
        self.notes = dict[int, bool]()
        for comment, internal in session.execute(
            select(Comment.id, Comment.is_internal).where(Comment.ticket_id == ticket.id)
        ):
            self.notes[comment] = internal
        files = select(Attachment.id, Attachment.file_name).where(Attachment.ticket_id == ticket.id)
        self.files = {number: name for number, name in session.execute(files)}  # noqa: C416 - Row

    def of(self, column: str, value: object) -> object:
        """Return the name for an id, and the value itself for anything else."""
        known = self.people if column in PEOPLE else self.teams if column == "team_id" else None
        if known is None or not isinstance(value, int):
            return one_line(value, LONG) if isinstance(value, str) else value
        return known.get(value, f"#{value}")


def _with_ids(table: type[Any], ids: Iterable[int]) -> Select[Any]:
    return select(table).where(in_array(table.__table__.c.id, sorted(set(ids))))


def _values(logs: Sequence[Entry], columns: Sequence[str]) -> list[int]:
    found = []
    for log in logs:
        for column in columns:
            value = (log.changes or {}).get(column)
            found += [it for it in (value if isinstance(value, list) else [value]) if isinstance(it, int)]
    return found


def _summary(log: Entry, names: _Names) -> str:
    created = log.action == AuditAction.CREATE
    match log.table_name:
        case "tickets":
            return "opened the ticket" if created else _ticket_summary(log.changes or {})
        case "comments":
            what = "an internal note" if names.notes.get(log.record_id) else "a reply"
            return f"{'wrote' if created else 'edited'} {what}"
        case "ticket_tags":
            return f"{'added' if created else 'removed'} the tag {_tag(log, names)}"
        case _:
            return f"attached {names.files.get(log.record_id, 'a file')}" if created else "changed an attachment"


def _ticket_summary(changes: Mapping[str, Any]) -> str:
    if "deleted_at" in changes:
        return "deleted the ticket" if changes["deleted_at"][1] else "restored the ticket"
    named = [column.removesuffix("_id").replace("_", " ") for column in changes if column not in NOT_FOR_PEOPLE]
    shown = [name for name in named if name not in {"resolved at", "reopen count", "first responded at"}] or named
    return f"changed {', '.join(shown)}"


def _tag(log: Entry, names: _Names) -> str:
    value = (log.changes or {}).get("tag_id")
    number = next((it for it in (value if isinstance(value, list) else [value]) if isinstance(it, int)), 0)
    return str(names.tags.get(number, f"#{number}"))


def _readable(log: Entry, names: _Names) -> dict[str, tuple[Any, Any]]:
    if log.action != AuditAction.UPDATE:
        return {}
    changes = (log.changes or {}).items()
    return {
        column: (names.of(column, old), names.of(column, new))
        for column, (old, new) in changes
        if column not in NOT_FOR_PEOPLE
    }
