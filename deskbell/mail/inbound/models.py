"""The inbound ledger: every message that ever arrived, as it arrived, with what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, CreatedAt, Id, enum_column

DECIDED = ("state", "reason", "released_by_id")
"""What the desk says about a message: that it is to be read again, let in, or rejected."""


class MailState(StrEnum):
    """What became of a message. `received` says that nobody has read it yet; `suspended`, that somebody must decide."""

    RECEIVED = "received"
    TICKET = "ticket"
    COMMENT = "comment"
    DUPLICATE = "duplicate"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    FAILED = "failed"


class InboundMessage(Base):
    """One message. The raw bytes are committed before anything reads them, and never change.

    `fingerprint` is the same for the same message, whatever the way it came has added. `bounced_id` is the message of
    ours that a delivery report is about. `released_by_id` is who let a suspended message in: nothing suspends it again.
    """

    __tablename__ = "inbound_messages"
    __table_args__ = (
        Index("uq_inbound_messages_sha256", "sha256", unique=True),
        Index("ix_inbound_messages_message_id", "message_id", postgresql_using="hash"),  # may be long
        Index("ix_inbound_messages_ticket_id", "ticket_id"),
        Index("ix_inbound_messages_state", "state", "id"),
        Index("ix_inbound_messages_fingerprint", "fingerprint"),
        Index("ix_inbound_messages_mailbox_id", "mailbox_id", "id"),
        Index("ix_inbound_messages_sender", text("lower(sender)"), "created_at"),
        Index("ix_inbound_messages_comment_id", "comment_id"),
        Index("ix_inbound_messages_bounced_id", "bounced_id"),
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
                            "mailbox_id",
                            "fingerprint",
                            "bounced_id",
                        ),
                    ),
                    Allow("admin agent", "select"),
                    Allow("admin agent", "update", columns=DECIDED),
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
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailboxes.id"))
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    bounced_id: Mapped[int | None] = mapped_column(ForeignKey("outbound_messages.id"))
    released_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Arrival(Base):
    """One delivery of a message, by one source: the same message may come by several, or again.

    From IMAP it has `folder_id`, `uid_validity` and `uid`, from a mail server the envelope (RFC 5321): who it said it
    is from, empty for a bounce, and to whom it was to go. `is_delivered` is whether it came just now, rather than from
    files that somebody reads in.
    """

    __tablename__ = "inbound_arrivals"
    __table_args__ = (
        Index("ix_inbound_arrivals_inbound_id", "inbound_id"),
        Index("ix_inbound_arrivals_mailbox_id", "mailbox_id"),
        Index(
            "uq_inbound_arrivals_folder_id_uid_validity_uid",
            "folder_id",
            "uid_validity",
            "uid",
            unique=True,
            postgresql_where=text("folder_id is not null"),
        ),
        {
            "info": {
                "audit": "a ledger itself: rows are only added, each says when what came from where",
                "access": (
                    Allow("system", "select insert"),
                    Allow("admin agent readonly", "select"),
                ),
            }
        },
    )

    id: Mapped[Id]
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound_messages.id"))
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailboxes.id"))
    folder_id: Mapped[int | None] = mapped_column(ForeignKey("mailbox_folders.id"))
    uid_validity: Mapped[int | None]
    uid: Mapped[int | None]
    source: Mapped[str] = mapped_column(Text)
    envelope_from: Mapped[str | None] = mapped_column(Text)
    envelope_to: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    is_delivered: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[CreatedAt]
