"""Use cases about copies (Cc): who else gets the answers of a ticket by mail, and may write into it by mail."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.errors import ConflictError, InvalidError, NotFoundError
from deskbell.kernel.events import publish
from deskbell.kernel.text import clean_email, one_line
from deskbell.tickets.actions import require_staff
from deskbell.tickets.events import CopyAdded, CopyRemoved
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import lock_ticket
from deskbell.tickets.relation_models import TicketCopy

MOST_COPIES: Final = 20
NAME_LENGTH: Final = 255
ONLY_THE_DESK: Final = "Only the desk says who gets copies."


def copies_of(session: Session, ticket_id: int) -> Sequence[TicketCopy]:
    """Return who gets copies of a ticket, as far as the actor may see it, the first one first."""
    return session.scalars(select(TicketCopy).where(TicketCopy.ticket_id == ticket_id).order_by(TicketCopy.id)).all()


def add_copy(session: Session, number: str, email: str, name: str = "") -> TicketCopy:
    """Send somebody copies of the answers from now on.

    Raises InvalidError for no address, its requester's, or too many; ConflictError for who gets them already.
    """
    require_staff(session, ONLY_THE_DESK)
    ticket = lock_ticket(session, number)
    address = clean_email(email)
    requester = session.scalar(select(User.email).where(User.id == ticket.creator_id)) or ""
    if requester.lower() == address.lower():
        raise InvalidError(f"{address} is the requester, who gets the answers anyway.", field="email")
    if len(copies_of(session, ticket.id)) >= MOST_COPIES:
        raise InvalidError(f"A ticket has at most {MOST_COPIES} people in copy.", field="email")
    added = add_copies(session, ticket, [(address, name)])
    if not added:
        raise ConflictError(f"{address} gets copies of {ticket.ticket_number} already.")
    return added[0]


def remove_copy(session: Session, number: str, copy_id: int) -> None:
    """Send somebody no more copies. Raises NotFoundError where they get none."""
    require_staff(session, ONLY_THE_DESK)
    ticket = lock_ticket(session, number)
    its = TicketCopy.id == copy_id, TicketCopy.ticket_id == ticket.id
    email = session.scalar(delete(TicketCopy).where(*its).returning(TicketCopy.email))
    if email is None:
        raise NotFoundError(f"{ticket.ticket_number} has no copy {copy_id}.")
    publish(session, CopyRemoved(ticket.id, copy_id))


def add_copies(session: Session, ticket: Ticket, people: Iterable[tuple[str, str]]) -> list[TicketCopy]:
    """Add people, as address and name, for callers that hold the ticket already; return who is new.

    Who gets copies already stays as they are; who would be more than `MOST_COPIES` is left out.
    """
    known = {each.email.lower() for each in copies_of(session, ticket.id)}
    new = {email.lower(): (email, name) for email, name in people if email.lower() not in known}
    rows = [
        {"ticket_id": ticket.id, "email": email, "name": one_line(name, NAME_LENGTH)}
        for email, name in list(new.values())[: max(MOST_COPIES - len(known), 0)]
    ]
    if not rows:
        return []
    statement = insert(TicketCopy).values(rows).on_conflict_do_nothing().returning(TicketCopy)
    added = sorted(session.scalars(statement), key=lambda each: each.id)
    for each in added:
        publish(session, CopyAdded(ticket.id, each.id))
    return added


def newest_copy(session: Session, ticket_id: int) -> int:
    """Return the id of the copy that was added last, of those that are there; 0 where there is none."""
    return session.scalar(select(func.max(TicketCopy.id)).where(TicketCopy.ticket_id == ticket_id)) or 0
