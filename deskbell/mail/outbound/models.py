"""The outbox: every message that was or is to be sent, with what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import OWN_ROWS, Allow
from deskbell.kernel.orm import CLOCK, Base, CreatedAt, Id, Str255, UpdatedAt, enum_column

TEXTS = ("text", "html")
"""They hold links that let somebody in: the system alone reads them."""
_NOTICE = ("kind", "user_id", "ticket_id", "comment_id", "copy_id")
_NOTICE_KINDS = "kind in ('received', 'answered', 'opened', 'replied', 'assigned', 'mentioned', 'undelivered')"
_ABOUT_OWN_TICKET = (
    "copy_id is null and kind = 'received' and user_id = (select deskbell_actor()) and comment_id is null"
    " and exists (select from tickets t where t.id = ticket_id and t.creator_id = (select deskbell_actor()))"
)
"""Of agents a customer knows nothing, so a job tells them; a customer adds but the acknowledgement of their request."""


class OutboundKind(StrEnum):
    """Why a message is sent."""

    CONFIRM = "confirm"
    KNOWN = "known"
    RESET = "reset"
    LOG_IN = "log_in"
    RECEIVED = "received"
    ANSWERED = "answered"
    OPENED = "opened"
    REPLIED = "replied"
    ASSIGNED = "assigned"
    MENTIONED = "mentioned"
    UNDELIVERED = "undelivered"

    @property
    def is_notice(self) -> bool:
        """Whether it tells of a ticket; the others let somebody in."""
        return self in NOTICES

    @property
    def is_for_desk(self) -> bool:
        """Whether it tells agents."""
        return self in DESK_NOTICES


DESK_NOTICES: Final = frozenset(
    {
        OutboundKind.OPENED,
        OutboundKind.REPLIED,
        OutboundKind.ASSIGNED,
        OutboundKind.MENTIONED,
        OutboundKind.UNDELIVERED,
    }
)
NOTICES: Final = DESK_NOTICES | {OutboundKind.RECEIVED, OutboundKind.ANSWERED}


class OutboundState(StrEnum):
    """How far a message is. In `sending` it is being handed over, or whoever did that has died.

    `sent` is what a server took; `bounced` came back after that. `dropped` was not to be sent any more.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    BOUNCED = "bounced"
    FAILED = "failed"
    DROPPED = "dropped"


class OutboundMessage(Base):
    """One message to one address.

    A notice is written as kind and ids, in the transaction of what it tells, and its words by the job that sends it: so
    whoever answers, or asks, can neither choose an address nor put words into our mouth. It goes to `user_id`, or to
    the copy of the ticket that `copy_id` is; `copies` are the addresses that its header names, To first, empty where
    that is `recipient` alone. `reason` has what the server said, or why the message waits. `attempts` counts how often
    it was handed over, last at `handed_at`; `interrupted` says that one of these ended without a word. The words hold
    links that let somebody in, and are removed once they were sent.
    """

    __tablename__ = "outbound_messages"
    __table_args__ = (
        Index("uq_outbound_messages_message_id", "message_id", unique=True),
        Index("ix_outbound_messages_ticket_id", "ticket_id"),
        Index("ix_outbound_messages_comment_id", "comment_id"),
        Index("ix_outbound_messages_user_id", "user_id"),
        Index("ix_outbound_messages_state", "state", "id"),
        Index("ix_outbound_messages_copy_id", "copy_id"),
        Index("ix_outbound_messages_mailbox_id", "mailbox_id", "handed_at"),
        {
            "info": {
                "audit": "a ledger itself: each row says what was sent to whom, when, and what the server said",
                "access": (
                    Allow("system", "select insert update"),
                    Allow("agent admin readonly", "select", but=TEXTS),
                    Allow("agent admin", "insert", check=_NOTICE_KINDS, columns=_NOTICE),
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
    copy_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_copies.id", ondelete="SET NULL"))
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailboxes.id"))
    copies: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql("'{}'"))
    handed_at: Mapped[datetime | None]


class NoticeChoice(Base):
    """Whether somebody wants to be told of something by mail, where that is not what everybody gets."""

    __tablename__ = "notice_choices"
    __table_args__ = (
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system readonly", "select"),
                    Allow("agent admin", "select insert update", OWN_ROWS),
                ),
            }
        },
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    kind: Mapped[OutboundKind] = mapped_column(enum_column(OutboundKind, "kind"), primary_key=True)
    by_mail: Mapped[bool]


class LetterTemplate(Base):
    """The words of a kind of message in a language, where an administrator has chosen others than ours.

    Both are templates with a few names (see the reference of letters), `body` is Markdown.
    """

    __tablename__ = "letter_templates"
    __table_args__ = (
        Index("uq_letter_templates_kind_locale", "kind", "locale", unique=True),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system readonly", "select"),
                    Allow("admin", "select insert update delete"),
                ),
            }
        },
    )

    id: Mapped[Id]
    kind: Mapped[OutboundKind] = mapped_column(enum_column(OutboundKind, "kind"))
    locale: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[UpdatedAt]
