"""Putting a ticket away and bringing it back, known by its id or its number."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.kernel.clock import SystemClock
from deskbell.kernel.ids import is_id
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.kernel.worlds import both_worlds
from deskbell.tickets import actions
from deskbell.tickets.errors import NoSuchTicketError
from deskbell.tickets.models import Ticket


@both_worlds
def soft_delete_ticket(session: Session, ticket: int | str) -> bool:
    """Put a ticket away, by id or number. Return whether anything changed. Raises NoSuchTicketError, ForbiddenError."""
    resources: Resources | None = session.info.get(RESOURCES_KEY)
    clock = resources.clock if resources else SystemClock()
    return actions.soft_delete(session, _number_of(session, ticket), now=clock.now())


@both_worlds
def restore_ticket(session: Session, ticket: int | str) -> bool:
    """Bring a deleted ticket back, by id or number. Return whether anything changed. Raises as `soft_delete_ticket`."""
    return actions.restore(session, _number_of(session, ticket))


def _number_of(session: Session, ticket: int | str) -> str:
    if isinstance(ticket, str):
        return ticket
    statement = select(Ticket.ticket_number).where(Ticket.id == ticket)
    number = session.scalar(statement) if is_id(ticket) else None
    if number is None:
        raise NoSuchTicketError(f"There is no ticket with the id {ticket}.")
    return number
