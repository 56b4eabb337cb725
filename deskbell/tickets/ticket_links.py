"""Use cases about links between tickets: one follows up another, or they have to do with each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, load_only

from deskbell.kernel.errors import InvalidError, NotFoundError
from deskbell.kernel.events import publish
from deskbell.tickets.actions import require_staff
from deskbell.tickets.events import TicketsLinked, TicketsUnlinked
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import get_ticket
from deskbell.tickets.relation_models import TicketLink, TicketLinkKind

ONLY_THE_DESK: Final = "Only the desk links tickets."
MOST_SHOWN: Final = 100
FOR_LINE: Final = load_only(Ticket.ticket_number, Ticket.title, Ticket.status, Ticket.deleted_at)


@dataclass(frozen=True, slots=True)
class Linked:
    """A ticket that another one has to do with. `follows` says that it is the follow-up of the other one."""

    link_id: int
    ticket: Ticket
    kind: TicketLinkKind
    follows: bool


def links_of(session: Session, ticket_id: int) -> Sequence[Linked]:
    """Return the tickets that a ticket has to do with, the youngest first, at most a hundred; also deleted ones.

    Of the tickets what a line shows is loaded: number, title, status, and whether they were deleted.
    """
    require_staff(session, ONLY_THE_DESK)
    is_end = or_(TicketLink.ticket_id == ticket_id, TicketLink.other_id == ticket_id)
    at_other_end = Ticket.id.in_((TicketLink.ticket_id, TicketLink.other_id)) & (Ticket.id != ticket_id)
    statement = select(TicketLink, Ticket).join(Ticket, at_other_end).where(is_end)
    found = session.execute(statement.options(FOR_LINE).order_by(Ticket.id.desc()).limit(MOST_SHOWN))
    return [
        Linked(link.id, ticket, link.kind, link.kind is TicketLinkKind.FOLLOW_UP and link.ticket_id == ticket.id)
        for link, ticket in found
    ]


def link(session: Session, number: str, other: str, kind: TicketLinkKind = TicketLinkKind.RELATED) -> bool:
    """Link two tickets; of a follow-up the younger one follows. Return whether anything changed.

    Raises NoSuchTicketError, InvalidError for a ticket and itself.
    """
    require_staff(session, ONLY_THE_DESK)
    one, two = get_ticket(session, number), get_ticket(session, other, deleted=True)
    if one.id == two.id:
        raise InvalidError(f"{one.ticket_number} cannot be linked to itself.", field="other")
    return link_tickets(session, one.id, two.id, kind)


def unlink(session: Session, number: str, other: str) -> None:
    """Take the link between two tickets away. Raises NoSuchTicketError, NotFoundError where there is none."""
    require_staff(session, ONLY_THE_DESK)
    one, two = get_ticket(session, number, deleted=True), get_ticket(session, other, deleted=True)
    younger, elder = max(one.id, two.id), min(one.id, two.id)
    its = TicketLink.ticket_id == younger, TicketLink.other_id == elder
    if session.scalar(delete(TicketLink).where(*its).returning(TicketLink.id)) is None:
        raise NotFoundError(f"{one.ticket_number} and {two.ticket_number} are not linked.")
    publish(session, TicketsUnlinked(younger, elder))


def link_tickets(session: Session, one_id: int, two_id: int, kind: TicketLinkKind) -> bool:
    """Link tickets by their ids, for callers that have loaded both. Return whether anything changed."""
    younger, elder = max(one_id, two_id), min(one_id, two_id)
    row = insert(TicketLink).values(ticket_id=younger, other_id=elder, kind=kind).on_conflict_do_nothing()
    if session.scalar(row.returning(TicketLink.id)) is None:
        return False
    publish(session, TicketsLinked(younger, elder))
    return True
