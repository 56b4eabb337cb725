"""The outbox: every message that was or is to be sent, with what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import CLOCK, Base, CreatedAt, Id, Str255, enum_column

TEXTS = ("text", "html")
"""They hold links that let somebody in: the system alone reads them."""
_NOTICE = ("kind", "user_id", "ticket_id", "comment_id")
_ABOUT_OWN_TICKET = (
    "kind = 'received' and user_id = (select deskbell_actor()) and comment_id is null"
    " and exists (select from tickets t where t.id = ticket_id and t.creator_id = (select deskbell_actor()))"
)


class OutboundKind(StrEnum):
    """Why a message is sent."""

    CONFIRM = "confirm"
    KNOWN = "known"
    RESET = "reset"
    LOG_IN = "log_in"
    RECEIVED = "received"
    ANSWERED = "answered"

    @property
    def is_notice(self) -> bool:
        """Whether it tells of a ticket; the others let somebody in."""
        return self in {OutboundKind.RECEIVED, OutboundKind.ANSWERED}


class OutboundState(StrEnum):
    """How far a message is. In `sending` it is being handed over, or whoever did that has died."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class OutboundMessage(Base):
    """One message to one address.

    A notice is written as kind and ids, in the transaction of what it tells, and its words by the job that sends it: so
    whoever answers, or asks, can neither choose an address nor put words into our mouth. `reason` has what the server
    said, or why the message waits. `attempts` counts how often it was handed over; `interrupted` says that one of these
    ended without a word. The words hold links that let somebody in, and are removed once they were sent.
    """

    __tablename__ = "outbound_messages"
    __table_args__ = (
        Index("uq_outbound_messages_message_id", "message_id", unique=True),
        Index("ix_outbound_messages_ticket_id", "ticket_id"),
        Index("ix_outbound_messages_comment_id", "comment_id"),
        Index("ix_outbound_messages_user_id", "user_id"),
        Index("ix_outbound_messages_state", "state", "id"),
        {
            "info": {
                "audit": "a ledger itself: each row says what was sent to whom, when, and what the server said",
                "access": (
                    Allow("system", "select insert update"),
                    Allow("agent admin readonly", "select", but=TEXTS),
                    Allow("agent admin", "insert", check="kind in ('received', 'answered')", columns=_NOTICE),
                    Allow("customer", "select", "user_id = (select deskbell_actor())", columns=("id", "user_id")),
                    Allow("customer", "insert", check=_ABOUT_OWN_TICKET, columns=_NOTICE),
                ),
            }
        },
    )

    id: Mapped[Id]
    kind: Mapped[OutboundKind] = mapped_column(enum_column(OutboundKind, "kind"))
    state: Mapped[OutboundState] = mapped_column(
        enum_column(OutboundState, "state"), server_default=OutboundState.QUEUED.value
    )
    reason: Mapped[str] = mapped_column(Text, server_default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    recipient: Mapped[Str255] = mapped_column(String(255), server_default="")
    subject: Mapped[str] = mapped_column(Text, server_default="")
    text: Mapped[str] = mapped_column(Text, server_default="")
    html: Mapped[str] = mapped_column(Text, server_default="")
    message_id: Mapped[str | None] = mapped_column(Text)
    in_reply_to: Mapped[str | None] = mapped_column(Text)
    thread: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql("'{}'"))
    reply_to: Mapped[str] = mapped_column(Text, server_default="")
    attempts: Mapped[int] = mapped_column(server_default=sql("0"))
    interrupted: Mapped[bool] = mapped_column(server_default=sql("false"))
    created_at: Mapped[CreatedAt]
    next_attempt_at: Mapped[datetime | None] = mapped_column(server_default=CLOCK)
    sent_at: Mapped[datetime | None]
