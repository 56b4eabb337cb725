"""What the page of one ticket needs beside the ticket, however long its thread: in a fixed number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, selectinload

from deskbell.audit.models import AuditLog
from deskbell.audit.queries import changes_of_ticket
from deskbell.kernel.database import actor_of
from deskbell.tickets.actions import require_staff
from deskbell.tickets.errors import NoSuchTicketError
from deskbell.tickets.history import ONLY_THE_DESK
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket, TicketStatus
from deskbell.tickets.queries import FOR_CUSTOMER_LIST, FOR_LIST, newest_first, numbered, tickets

NEWEST: Final = 30
"""Messages of a thread that are shown at once."""
MOST_COUNTED: Final = 1000
MOST_MOMENTS: Final = 500


@dataclass(frozen=True, slots=True)
class Glance:
    """A ticket, the newest part of its thread, oldest first, and how many comments stand before that.

    `files` are those of the first message.
    """

    ticket: Ticket
    comments: Sequence[Comment]
    older: int
    files: Sequence[Attachment]


@dataclass(frozen=True, slots=True)
class Others:
    """The requester's other tickets, last changed first: some, and how many there are, up to `MOST_COUNTED`."""

    tickets: Sequence[Row[str, str, TicketStatus, datetime]]
    count: int


def glance(session: Session, number: str, *, newest: int = NEWEST) -> Glance:
    """Load a ticket, deleted or not, with `newest` comments. Raises NoSuchTicketError. At most ten statements."""
    options = FOR_LIST if actor_of(session).is_staff else FOR_CUSTOMER_LIST
    ticket = session.scalar(numbered(number).options(*options))
    if ticket is None:
        raise NoSuchTicketError(f"There is no ticket {number}.")
    its = select(Comment).where(Comment.ticket_id == ticket.id)
    loaded = its.options(selectinload(Comment.writer), selectinload(Comment.attachments))
    found = session.scalars(loaded.order_by(Comment.created_at.desc(), Comment.id.desc()).limit(newest)).all()
    count = len(found)
    if count == newest:
        count = session.scalar(its.with_only_columns(func.count())) or 0
    files = select(Attachment).where(Attachment.ticket_id == ticket.id, Attachment.comment_id.is_(None))
    first = session.scalars(files.order_by(Attachment.id)).all()
    return Glance(ticket, found[::-1], count - len(found), first)


def other_tickets(session: Session, ticket: Ticket, *, at_most: int = 5) -> Others:
    """Return what else the requester asked. Two statements."""
    theirs = tickets().where(Ticket.creator_id == ticket.creator_id, Ticket.id != ticket.id)
    columns = Ticket.ticket_number, Ticket.title, Ticket.status, Ticket.updated_at
    some = session.execute(newest_first(theirs).with_only_columns(*columns).limit(at_most)).all()
    if len(some) < at_most:
        return Others(some, len(some))
    ids = theirs.with_only_columns(Ticket.id).limit(MOST_COUNTED).subquery()
    return Others(some, session.scalar(select(func.count()).select_from(ids)) or 0)


def tag_names(session: Session, *, at_most: int = 300) -> Sequence[str]:
    """Return names of tags to choose from, by name."""
    return session.scalars(select(Tag.name).order_by(func.lower(Tag.name)).limit(at_most)).all()


def moments_of(session: Session, ticket: Ticket) -> list[datetime]:
    """Return when the ticket or a part of it changed, oldest first: the newest of these times. For the desk."""
    require_staff(session, ONLY_THE_DESK)
    ended = func.max(AuditLog.created_at).label("ended")
    operations = changes_of_ticket(ticket.id).with_only_columns(ended).group_by(AuditLog.operation_id)
    return list(session.scalars(operations.order_by(ended.desc()).limit(MOST_MOMENTS)))[::-1]
