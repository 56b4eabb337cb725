"""The inbound ledger: every message that ever arrived, as it arrived, with what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, CreatedAt, Id, enum_column


class MailState(StrEnum):
    """What became of a message. Only `received` is not final: it says that nobody has read it yet."""

    RECEIVED = "received"
    TICKET = "ticket"
    COMMENT = "comment"
    DUPLICATE = "duplicate"
    AUTOMATIC = "automatic"
    SUSPENDED = "suspended"
    FAILED = "failed"


class InboundMessage(Base):
    """One message. The raw bytes are committed before anything reads them, and never change."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        Index("uq_inbound_messages_sha256", "sha256", unique=True),
        Index("ix_inbound_messages_message_id", "message_id", postgresql_using="hash"),  # may be long
        Index("ix_inbound_messages_ticket_id", "ticket_id"),
        Index("ix_inbound_messages_state", "state", "id"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system", "select insert"),
                    Allow(
                        "system",
                        "update",
                        columns=(
                            "state",
                            "reason",
                            "message_id",
                            "sender",
                            "subject",
                            "sent_at",
                            "ticket_id",
                            "comment_id",
                            "defects",
                            "filed_at",
                        ),
                    ),
                    Allow("admin", "select"),
                    Allow("readonly", "select", but=("raw",)),
                ),
            }
        },
    )

    id: Mapped[Id]
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True, info={"audit": "large"})
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    source: Mapped[str] = mapped_column(Text)
    state: Mapped[MailState] = mapped_column(enum_column(MailState, "state"), server_default=MailState.RECEIVED.value)
    reason: Mapped[str] = mapped_column(Text, server_default="")
    message_id: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None]
    defects: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    created_at: Mapped[CreatedAt]
    filed_at: Mapped[datetime | None]
