"""What did not arrive: writing it down, and telling the desk."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.resources import resources_of
from deskbell.mail.outbound.actions import queue_notice
from deskbell.mail.outbound.audience import concerned
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.mail.outbound.notices import OUTSIDE
from deskbell.mail.outbound.queries import WAITING, lock_message
from deskbell.tickets.models import Comment, Ticket

_UNDECIDED = frozenset({*WAITING, OutboundState.SENT})
"""A report may be here before we have written down that the message was sent."""


def note_bounce(session: Session, outbound_id: int, words: str, at: datetime) -> bool:
    """Write down that a message came back, with the words of who sent it back; return whether that is new.

    The desk is told where it was meant for a customer. For the system alone.
    """
    message = lock_message(session, outbound_id)
    if message is None or message.state not in _UNDECIDED:
        return False
    message.state, message.reason, message.next_attempt_at = OutboundState.BOUNCED, words, None
    message.sent_at = message.sent_at or at
    if message.kind in OUTSIDE:
        tell_undelivered(session, message)
    return True


def tell_undelivered(session: Session, message: OutboundMessage) -> None:
    """Tell whoever wrote what did not arrive, else whoever has the ticket, else whom new tickets concern: once each."""
    if message.ticket_id is None or not resources_of(session).reach.tells_desk:
        return
    for user_id in _whom(session, message):
        _tell(session, message, user_id)


def _tell(session: Session, message: OutboundMessage, told: int) -> None:
    assert message.ticket_id is not None  # noqa: S101 - asked before
    it = OutboundMessage
    same = (
        it.user_id == told,
        it.ticket_id == message.ticket_id,
        it.comment_id.is_not_distinct_from(message.comment_id),
    )
    waits = exists().where(it.kind == OutboundKind.UNDELIVERED, it.state == OutboundState.QUEUED, *same)
    if not session.scalar(select(waits)):
        kind, comment_id = OutboundKind.UNDELIVERED, message.comment_id
        queue_notice(session, kind, user_id=told, ticket_id=message.ticket_id, comment_id=comment_id)


def _whom(session: Session, message: OutboundMessage) -> Iterable[int]:
    comment = session.get(Comment, message.comment_id) if message.comment_id else None
    ticket = session.get_one(Ticket, message.ticket_id)
    for user_id in (comment.author_id if comment else None, ticket.assignee_id):
        person = session.get(User, user_id) if user_id else None
        if person is not None and person.is_staff and person.is_active:
            return [person.id]
    return concerned(session, OutboundKind.OPENED, ticket)
