"""Use cases about tickets: each loads, checks, changes and publishes, in that order. The audit log records by itself.

`expected` is the version that the person saw: when it is not the current one, nothing happens and StaleError says so.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, func
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from deskbell.accounts.models import Role, User
from deskbell.accounts.queries import get_team, get_user
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError, StaleError
from deskbell.kernel.events import publish
from deskbell.kernel.inserting import insert_one
from deskbell.kernel.text import one_line, title_from
from deskbell.tickets.bodies import Body
from deskbell.tickets.events import (
    NoteAdded,
    Replied,
    StatusChanged,
    TicketAssigned,
    TicketDeleted,
    TicketOpened,
    TicketRestored,
)
from deskbell.tickets.models import Comment, Ticket, TicketPriority, TicketStatus
from deskbell.tickets.queries import lock_ticket
from deskbell.tickets.rules import status_after_assignment, status_after_reply

TITLE_LENGTH = 500
CUSTOMERS_STATUSES = (TicketStatus.OPEN, TicketStatus.RESOLVED)
_OWN_ORGANIZATION: Final = func.deskbell_organization(type_=BigInteger)
"""Of the actor, who is known already: nobody need be loaded for it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes a message, and when, where it is not the actor and not now: mail and imports."""

    user_id: int
    is_staff: bool
    channel: Channel
    at: datetime | None = None


def open_ticket(
    session: Session,
    *,
    body: Body,
    requester: User | None,
    title: str = "",
    priority: TicketPriority = TicketPriority.MEDIUM,
    team_id: int | None = None,
    channel: Channel | None = None,
) -> Ticket:
    """Open a ticket for `requester`, or for the actor. Without a title it gets one from the message."""
    actor = actor_of(session)
    creator_id = actor.user_id if requester is None else requester.id
    if creator_id is None:
        raise InvalidError("Say whom the ticket is for.", field="requester_id")
    if not actor.is_staff and creator_id != actor.user_id:
        raise ForbiddenError("You may open tickets for yourself alone.")
    values = {
        "title": one_line(title, TITLE_LENGTH) or title_from(body.text),
        "description": body.text,
        "description_format": body.format,
        "description_html": body.html,
        "description_folded": body.folded,
        "priority": priority,
        "channel": channel or actor.channel,
        "creator_id": creator_id,
        **({} if team_id is None else {"team_id": team_id}),
    }
    if requester is None:
        ticket = insert_one(session, Ticket, values, organization_id=_OWN_ORGANIZATION)
    else:
        ticket = insert_one(session, Ticket, {**values, "organization_id": requester.organization_id})
    publish(session, TicketOpened(ticket.id))
    return ticket


def reply(
    session: Session,
    number: str,
    *,
    body: Body,
    status: TicketStatus | None = None,
    expected: int | None = None,
    sender: Sender | None = None,
    now: datetime,
) -> Comment:
    """Answer in public. A customer brings a waiting or finished ticket back by it; staff say where it stands."""
    ticket = load_to_change(session, number, expected)
    author = sender or _actor_as_sender(session)
    comment = _add_comment(session, ticket, body, author, is_internal=False)
    if author.is_staff and ticket.first_responded_at is None and author.user_id != ticket.creator_id:
        ticket.first_responded_at = author.at or now
    _set_status(session, ticket, status_after_reply(ticket.status, by_staff=author.is_staff, wanted=status))
    _touch(session, ticket)
    publish(session, Replied(ticket.id, comment.id))
    return comment


def add_note(
    session: Session, number: str, *, body: Body, expected: int | None = None, sender: Sender | None = None
) -> Comment:
    """Leave a note that only the desk sees."""
    author = sender or _actor_as_sender(session)
    if not author.is_staff:
        raise ForbiddenError("Only the desk writes internal notes.")
    ticket = load_to_change(session, number, expected)
    comment = _add_comment(session, ticket, body, author, is_internal=True)
    _touch(session, ticket)
    publish(session, NoteAdded(ticket.id, comment.id))
    return comment


def assign(session: Session, number: str, assignee_id: int | None, *, expected: int | None = None) -> Ticket:
    """Give a ticket to an agent, or to nobody. An open one is then in progress."""
    ticket = load_to_change(session, number, expected)
    require_staff(session)
    if assignee_id == ticket.assignee_id:
        return ticket
    if assignee_id is not None:
        check_assignee(get_user(session, assignee_id))
    ticket.assignee_id = assignee_id
    _set_status(session, ticket, status_after_assignment(ticket.status, assigned=assignee_id is not None))
    _touch(session, ticket)
    publish(session, TicketAssigned(ticket.id, assignee_id))
    return ticket


def change_status(session: Session, number: str, status: TicketStatus, *, expected: int | None = None) -> Ticket:
    """Say where a ticket stands. `resolved_at` and the count of reopenings follow by themselves."""
    ticket = load_to_change(session, number, expected)
    if status is not ticket.status and status not in CUSTOMERS_STATUSES and not actor_of(session).is_staff:
        raise ForbiddenError("You may resolve your ticket, or open it again.")
    _set_status(session, ticket, status)
    session.flush()  # the trigger's values come back with it
    return ticket


def change_priority(session: Session, number: str, priority: TicketPriority, *, expected: int | None = None) -> Ticket:
    """Say how urgent a ticket is."""
    ticket = load_to_change(session, number, expected)
    require_staff(session)
    ticket.priority = priority
    session.flush()  # the trigger's values come back with it
    return ticket


def change_title(session: Session, number: str, title: str, *, expected: int | None = None) -> Ticket:
    """Rename a ticket."""
    ticket = load_to_change(session, number, expected)
    require_staff(session)
    cleaned = one_line(title, TITLE_LENGTH)
    if not cleaned:
        raise InvalidError("A ticket needs a title.", field="title")
    ticket.title = cleaned
    session.flush()  # the trigger's values come back with it
    return ticket


def give_to_team(session: Session, number: str, team_id: int | None, *, expected: int | None = None) -> Ticket:
    """Give a ticket to a team, or to none."""
    ticket = load_to_change(session, number, expected)
    require_staff(session)
    ticket.team_id = get_team(session, team_id).id if team_id is not None else None
    session.flush()  # the trigger's values come back with it
    return ticket


def change_due(session: Session, number: str, due_at: datetime | None, *, expected: int | None = None) -> Ticket:
    """Say by when it should be resolved, as an aware time, or that there is no such time."""
    ticket = load_to_change(session, number, expected)
    require_staff(session)
    ticket.due_at = due_at
    session.flush()  # the trigger's values come back with it
    return ticket


def soft_delete(session: Session, number: str, *, now: datetime, expected: int | None = None) -> bool:
    """Put a ticket away. Return whether anything changed: a deleted one stays as it is."""
    ticket = load_to_change(session, number, expected, deleted=True)
    require_staff(session)
    if ticket.deleted_at is not None:
        return False
    ticket.deleted_at = now
    session.flush()  # the trigger's values come back with it
    publish(session, TicketDeleted(ticket.id))
    return True


def restore(session: Session, number: str, *, expected: int | None = None) -> bool:
    """Bring a deleted ticket back. Return whether anything changed."""
    ticket = load_to_change(session, number, expected, deleted=True)
    require_staff(session)
    if ticket.deleted_at is None:
        return False
    ticket.deleted_at = None
    session.flush()  # the trigger's values come back with it
    publish(session, TicketRestored(ticket.id))
    return True


def load_to_change(session: Session, number: str, expected: int | None, *, deleted: bool = False) -> Ticket:
    """Load a ticket under a lock. Raises StaleError where `expected` is not its version."""
    ticket = lock_ticket(session, number, deleted=deleted)
    if expected is not None and ticket.version != expected:
        message = (
            f"{ticket.ticket_number} was changed since you read it: you saw version {expected}, it is {ticket.version}."
        )
        raise StaleError(message, seen=expected, current=ticket.version)
    return ticket


def require_staff(session: Session, message: str = "Only the desk may change this.") -> None:
    """Raise ForbiddenError for customers."""
    if not actor_of(session).is_staff:
        raise ForbiddenError(message)


def check_assignee(user: User) -> None:
    """Raise InvalidError for somebody who cannot be given tickets."""
    if user.role is Role.CUSTOMER:
        raise InvalidError("A ticket can be assigned to agents and administrators only.", field="assignee_id")
    if not user.is_active:
        raise InvalidError("This agent is not active any more.", field="assignee_id")


def _actor_as_sender(session: Session) -> Sender:
    actor = actor_of(session)
    if actor.user_id is None:
        raise ForbiddenError("The system writes no messages; say who the sender is.")
    return Sender(actor.user_id, actor.is_staff, actor.channel)


def _add_comment(session: Session, ticket: Ticket, body: Body, author: Sender, *, is_internal: bool) -> Comment:
    comment = Comment(
        ticket_id=ticket.id,
        author_id=author.user_id,
        content=body.text,
        content_format=body.format,
        content_html=body.html,
        folded=body.folded,
        is_internal=is_internal,
        channel=author.channel,
    )
    if author.at is not None:
        comment.created_at = author.at
    session.add(comment)
    session.flush()  # for the id
    return comment


def _set_status(session: Session, ticket: Ticket, status: TicketStatus) -> None:
    if status is ticket.status:
        return
    old, ticket.status = ticket.status, status
    publish(session, StatusChanged(ticket.id, old.value, status.value))


def _touch(session: Session, ticket: Ticket) -> None:
    """Write the ticket even where only its thread grew, so that its version and its place in the list move."""
    flag_modified(ticket, "status")
    session.flush()  # the trigger's values come back with it
