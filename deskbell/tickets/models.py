"""Tables of tickets, comments, attachments and tags."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, FetchedValue, ForeignKey, ForeignKeyConstraint, Index, String, Text, func, text
from sqlalchemy.orm import Mapped, backref, mapped_column, relationship

from deskbell.accounts.models import Organization, Person, Team, User
from deskbell.kernel.access import Allow
from deskbell.kernel.actor import Channel
from deskbell.kernel.orm import Base, CreatedAt, Id, Str50, Str100, Str255, Str500, UpdatedAt, enum_column
from deskbell.tickets.derived import DerivedFromTimes

NOT_DELETED = text("deleted_at is null")
UNRESOLVED = text("deleted_at is null and resolved_at is null")
RESOLVED = text("deleted_at is null and resolved_at is not null")

VISIBLE_TO_CUSTOMER = (
    "deleted_at is null and (creator_id = (select deskbell_actor())"
    " or organization_id = (select deskbell_shared_organization()))"
)
TICKET_VISIBLE = "exists (select from tickets t where t.id = ticket_id)"
"""A policy's subquery is itself under row security, so this means: a ticket that the actor may see."""
NOT_BY_CUSTOMERS = (*("ticket_number", "version", "reopen_count", "resolved_at", "created_at", "updated_at"),)
"""A number of their choice would tell a customer, by the unique index, that a hidden ticket has it."""
COMMENT_VISIBLE = "(comment_id is null or exists (select from comments c where c.id = comment_id))"


