"""Several changes of a ticket at once, as one request asks for them: all happen, or none."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from deskbell.tickets import actions
from deskbell.tickets.bodies import Body
from deskbell.tickets.models import Comment, Ticket, TicketStatus
from deskbell.tickets.queries import get_thread

_CHANGES: Mapping[str, Callable[..., Ticket]] = {
    "title": actions.change_title,
    "priority": actions.change_priority,
    "team_id": actions.give_to_team,
    "due_at": actions.change_due,
    "assignee_id": actions.assign,
    "status": actions.change_status,  # last: what is asked for outweighs what assigning implies
}


def change_ticket(session: Session, number: str, changes: Mapping[str, Any], *, expected: int | None = None) -> None:
    """Make the changes, by field name.

    The fields are title, priority, team_id, due_at, assignee_id and status. Raises StaleError where `expected` is not
    the current version.
    """
    actions.load_to_change(session, number, expected)
    for name in sorted(changes, key=list(_CHANGES).index):
        ticket = _CHANGES[name](session, number, changes[name], expected=expected)
        expected = ticket.version


def say(
    session: Session,
    number: str,
    body: Body,
    *,
    is_internal: bool,
    status: TicketStatus | None = None,
    expected: int | None = None,
    now: datetime,
) -> tuple[Comment, Ticket]:
    """Reply or leave a note, and say where the ticket stands then. Return the comment and the ticket's thread."""
    if is_internal:
        comment = actions.add_note(session, number, body=body, expected=expected)
    else:
        comment = actions.reply(session, number, body=body, status=status, expected=expected, now=now)
    if status is not None:
        actions.change_status(session, number, status)
    ticket = get_thread(session, number)
    return next(found for found in ticket.comments if found.id == comment.id), ticket
