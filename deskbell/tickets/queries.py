"""Tickets as composable statements, what is loaded with them, and how to get one."""

from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer, joinedload, selectinload

from deskbell.kernel.actor import Actor
from deskbell.kernel.arrays import in_array
from deskbell.kernel.database import actor_of
from deskbell.kernel.paging import SortKey
from deskbell.kernel.text import clean
from deskbell.tickets.errors import NoSuchTicketError, TicketDeletedError
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket, TicketTag

FOR_CUSTOMER_LIST = (selectinload(Ticket.requester), selectinload(Ticket.agent), joinedload(Ticket.organization))
"""At most three statements, however many tickets. People by their keys: a join with that view would read it whole."""

FOR_LIST = (*FOR_CUSTOMER_LIST, joinedload(Ticket.team), selectinload(Ticket.tags))
"""At most four statements, however many tickets. Customers see neither teams nor tags."""

_THREAD = (
    selectinload(Ticket.comments).options(selectinload(Comment.writer), selectinload(Comment.attachments)),
    selectinload(Ticket.attachments),
)
FOR_CUSTOMER_THREAD = (*FOR_CUSTOMER_LIST, *_THREAD)
FOR_THREAD = (*FOR_LIST, *_THREAD)
"""At most eight statements, however long the thread."""

NEWEST_FIRST = (SortKey(Ticket.updated_at, descending=True), SortKey(Ticket.id, descending=True))
ORDERS = {
    "-updated_at": NEWEST_FIRST,
    "-created_at": (SortKey(Ticket.created_at, descending=True), SortKey(Ticket.id, descending=True)),
    "created_at": (SortKey(Ticket.created_at), SortKey(Ticket.id)),
}
OLDEST_COMMENT_FIRST = (SortKey(Comment.created_at), SortKey(Comment.id))
TAGS_BY_ID = (SortKey(Tag.id),)
_TEXTS = (Ticket.description, Ticket.description_html, Ticket.description_folded)


def tickets(*, deleted: bool = False) -> Select[Ticket]:
    """Return all tickets that the actor may see; the deleted ones are another heap."""
    return select(Ticket).where(Ticket.deleted_at.is_not(None) if deleted else Ticket.deleted_at.is_(None))


def tagged(name: str) -> Select[int]:
    """Return the ids of the tickets with a tag. For `EXISTS` and `IN`, as a join would multiply the tickets."""
    statement = select(TicketTag.ticket_id).join(Tag, Tag.id == TicketTag.tag_id)
    return statement.where(func.lower(Tag.name) == func.lower(clean(name).strip()))


def newest_first(statement: Select[Ticket]) -> Select[Ticket]:
    """Sort by the time of the last change."""
    return statement.order_by(*(key.order() for key in NEWEST_FIRST))


def listed(statement: Select[Ticket], actor: Actor) -> Select[Ticket]:
    """Load what a list shows the actor: not the texts, of which each may have megabytes."""
    options = FOR_LIST if actor.is_staff else FOR_CUSTOMER_LIST
    return statement.options(*options, *(defer(text, raiseload=True) for text in _TEXTS))


def comments_of(session: Session, number: str) -> Select[Comment]:
    """Return the comments of a ticket that the actor may see, each with its writer and attachments."""
    ticket = get_ticket(session, number, deleted=True)
    options = selectinload(Comment.writer), selectinload(Comment.attachments)
    return select(Comment).where(Comment.ticket_id == ticket.id).options(*options)


def get_ticket(session: Session, number: str, *, deleted: bool = False) -> Ticket:
    """Load a ticket by its number, in any case. Raises NoSuchTicketError, also for what the actor may not see."""
    ticket = session.scalar(numbered(number))
    return _present(ticket, number, deleted=deleted)


def get_thread(session: Session, number: str) -> Ticket:
    """Load a ticket with all that its page shows the actor."""
    options = FOR_THREAD if actor_of(session).is_staff else FOR_CUSTOMER_THREAD
    return _present(session.scalar(numbered(number).options(*options)), number, deleted=True)


def lock_ticket(session: Session, number: str, *, deleted: bool = False) -> Ticket:
    """Load a ticket to change it: whoever else wants to waits, so that two replies at once both get in."""
    statement = numbered(number).with_for_update(of=Ticket).execution_options(populate_existing=True)
    return _present(session.scalar(statement), number, deleted=deleted)


def get_attachment(session: Session, attachment_id: int) -> Attachment:
    """Load an attachment. Raises NotFoundError, also for what the actor may not see."""
    attachment = session.get(Attachment, attachment_id)
    if attachment is None:
        raise NoSuchTicketError(f"There is no attachment {attachment_id}.")
    return attachment


def listed_by_ids(session: Session, ids: Sequence[int]) -> list[Ticket]:
    """Load what a list shows of these tickets, in their order; one that the actor may not see is left out."""
    statement = listed(select(Ticket), actor_of(session)).where(in_array(Ticket.__table__.c.id, ids))
    found = {ticket.id: ticket for ticket in session.scalars(statement)}
    return [found[number] for number in ids if number in found]


def number_of(session: Session, ticket_id: int) -> str:
    """Return what a ticket is called. Raises NoSuchTicketError, also for one that the actor may not see."""
    number = session.scalar(select(Ticket.ticket_number).where(Ticket.id == ticket_id))
    if number is None:
        raise NoSuchTicketError(f"There is no ticket with the id {ticket_id}.")
    return number


def numbers_and_titles(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return what some tickets are called, by id; one that the actor may not see is left out."""
    statement = select(Ticket.id, Ticket.ticket_number, Ticket.title)
    found = session.execute(statement.where(in_array(Ticket.__table__.c.id, ids)))
    return {number: (name, title) for number, name, title in found}


def tags() -> Select[Tag]:
    """Return all tags by name."""
    return select(Tag).order_by(func.lower(Tag.name))


def numbered(number: str) -> Select[Ticket]:
    """Return the ticket of this number, in any case, deleted or not."""
    return select(Ticket).where(Ticket.ticket_number == clean(number).strip().upper())


def _present(ticket: Ticket | None, number: str, *, deleted: bool) -> Ticket:
    if ticket is None:
        raise NoSuchTicketError(f"There is no ticket {number}.")
    if ticket.deleted_at is not None and not deleted:
        raise TicketDeletedError(f"{ticket.ticket_number} was deleted. Restore it first.")
    return ticket
