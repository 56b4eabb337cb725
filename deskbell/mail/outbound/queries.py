"""Asking the outbox."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.arrays import in_array
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.tickets.relation_models import TicketCopy

WAITING = (OutboundState.QUEUED, OutboundState.SENDING)
OVER: Final = frozenset({OutboundState.SENT, OutboundState.BOUNCED, OutboundState.FAILED, OutboundState.DROPPED})
"""States in which nothing more happens by itself, but that what was sent may come back."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far an answer is on its way to one address. `words` are the server's, or why it waits; `at` is since when."""

    id: int
    recipient: str
    state: OutboundState
    words: str
    at: datetime

    @property
    def can_be_resent(self) -> bool:
        """Whether it can be sent once more."""
        return self.state in OVER


def messages(state: OutboundState | None = None) -> Select[OutboundMessage]:
    """Return the outbox, newest first."""
    statement = select(OutboundMessage).order_by(OutboundMessage.id.desc())
    return statement if state is None else statement.where(OutboundMessage.state == state)


def lock_message(session: Session, message_id: int) -> OutboundMessage | None:
    """Load a message in order to change it."""
    statement = select(OutboundMessage).where(OutboundMessage.id == message_id)
    return session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def overdue(before: datetime, since: datetime, *, with_server: bool = True) -> Select[int]:
    """Return the ids of messages written after `since` that were to be sent before `before`, oldest first.

    Those that wait for a server are among them where the desk has one, or their mailbox.
    """
    its_mailbox = exists().where(Mailbox.id == OutboundMessage.mailbox_id, Mailbox.smtp_host != "")
    for_server = OutboundMessage.next_attempt_at.is_(None)
    due = or_(for_server if with_server else for_server & its_mailbox, OutboundMessage.next_attempt_at < before)
    statement = select(OutboundMessage.id).where(OutboundMessage.state.in_(WAITING), due)
    return statement.where(OutboundMessage.created_at > since).order_by(OutboundMessage.id)


def deliveries_of(session: Session, comment_ids: Iterable[int]) -> Mapping[int, list[Delivery]]:
    """Return how the answers that these comments are went out, by comment: for each address its latest message.

    One statement, for the desk alone. A comment that was sent to nobody is not among them.
    """
    it = OutboundMessage
    theirs = _sent(OutboundKind.ANSWERED).where(in_array(it.__table__.c.comment_id, comment_ids))
    found: dict[int, dict[str, Delivery]] = {}
    for row in session.execute(theirs):
        found.setdefault(row.comment_id, {})[row.recipient.lower()] = _delivery(row)
    return {comment_id: list(latest.values()) for comment_id, latest in found.items()}


def acknowledgement_of(session: Session, ticket_id: int) -> Delivery | None:
    """Return how the last message went out that told of a ticket's number; None where there was none."""
    newest = _sent(OutboundKind.RECEIVED).where(OutboundMessage.ticket_id == ticket_id).order_by(None)
    row = session.execute(newest.order_by(OutboundMessage.id.desc()).limit(1)).one_or_none()
    return None if row is None else _delivery(row)


def _delivery(row: Row[*tuple[Any, ...]]) -> Delivery:
    return Delivery(row.id, row.recipient, row.state, row.reason, row.at)


def _sent(kind: OutboundKind) -> Select[int | None, int, str, OutboundState, str, datetime]:
    """Select the comment that a message is about, and how it went out, oldest first."""
    it = OutboundMessage
    to = func.coalesce(func.nullif(it.recipient, ""), TicketCopy.email, User.email, "")
    at = func.coalesce(it.sent_at, it.handed_at, it.created_at)
    return (
        select(it.comment_id, it.id, to.label("recipient"), it.state, it.reason, at.label("at"))
        .outerjoin(TicketCopy, TicketCopy.id == it.copy_id)
        .outerjoin(User, User.id == it.user_id)
        .where(it.kind == kind)
        .order_by(it.id)
    )