class TicketStatus(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING_ON_CUSTOMER = "waiting_on_customer"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be done."""
        return self in {TicketStatus.RESOLVED, TicketStatus.CLOSED}


class TicketPriority(StrEnum):
    """How urgent a ticket is, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class BodyFormat(StrEnum):
    """How the source text of a message is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


class Ticket(DerivedFromTimes, Base):
    """A customer's request and its first message.

    `version`, `updated_at`, `resolved_at` and `reopen_count` are kept by a trigger, so that bulk statements and raw SQL
    cannot get them wrong. `description_folded` is the quoted text and signature that came with the first message.
    `requester` and `agent` are `creator` and `assignee` as the actor may see them: to be shown.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        Index("uq_tickets_ticket_number", "ticket_number", unique=True),
        Index("ix_tickets_updated_at", "updated_at", "id", postgresql_where=NOT_DELETED),
        Index("ix_tickets_created_at", "created_at", "id", postgresql_where=NOT_DELETED),
        Index("ix_tickets_status", "status", "updated_at", "id", postgresql_where=NOT_DELETED),
        Index("ix_tickets_assignee_id", "assignee_id", "status", "updated_at", "id", postgresql_where=NOT_DELETED),
        Index("ix_tickets_assignee_id_updated_at", "assignee_id", "updated_at", "id", postgresql_where=NOT_DELETED),
        Index("ix_tickets_team_id", "team_id", "status", "updated_at", "id", postgresql_where=NOT_DELETED),
        Index("ix_tickets_team_id_updated_at", "team_id", "updated_at", "id", postgresql_where=NOT_DELETED),
        Index(
            "ix_tickets_priority",
            func.deskbell_priority_rank(text("priority")),
            "updated_at",
            "id",
            postgresql_include=["priority"],
            postgresql_where=NOT_DELETED,
        ),
        Index("ix_tickets_due_at", "due_at", "id", postgresql_where=text("due_at is not null and deleted_at is null")),
        Index("ix_tickets_deleted", "updated_at", "id", postgresql_where=text("deleted_at is not null")),
        Index("ix_tickets_creator_id", "creator_id", "updated_at", "id"),
        Index("ix_tickets_organization_id", "organization_id", "updated_at", "id"),
        Index("ix_tickets_unresolved", "created_at", "id", postgresql_where=UNRESOLVED),
        Index("ix_tickets_resolved_at", "resolved_at", postgresql_where=RESOLVED),
        CheckConstraint("(status in ('resolved', 'closed')) = (resolved_at is not null)", name="resolved_at"),
        CheckConstraint("version > 0 and reopen_count >= 0", name="counts"),
        CheckConstraint(
            "isfinite(created_at) and isfinite(updated_at) and isfinite(due_at) and isfinite(first_responded_at)"
            " and isfinite(resolved_at) and isfinite(deleted_at)",
            name="times",
        ),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("agent admin system", "select insert update"),
                    Allow("readonly", "select"),
                    Allow("customer", "select", VISIBLE_TO_CUSTOMER),
                    Allow(
                        "customer",
                        "insert",
                        check="creator_id = (select deskbell_actor()) and assignee_id is null and team_id is null"
                        " and due_at is null and first_responded_at is null and deleted_at is null"
                        " and (organization_id is null or organization_id = (select deskbell_organization()))",
                        but=NOT_BY_CUSTOMERS,
                    ),
                    Allow("customer", "update", VISIBLE_TO_CUSTOMER, columns=("status",)),
                ),
            }
        },
    )
    id: Mapped[Id]
    ticket_number: Mapped[Str50] = mapped_column(String(50), server_default=text("deskbell_next_ticket_number()"))
    title: Mapped[Str500]
    description: Mapped[str] = mapped_column(Text, server_default="")
    description_format: Mapped[BodyFormat] = mapped_column(
        enum_column(BodyFormat, "description_format"), server_default=BodyFormat.TEXT.value
    )
    description_html: Mapped[str | None] = mapped_column(Text)
    description_folded: Mapped[str] = mapped_column(Text, server_default="")
    status: Mapped[TicketStatus] = mapped_column(
        enum_column(TicketStatus, "status"), server_default=TicketStatus.OPEN.value
    )
    priority: Mapped[TicketPriority] = mapped_column(
        enum_column(TicketPriority, "priority"), server_default=TicketPriority.MEDIUM.value
    )
    channel: Mapped[Channel] = mapped_column(enum_column(Channel, "channel"), server_default=Channel.SQL.value)
    creator_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    version: Mapped[int] = mapped_column(
        server_default=text("1"), server_onupdate=FetchedValue(), info={"audit": "derived"}
    )
    __mapper_args__ = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        "version_id_col": version,
        "version_id_generator": False,
        "eager_defaults": True,
    }
    reopen_count: Mapped[int] = mapped_column(server_default=text("0"), server_onupdate=FetchedValue())
    due_at: Mapped[datetime | None]
    first_responded_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None] = mapped_column(server_default=FetchedValue(), server_onupdate=FetchedValue())
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    creator: Mapped[User] = relationship(
        foreign_keys=[creator_id], lazy="raise", backref=backref("tickets_created", lazy="raise", passive_deletes="all")
    )
    assignee: Mapped[User | None] = relationship(
        foreign_keys=[assignee_id],
        lazy="raise",
        backref=backref("tickets_assigned", lazy="raise", passive_deletes="all"),
    )
    requester: Mapped[Person | None] = relationship(
        primaryjoin="foreign(Ticket.creator_id) == Person.id", lazy="raise", viewonly=True
    )
    agent: Mapped[Person | None] = relationship(
        primaryjoin="foreign(Ticket.assignee_id) == Person.id", lazy="raise", viewonly=True
    )
    organization: Mapped[Organization | None] = relationship(lazy="raise")
    team: Mapped[Team | None] = relationship(lazy="raise")
    comments: Mapped[list["Comment"]] = relationship(
        back_populates="ticket", lazy="raise", passive_deletes="all", order_by="(Comment.created_at, Comment.id)"
    )
    attachments: Mapped[list["Attachment"]] = relationship(
        back_populates="ticket", lazy="raise", passive_deletes="all", order_by="Attachment.id"
    )
    tags: Mapped[list["Tag"]] = relationship(secondary="ticket_tags", lazy="raise", order_by="Tag.name", viewonly=True)

    @property
    def priority_rank(self) -> int:
        """How urgent it is as a number, from 1: what `deskbell_priority_rank` returns, by which lists are sorted."""
        return list(TicketPriority).index(self.priority) + 1


