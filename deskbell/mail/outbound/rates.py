"""How many messages of a mailbox leave in a minute: whoever comes too early is told when to come again."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.outbound.models import OutboundMessage, OutboundState

WINDOW: Final = timedelta(minutes=1)


def turn_of(session: Session, message: OutboundMessage, mailbox: Mailbox, now: datetime) -> datetime | None:
    """Return when a message may be handed over; None where that is now, until this transaction ends.

    Those that must wait are given even distances, in the order in which they were written.
    """
    if mailbox.rate is None:
        return None
    key = func.hashtextextended(f"mail.rate:{mailbox.id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))  # two workers at once take turns
    full_until, behind = _full_until(session, mailbox), _last_before(session, message, now)
    if full_until is None or full_until <= now:
        if behind is None:
            return None
        full_until = now
    return full_until if behind is None else max(full_until, behind + WINDOW / mailbox.rate)


def _full_until(session: Session, mailbox: Mailbox) -> datetime | None:
    """Return when the latest messages, as many as leave in a minute, are a minute old."""
    its = select(OutboundMessage.handed_at).where(
        OutboundMessage.mailbox_id == mailbox.id, OutboundMessage.handed_at.is_not(None)
    )
    latest = session.scalar(its.order_by(OutboundMessage.handed_at.desc()).offset((mailbox.rate or 1) - 1).limit(1))
    return latest + WINDOW if latest else None


def _last_before(session: Session, message: OutboundMessage, now: datetime) -> datetime | None:
    """Return the turn of the last message that was written before this one and still waits for its own."""
    waits = select(func.max(OutboundMessage.next_attempt_at)).where(
        OutboundMessage.mailbox_id == message.mailbox_id,
        OutboundMessage.handed_at.is_(None),
        OutboundMessage.state == OutboundState.QUEUED,
        OutboundMessage.id < message.id,
        OutboundMessage.next_attempt_at > now,
    )
    return session.scalar(waits)
