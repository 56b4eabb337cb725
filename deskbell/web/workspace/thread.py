"""What the page of one ticket shows and what its forms do, as functions over a session: slices side by side, no SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from deskbell.accounts.queries import agents
from deskbell.kernel.database import actor_of
from deskbell.kernel.resources import resources_of
from deskbell.tickets.bodies import body_of
from deskbell.tickets.changes import change_ticket, say
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.history import Act, history_of
from deskbell.tickets.models import Comment, Ticket, TicketPriority, TicketStatus
from deskbell.tickets.queries import get_thread, lock_ticket
from deskbell.web.pages import present


@dataclass(frozen=True, slots=True)
class Message:
    """What the composer holds."""

    content: str
    is_internal: bool = False
    status: TicketStatus | None = None


def ticket(session: Session, number: str) -> dict[str, Any]:
    """Return one ticket with its thread, and for the desk its history and who it can be given to."""
    it, staff = get_thread(session, number), actor_of(session).is_staff
    return {
        "ticket": present.ticket_page(it, staff=staff),
        "comments": [present.comment(comment) for comment in it.comments],
        "history": [_entry(act) for act in history_of(session, it)] if staff else [],
        "statuses": present.choices(TicketStatus),
        "priorities": present.choices(TicketPriority),
        "agents": [present.person(agent) for agent in session.scalars(agents())] if staff else [],
    }


def send(session: Session, number: str, message: Message, version: int) -> tuple[Comment, Ticket]:
    """Add a reply or a note; return it and the ticket, for its files."""
    body, now = body_of(message.content), resources_of(session).clock.now()
    return say(session, number, body, is_internal=message.is_internal, status=message.status, expected=version, now=now)


def attach(session: Session, comment: Comment, ticket: Ticket, file: StoredFile) -> None:
    """Add one of its files to what was just sent."""
    add_attachment(session, ticket, file, comment=comment, uploaded_by_id=comment.author_id)


def save_properties(session: Session, number: str, wanted: Mapping[str, Any], version: int) -> None:
    """Change what differs. The form sends all its fields, and a status that nobody chose would undo what follows."""
    ticket = lock_ticket(session, number)
    changes = {name: value for name, value in wanted.items() if getattr(ticket, name) != value}
    change_ticket(session, number, changes, expected=version)


def _entry(act: Act) -> dict[str, Any]:
    fields = (pair for change in act.changes for pair in change.fields.items())
    return {
        "at": act.at,
        "actor": act.actor,
        "channel": act.channel,
        "summary": act.summary,
        "changes": [{"field": field, "old": old, "new": new} for field, (old, new) in fields],
    }