class Comment(Base):
    """A reply to the customer or from them, or a note that only the desk sees."""

    __tablename__ = "comments"
    __table_args__ = (
        Index("ix_comments_ticket_id", "ticket_id", "created_at", "id"),
        Index("ix_comments_author_id", "author_id"),
        Index("uq_comments_id_ticket_id", "id", "ticket_id", unique=True),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("agent admin system", "select insert update"),
                    Allow("readonly", "select"),
                    Allow("customer", "select", f"not is_internal and {TICKET_VISIBLE}"),
                    Allow(
                        "customer",
                        "insert",
                        check=f"not is_internal and author_id = (select deskbell_actor()) and {TICKET_VISIBLE}",
                    ),
                ),
            }
        },
    )

    id: Mapped[Id]
    content: Mapped[str] = mapped_column(Text)
    content_format: Mapped[BodyFormat] = mapped_column(
        enum_column(BodyFormat, "content_format"), server_default=BodyFormat.TEXT.value
    )
    content_html: Mapped[str | None] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text, server_default="")
    is_internal: Mapped[bool] = mapped_column(server_default=text("false"))
    channel: Mapped[Channel] = mapped_column(enum_column(Channel, "channel"), server_default=Channel.SQL.value)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    ticket: Mapped[Ticket] = relationship(back_populates="comments", lazy="raise")
    author: Mapped[User] = relationship(lazy="raise", backref=backref("comments", lazy="raise", passive_deletes="all"))
    writer: Mapped[Person | None] = relationship(
        primaryjoin="foreign(Comment.author_id) == Person.id", lazy="raise", viewonly=True
    )
    attachments: Mapped[list["Attachment"]] = relationship(
        primaryjoin="Comment.id == foreign(Attachment.comment_id)",
        back_populates="comment",
        lazy="raise",
        passive_deletes="all",
        order_by="Attachment.id",
    )


class Attachment(Base):
    """A file that came with a ticket's first message or with a comment. The bytes lie in the attachment storage."""

    __tablename__ = "attachments"
    __table_args__ = (
        Index("ix_attachments_ticket_id", "ticket_id", "id"),
        Index("ix_attachments_comment_id", "comment_id"),
        Index("ix_attachments_storage_key", "storage_key"),
        ForeignKeyConstraint(["comment_id", "ticket_id"], ["comments.id", "comments.ticket_id"]),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("agent admin system", "select insert"),
                    Allow("readonly", "select"),
                    Allow("customer", "select", f"{TICKET_VISIBLE} and {COMMENT_VISIBLE}"),
                    Allow(
                        "customer",
                        "insert",
                        check=f"uploaded_by_id = (select deskbell_actor()) and {TICKET_VISIBLE} and {COMMENT_VISIBLE}",
                    ),
                ),
            }
        },
    )

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    comment_id: Mapped[int | None]
    file_name: Mapped[Str255]
    media_type: Mapped[Str255]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[Str255]
    content_id: Mapped[str | None] = mapped_column(String(255))
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]

    ticket: Mapped[Ticket] = relationship(back_populates="attachments", lazy="raise")
    comment: Mapped[Comment | None] = relationship(
        primaryjoin="foreign(Attachment.comment_id) == Comment.id", back_populates="attachments", lazy="raise"
    )
    uploaded_by: Mapped[User] = relationship(lazy="raise")


class Tag(Base):
    """A label for tickets, for the desk's own use: customers do not see tags."""

    __tablename__ = "tags"
    __table_args__ = (
        Index("uq_tags_name", func.lower(text("name")), unique=True),
        CheckConstraint("color ~ '^#[0-9a-f]{6}$'", name="color"),
        CheckConstraint("name <> ''", name="name"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("admin system", "select insert update delete"),
                    Allow("agent", "select insert"),
                    Allow("readonly", "select"),
                ),
            }
        },
    )

    id: Mapped[Id]
    name: Mapped[Str100]
    color: Mapped[str] = mapped_column(String(7), server_default="#6b7280")
    description: Mapped[str] = mapped_column(String(500), server_default="")
    created_at: Mapped[CreatedAt]


class TicketTag(Base):
    """A ticket bears a tag."""

    __tablename__ = "ticket_tags"
    __table_args__ = (
        Index("ix_ticket_tags_tag_id", "tag_id", "ticket_id"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("agent admin system", "select insert delete"),
                    Allow("readonly", "select"),
                ),
            }
        },
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), primary_key=True)
    created_at: Mapped[CreatedAt]
