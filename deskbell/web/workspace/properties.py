"""What the form beside a ticket changes, one field at a time or all together, as functions over a session.

A form says of each field what it `was` when the page was shown: who changes something else at the same time is not in
the way, who changed the same is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError, StaleError
from deskbell.kernel.ids import is_id
from deskbell.tickets.actions import require_staff
from deskbell.tickets.changes import change_ticket
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import lock_ticket
from deskbell.tickets.rules import priority_named, status_named
from deskbell.web.i18n import gettext as _
from deskbell.web.templating import label, local_minute

WAS: Final = "was_"


def save(session: Session, number: str, sent: Mapping[str, str]) -> dict[str, str]:
    """Change what differs from what it was, and return all fields as the form has them now. Raises StaleError."""
    require_staff(session)
    ticket, zone = lock_ticket(session, number), ZoneInfo(actor_of(session).time_zone)
    now = form_values(ticket, zone)
    wanted = {name: value for name, value in sent.items() if name in _READ and value != sent.get(WAS + name, now[name])}
    for name, value in wanted.items():
        was = sent.get(WAS + name, now[name])
        if now[name] not in {was, value}:
            message = _(
                "Somebody else has changed this in the meantime: %(field)s. Look again, then repeat your change."
            )
            raise StaleError(message % {"field": label(name)}, field=name)
    changes = {name: _READ[name](value, zone) for name, value in wanted.items() if value != now[name]}
    if changes:
        change_ticket(session, number, changes)
    return form_values(ticket, zone)


def form_values(ticket: Ticket, zone: tzinfo) -> dict[str, str]:
    """Return the fields as a form has them."""
    return {
        "title": ticket.title,
        "status": ticket.status.value,
        "priority": ticket.priority.value,
        "assignee_id": str(ticket.assignee_id or ""),
        "team_id": str(ticket.team_id or ""),
        "due_at": local_minute(ticket.due_at, zone) if ticket.due_at else "",
    }


def _minute(text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise InvalidError(_("This is no time: choose a day and an hour."), field="due_at") from None


def _id(text: str, _zone: tzinfo) -> int | None:
    if text and not (text.isdecimal() and is_id(int(text))):
        raise InvalidError(_("Choose somebody from the list."))
    return int(text) if text else None


_READ: Final[Mapping[str, Callable[[str, tzinfo], Any]]] = {
    "title": lambda text, _: text,
    "status": lambda text, _: status_named(text),
    "priority": lambda text, _: priority_named(text),
    "assignee_id": _id,
    "team_id": _id,
    "due_at": _minute,
}
"""How the form writes each field."""
