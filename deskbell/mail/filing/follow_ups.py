"""Replies to closed tickets, where the mailbox says that these stay closed and the reply begins another ticket."""

from sqlalchemy import select

from deskbell.accounts.models import User
from deskbell.mail.filing.incoming import Incoming
from deskbell.mail.filing.people import takes_part
from deskbell.mail.mailboxes.models import ClosedReply
from deskbell.mail.mailboxes.queries import mailbox_of
from deskbell.tickets.copies import add_copies, copies_of
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.relation_models import TicketLink, TicketLinkKind
from deskbell.tickets.ticket_links import link_tickets


def begins_follow_up(incoming: Incoming, ticket: Ticket) -> bool:
    """Whether a reply to this ticket opens another one. Answers of the desk, and to resolved tickets, never do."""
    if ticket.status is not TicketStatus.CLOSED or (incoming.author is not None and incoming.author.is_staff):
        return False
    mailbox = incoming.mailbox or mailbox_of(incoming.session, ticket)
    return mailbox is not None and mailbox.closed_reply is ClosedReply.FOLLOW_UP


def current(incoming: Incoming, ticket: Ticket) -> Ticket:
    """Return the ticket in which a closed one goes on for the sender: the youngest that follows it, else itself."""
    seen = {ticket.id}
    while ticket.status is TicketStatus.CLOSED:
        following = select(Ticket).join(TicketLink, TicketLink.ticket_id == Ticket.id)
        its = TicketLink.other_id == ticket.id, TicketLink.kind == TicketLinkKind.FOLLOW_UP
        found = incoming.session.scalars(following.where(*its, Ticket.deleted_at.is_(None)).order_by(Ticket.id.desc()))
        successor = next((each for each in found if each.id not in seen and takes_part(incoming, each)), None)
        if successor is None:
            break
        seen.add(successor.id)
        ticket = successor
    return ticket


def follow(incoming: Incoming, successor: Ticket, ticket: Ticket, author: User) -> None:
    """Link the tickets, and go on with whoever had to do with the first one: its team, its requester, its copies."""
    session = incoming.session
    link_tickets(session, successor.id, ticket.id, TicketLinkKind.FOLLOW_UP)
    if successor.team_id is None and ticket.team_id is not None:
        successor.team_id = ticket.team_id
    people = [(each.email, each.name) for each in copies_of(session, ticket.id)]
    requester = session.get(User, ticket.creator_id)
    if requester is not None and not requester.is_staff:
        people.insert(0, (requester.email, requester.full_name))
    add_copies(session, successor, [each for each in people if each[0].lower() != author.email.lower()])
    session.flush()  # for the team
