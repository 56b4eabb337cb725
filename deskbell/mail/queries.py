"""What filing asks the database: whether a message is known, which ticket it answers, who takes part in that."""

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Organization, User
from deskbell.mail.models import InboundMessage, MailState
from deskbell.mail.parsing import ParsedMail
from deskbell.mail.threading import reference_chain, ticket_numbers_in
from deskbell.tickets.models import Comment, Ticket

FILED = (MailState.TICKET, MailState.COMMENT)


def was_filed(session: Session, message: InboundMessage) -> bool:
    """Say whether another message with this Message-ID was filed. Two at once take turns."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(message.message_id, 0))))
    same = (InboundMessage.message_id == message.message_id, InboundMessage.id != message.id)
    return bool(session.scalar(select(exists().where(*same, InboundMessage.state.in_(FILED)))))


def answered_ticket(session: Session, parsed: ParsedMail, prefix: str) -> Ticket | None:
    """Return the ticket that a message answers: by the nearest reference that we know, else by number."""
    for message_id in reference_chain(parsed):
        filed = select(Ticket).join(InboundMessage, InboundMessage.ticket_id == Ticket.id)
        known = filed.where(InboundMessage.message_id == message_id, InboundMessage.state.in_(FILED))
        if (found := session.scalars(known.limit(1)).first()) is not None:
            return found
    for number in ticket_numbers_in(parsed.subject, prefix):
        ticket = session.scalar(select(Ticket).where(Ticket.ticket_number == number))
        if ticket is not None:
            return ticket
    return None


def takes_part(session: Session, ticket: Ticket, customer: User) -> bool:
    """Say whether a customer may write into a ticket: who opened it, who wrote in it, and with whom it is shared."""
    if customer.id == ticket.creator_id:
        return True
    wrote = exists().where(Comment.ticket_id == ticket.id, Comment.author_id == customer.id, ~Comment.is_internal)
    shares = exists().where(
        Organization.id == ticket.organization_id,
        Organization.id == customer.organization_id,
        Organization.shares_tickets,
    )
    return bool(session.scalar(select(or_(wrote, shares))))
