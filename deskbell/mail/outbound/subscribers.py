"""What the outbox does when something happens to a ticket: its requester is told. Bulk and imports tell nobody."""

from typing import Final

from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.actor import Channel
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.mail.outbound.actions import queue_notice
from deskbell.mail.outbound.models import OutboundKind
from deskbell.mail.outbound.notices import is_told
from deskbell.tickets.events import Replied, TicketOpened
from deskbell.tickets.models import Comment, Ticket

ANSWERS_FROM: Final = frozenset({Channel.WEB, Channel.API, Channel.CLI})


def tell_received(session: Session, event: TicketOpened) -> None:
    """Say that a request came in where it did so on a page: mail is not answered by machines, to make no loops."""
    if not _tells(session):
        return
    ticket = session.get_one(Ticket, event.ticket_id)
    if ticket.channel is not Channel.WEB:
        return
    requester = session.get(User, ticket.creator_id)
    if requester is not None and is_told(requester):
        queue_notice(session, OutboundKind.RECEIVED, user_id=requester.id, ticket_id=ticket.id)


def tell_answered(session: Session, event: Replied) -> None:
    """Send the requester what somebody of the desk has answered."""
    if not _tells(session):
        return
    ticket, comment = session.get_one(Ticket, event.ticket_id), session.get_one(Comment, event.comment_id)
    if comment.channel not in ANSWERS_FROM or comment.author_id == ticket.creator_id:
        return
    author, requester = session.get(User, comment.author_id), session.get(User, ticket.creator_id)
    if author is None or not author.is_staff or requester is None or not is_told(requester):
        return  # a customer sees neither agents nor other customers: what they write tells nobody
    queue_notice(session, OutboundKind.ANSWERED, user_id=requester.id, ticket_id=ticket.id, comment_id=comment.id)


def _tells(session: Session) -> bool:
    resources: Resources | None = session.info.get(RESOURCES_KEY)
    return resources is not None and resources.reach.tells_requesters
