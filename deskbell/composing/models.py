"""Tables of drafts with their files, and of who is mentioned where."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from deskbell.kernel.access import OWN_ROWS, Allow
from deskbell.kernel.orm import Base, CreatedAt, Id, Str255, enum_column
from deskbell.tickets.models import TicketStatus

OWN_DRAFT = "exists (select from drafts d where d.id = draft_id)"
"""A policy's subquery is itself under row security, so this means: a draft of the actor's own."""


class Draft(Base):
    """What somebody writes to a ticket, and where `send_at` is set, a message on its way that can be called back.

    Of each kind a person has one for a ticket. `revision` moves with every saving, so that two windows know of each
    other. `problem` says why it came back instead of being sent. Nobody but the writer reads it, administrators
    included; the system knows whose it is and when to send it, and becomes the writer for that.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        Index(
            "uq_drafts_user_id_ticket_id", "user_id", "ticket_id", unique=True, postgresql_where=text("send_at is null")
        ),
        Index(
            "uq_drafts_user_id_ticket_id_sending",
            "user_id",
            "ticket_id",
            unique=True,
            postgresql_where=text("send_at is not null"),
        ),
        Index("ix_drafts_ticket_id", "ticket_id"),
        Index("ix_drafts_send_at", "send_at", postgresql_where=text("send_at is not null")),
        CheckConstraint("revision > 0", name="revision"),
        {
            "info": {
                "audit": "it changes with every key and is its writer's alone: what is sent is a comment, in the log",
                "access": (
                    Allow("agent admin", "select insert update delete", OWN_ROWS),
                    Allow("system", "select", columns=("id", "user_id", "ticket_id", "send_at")),
                ),
            }
        },
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    content: Mapped[str] = mapped_column(Text, server_default="")
    is_internal: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[TicketStatus | None] = mapped_column(enum_column(TicketStatus, "status"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    problem: Mapped[str] = mapped_column(Text, server_default="")
    send_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    saved_at: Mapped[CreatedAt]

    files: Mapped[list["DraftFile"]] = relationship(lazy="raise", passive_deletes="all", order_by="DraftFile.id")


class DraftFile(Base):
    """A file that goes with a draft. Its bytes lie in the attachment storage, as those of an attachment."""

    __tablename__ = "draft_files"
    __table_args__ = (
        Index("ix_draft_files_draft_id", "draft_id"),
        Index("ix_draft_files_storage_key", "storage_key"),
        {
            "info": {
                "audit": "as its draft: what is sent is an attachment, in the log",
                "access": (
                    Allow("agent admin", "select insert update delete", OWN_DRAFT),
                    Allow("system", "select", columns=("storage_key",)),
                ),
            }
        },
    )

    id: Mapped[Id]
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"))
    file_name: Mapped[Str255]
    media_type: Mapped[Str255]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[Str255]
    created_at: Mapped[CreatedAt]


class Mention(Base):
    """Somebody of the desk is mentioned in a comment, as `@name`."""

    __tablename__ = "mentions"
    __table_args__ = (
        Index("ix_mentions_user_id", "user_id", "ticket_id"),
        ForeignKeyConstraint(["comment_id", "ticket_id"], ["comments.id", "comments.ticket_id"]),
        {
            "info": {
                "audit": "it is read from the text of its comment, which is in the log",
                "access": (
                    Allow("agent admin system", "select insert"),
                    Allow("readonly", "select"),
                ),
            }
        },
    )

    comment_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    ticket_id: Mapped[int]
