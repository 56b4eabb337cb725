"""Which ticket a message belongs to, and how it says so: the first way that leads to a ticket counts."""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from deskbell.mail.filing.incoming import Incoming
from deskbell.mail.inbound.models import InboundMessage
from deskbell.mail.inbound.queries import FILED
from deskbell.mail.inbound.threading import reference_chain, ticket_numbers_in
from deskbell.mail.mailboxes.addresses import reply_to_of
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.mail.parsing import ParsedMail
from deskbell.tickets.models import Ticket


class Way(Enum):
    """How a message says to which ticket it belongs. Only a signed address lets somebody in who takes no part."""

    SIGNED = auto()
    REFERENCE = auto()
    NUMBER = auto()
    DECISION = auto()
    """Somebody of the desk said so."""


@dataclass(frozen=True, slots=True)
class Thread:
    """The ticket; `holder_id` is the person to whom a signed address was given, None for one without an account."""

    ticket: Ticket
    way: Way
    holder_id: int | None = None


def thread_of(incoming: Incoming) -> Thread | None:
    """Return the ticket that a message belongs to; None for one that begins something new."""
    session, parsed = incoming.session, incoming.parsed
    if incoming.is_released:
        return _decided(incoming)
    signed = _signed(incoming)
    if signed is not None:
        return signed
    ticket = referred_to(session, parsed)
    if ticket is not None:
        return Thread(ticket, Way.REFERENCE)
    for number in ticket_numbers_in(parsed.subject, incoming.resources.ticket_prefix):
        ticket = session.scalar(select(Ticket).where(Ticket.ticket_number == number))
        if ticket is not None:
            return Thread(ticket, Way.NUMBER)
    return None


def referred_to(session: Session, parsed: ParsedMail) -> Ticket | None:
    """Return the ticket of the nearest message that this one refers to, of those that came in and those we sent."""
    chain = reference_chain(parsed)
    if not chain:
        return None
    came = select(InboundMessage.message_id, InboundMessage.ticket_id).where(
        InboundMessage.message_id.in_(chain), InboundMessage.state.in_(FILED)
    )
    went = select(OutboundMessage.message_id, OutboundMessage.ticket_id).where(
        OutboundMessage.message_id.in_([f"<{each}>" for each in chain])
    )
    found = {str(name).strip("<>"): its for name, its in session.execute(union_all(came, went)) if its is not None}
    nearest = next((found[each] for each in chain if each in found), None)
    return session.get(Ticket, nearest) if nearest is not None else None


def _decided(incoming: Incoming) -> Thread | None:
    number = incoming.message.ticket_id
    ticket = incoming.session.get(Ticket, number) if number is not None else None
    return Thread(ticket, Way.DECISION) if ticket is not None and ticket.deleted_at is None else None


def _signed(incoming: Incoming) -> Thread | None:
    addresses = (*incoming.envelope_to, *incoming.parsed.recipients_seen)
    found = reply_to_of(incoming.resources.reach, addresses)
    ticket = incoming.session.get(Ticket, found.ticket_id) if found is not None else None
    return Thread(ticket, Way.SIGNED, found.user_id) if ticket is not None and found is not None else None
