"""Taking mail in: the raw message is written down before anybody reads it."""

import hashlib

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from deskbell.mail.models import InboundMessage, MailState


def receive(session: Session, raw: bytes, *, source: str) -> int | None:
    """Write a message down and return its id; None when these very bytes are in the ledger already.

    The caller commits before it lets go of the message at its source, and files it in a transaction of its own.
    """
    row = {"raw": raw, "sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw), "source": source}
    statement = insert(InboundMessage).values(**row).on_conflict_do_nothing().returning(InboundMessage.id)
    return session.scalar(statement)


def unread() -> Select[int]:
    """Return the ids of the messages that nobody has filed yet, in the order in which they came."""
    return select(InboundMessage.id).where(InboundMessage.state == MailState.RECEIVED).order_by(InboundMessage.id)


def lock_unread(session: Session, message_id: int) -> InboundMessage | None:
    """Load a message in order to file it; None when it is filed, or somebody else is about to."""
    statement = (
        select(InboundMessage)
        .where(InboundMessage.id == message_id, InboundMessage.state == MailState.RECEIVED)
        .options(undefer(InboundMessage.raw))
        .with_for_update(skip_locked=True)
    )
    return session.scalar(statement)


def messages(state: MailState | None = None) -> Select[InboundMessage]:
    """Return the ledger, newest first."""
    statement = select(InboundMessage).order_by(InboundMessage.id.desc())
    return statement if state is None else statement.where(InboundMessage.state == state)
