"""Asking the outbox."""

from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from deskbell.mail.outbound.models import OutboundMessage, OutboundState

WAITING = (OutboundState.QUEUED, OutboundState.SENDING)


def messages(state: OutboundState | None = None) -> Select[OutboundMessage]:
    """Return the outbox, newest first."""
    statement = select(OutboundMessage).order_by(OutboundMessage.id.desc())
    return statement if state is None else statement.where(OutboundMessage.state == state)


def lock_message(session: Session, message_id: int) -> OutboundMessage | None:
    """Load a message in order to change it."""
    statement = select(OutboundMessage).where(OutboundMessage.id == message_id)
    return session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def overdue(before: datetime, since: datetime) -> Select[int]:
    """Return the ids of messages written after `since` that were to be sent before `before`, oldest first."""
    due = or_(OutboundMessage.next_attempt_at.is_(None), OutboundMessage.next_attempt_at < before)
    statement = select(OutboundMessage.id).where(OutboundMessage.state.in_(WAITING), due)
    return statement.where(OutboundMessage.created_at > since).order_by(OutboundMessage.id)
