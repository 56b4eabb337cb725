"""Asking the ledger: lists for people, and how a message came."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from deskbell.kernel.text import clean
from deskbell.mail.inbound.models import Arrival, InboundMessage, MailState

FILED: Final = (MailState.TICKET, MailState.COMMENT)
"""What is in a ticket."""
COUNTED: Final = 10_000
"""Messages of a state are counted up to this number: counting all of a large ledger takes long."""


def messages(
    state: MailState | None = None,
    *,
    mailbox_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    words: str = "",
) -> Select[InboundMessage]:
    """Return the ledger, newest first, all of it or what fits.

    `words` is an address, a Message-ID with or without angle brackets, or a part of the subject or sender in any case.
    """
    statement = select(InboundMessage).order_by(InboundMessage.id.desc())
    if state is not None:
        statement = statement.where(InboundMessage.state == state)
    if mailbox_id is not None:
        statement = statement.where(came_to(mailbox_id))
    if since is not None:
        statement = statement.where(InboundMessage.created_at >= since)
    if until is not None:
        statement = statement.where(InboundMessage.created_at < until)
    return statement.where(_has(words)) if clean(words).strip() else statement


def came_to(mailbox_id: int) -> ColumnElement[bool]:
    """Return the condition that a message came to a mailbox; one that nobody has read yet is known by how it came."""
    arrived = select(Arrival.inbound_id).where(Arrival.mailbox_id == mailbox_id)
    return or_(InboundMessage.mailbox_id == mailbox_id, InboundMessage.id.in_(arrived))


def arrivals_of(session: Session, inbound_id: int) -> Sequence[Arrival]:
    """Return the ways by which a message came, the first one first."""
    return session.scalars(select(Arrival).where(Arrival.inbound_id == inbound_id).order_by(Arrival.id)).all()


def raw_of(session: Session, inbound_id: int, *, ticket_id: int | None = None) -> bytes | None:
    """Return a message as it came, byte by byte; with a ticket only one that has to do with that."""
    statement = select(InboundMessage.raw).where(InboundMessage.id == inbound_id)
    return session.scalar(statement if ticket_id is None else statement.where(InboundMessage.ticket_id == ticket_id))


def suspended_for(ticket_id: int) -> Select[InboundMessage]:
    """Return the messages that claim to belong to a ticket and wait for a decision, oldest first."""
    waiting = InboundMessage.ticket_id == ticket_id, InboundMessage.state == MailState.SUSPENDED
    return select(InboundMessage).where(*waiting).order_by(InboundMessage.id)


def counts_by_state(session: Session) -> dict[MailState, int]:
    """Return how many messages are in each state, each counted up to `COUNTED` + 1. One statement."""
    some = (
        select(func.count()).select_from(
            select(InboundMessage.id).where(InboundMessage.state == state).limit(COUNTED + 1).subquery()
        )
        for state in MailState
    )
    row = session.execute(select(*(each.scalar_subquery() for each in some))).one()
    return dict(zip(MailState, row, strict=True))


def _has(words: str) -> ColumnElement[bool]:
    wanted = clean(words).strip()
    is_sender = func.lower(InboundMessage.sender) == func.lower(wanted)
    is_id = InboundMessage.message_id == wanted.strip("<>")
    parts = (column.icontains(wanted, autoescape=True) for column in (InboundMessage.subject, InboundMessage.sender))
    return or_(is_sender, is_id, *parts)
