"""Whether a message was there before, by whatever way. The same one is filed once; what only looks the same, waits.

A message is the same when what its sender wrote is, or when Message-ID, sender and date are. Who knows nothing but the
Message-ID of somebody's message must not make that vanish.
"""

import hashlib
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, and_, func, literal, or_, select

from deskbell.mail.filing.incoming import Incoming, Verdict
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.inbound.queries import FILED
from deskbell.tickets.models import Ticket

SETTLED: Final = (*FILED, MailState.SUSPENDED, MailState.AUTOMATIC, MailState.BOUNCE)
"""What another one can be a duplicate of. One that failed or was rejected is in no ticket: the next one is decided."""

_BECAME: Final = {
    MailState.TICKET: "which became a ticket",
    MailState.COMMENT: "which became a comment",
    MailState.SUSPENDED: "which waits for a decision",
    MailState.AUTOMATIC: "which no person sent",
    MailState.BOUNCE: "which says that one of our messages came back",
}


def duplicate(incoming: Incoming) -> Verdict | None:
    """Say that the message was there before, or that another one has its Message-ID; None for a new one."""
    take_turns(incoming)
    settled = FILED if incoming.is_released else SETTLED
    known = _first(incoming, _is_same(incoming.message), settled)
    if known is not None:
        ticket = incoming.session.get(Ticket, known.ticket_id) if known.ticket_id else None
        return Verdict(MailState.DUPLICATE, f"It is the same as message {known.id}, {_BECAME[known.state]}.", ticket)
    if incoming.is_released or not incoming.message.message_id:
        return None
    other = _first(incoming, InboundMessage.message_id == incoming.message.message_id, FILED)
    if other is None:
        return None
    reason = f"It has the Message-ID of message {other.id}, but another sender or date. It may be forged."
    return Verdict(MailState.SUSPENDED, reason)


def take_turns(incoming: Incoming) -> None:
    """Of two at once that may be the same, let one wait until the other is committed. Locks are taken in one order."""
    names = (incoming.message.message_id, incoming.message.fingerprint)
    keys = sorted(_key(name) for name in names if name)
    incoming.session.execute(select(*(func.pg_advisory_xact_lock(literal(key, BigInteger)) for key in keys)))


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"mail:{name}".encode()).digest()[:8], "big", signed=True)


def _is_same(message: InboundMessage) -> ColumnElement[bool]:
    wrote_same = InboundMessage.fingerprint == message.fingerprint
    if not message.message_id or not message.sender:
        return wrote_same
    is_senders = and_(
        InboundMessage.message_id == message.message_id,
        func.lower(InboundMessage.sender) == func.lower(message.sender),
        InboundMessage.sent_at.is_not_distinct_from(message.sent_at),
    )
    return or_(wrote_same, is_senders)


def _first(incoming: Incoming, condition: ColumnElement[bool], states: tuple[MailState, ...]) -> InboundMessage | None:
    """Return the one that is in a ticket, else the first one."""
    others = InboundMessage.id != incoming.message.id, InboundMessage.state.in_(states)
    in_ticket = InboundMessage.state.in_(FILED).desc()
    statement = select(InboundMessage).where(condition, *others).order_by(in_ticket, InboundMessage.id)
    return incoming.session.scalars(statement.limit(1)).first()
