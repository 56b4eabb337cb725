"""Who may write into a ticket by mail, and why somebody may not."""

from sqlalchemy import exists, func, or_, select

from deskbell.accounts.models import Organization, User
from deskbell.mail.filing.incoming import Incoming
from deskbell.mail.filing.threads import Thread, Way
from deskbell.tickets.models import Comment, Ticket
from deskbell.tickets.relation_models import TicketCopy


def shut_out(incoming: Incoming) -> str:
    """Say why a message gets in nowhere, whatever it belongs to; nothing where it does not."""
    if incoming.sender is None:
        return "It does not say from whom it is (no usable From header)."
    author = incoming.author
    if author is not None and not author.is_active and not incoming.is_released:
        return f"The account of {author.email} is not active."
    return ""


def kept_out(incoming: Incoming, thread: Thread) -> str:
    """Say why a message is not let into the ticket that it claims to answer; nothing where it is."""
    ticket, author = thread.ticket, incoming.author
    if thread.way is Way.DECISION:
        return ""
    if ticket.deleted_at is not None:
        return f"It belongs to {ticket.ticket_number}, which was deleted."
    if author is not None and author.is_staff:  # From is no proof, and a forged answer would reach the customer as true
        return "" if _is_holder(thread, author) else _forged(author, ticket)
    if thread.way is Way.SIGNED or takes_part(incoming, ticket):
        return ""
    return f"It claims to belong to {ticket.ticket_number}, but {incoming.sender} takes no part in that ticket."


def takes_part(incoming: Incoming, ticket: Ticket) -> bool:
    """Say whether the sender opened a ticket, wrote in it, gets copies of it, or has it shared with them."""
    author = incoming.author
    gets_copies = exists().where(
        TicketCopy.ticket_id == ticket.id, func.lower(TicketCopy.email) == func.lower(incoming.sender or "")
    )
    if author is None:
        return bool(incoming.session.scalar(select(gets_copies)))
    if author.id == ticket.creator_id:
        return True
    wrote = exists().where(Comment.ticket_id == ticket.id, Comment.author_id == author.id, ~Comment.is_internal)
    shares = exists().where(
        Organization.id == ticket.organization_id,
        Organization.id == author.organization_id,
        Organization.shares_tickets,
    )
    return bool(incoming.session.scalar(select(or_(wrote, shares, gets_copies))))


def _is_holder(thread: Thread, author: User) -> bool:
    """Only the agent to whom we gave the address knows it, and who they pass it on to."""
    return thread.way is Way.SIGNED and thread.holder_id == author.id


def _forged(author: User, ticket: Ticket) -> str:
    how = "Agents answer in Deskbell, or reply to the notice that was sent to them."
    return f"It claims to be an answer of {author.email} to {ticket.ticket_number}. {how}"
