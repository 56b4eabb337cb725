"""Operations, the audit log and the access log. The application role can read them; it writes none of them itself."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import TIMESTAMP, BigInteger, Identity, Index, Integer, String, Text, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import CLOCK, Base, CreatedAt, Id

STAFF_READ = (Allow("agent admin system readonly", "select"),)

FORMER_TICKET = literal_column("coalesce(changes #>> '{ticket_id,0}', changes ->> 'ticket_id')", Text)
"""As text, the ticket that a comment or an attachment belonged to before it was deleted or moved."""
LEFT_A_TICKET = text("table_name in ('comments', 'attachments') and changes ? 'ticket_id'")
FORMER_ENDS = (literal_column("(changes ->> 'ticket_id')", Text), literal_column("(changes ->> 'other_id')", Text))
"""As text, the tickets of a copy or a link that was taken away; a copy has but the first one."""
TAKEN_AWAY = text("table_name in ('ticket_copies', 'ticket_links') and action = 'DELETE'")


class AuditAction(StrEnum):
    """What happened to a row."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    PRUNE = "PRUNE"
    """Of a log itself: a month of it was dropped. The record is the month, as 202511."""


class AccessKind(StrEnum):
    """What somebody read."""

    TICKET = "ticket"
    TICKETS = "ticket list"
    SEARCH = "search"
    COMPLETION = "completion"
    COMMENTS = "comments"
    HISTORY = "history"
    ATTACHMENT = "attachment"
    USER = "user"
    USERS = "user list"
    ORGANIZATION = "organization"
    ORGANIZATIONS = "organization list"
    MAIL = "mail"
    EXPORT = "export"
    AUDIT = "audit log"
    ACCESS = "access log"
    OTHER = "other"
    """Something that nobody has put into words yet; `act` says where."""
    LOST = "lost"
    """So many entries as `shown` says could not be kept before this one."""


class Operation(Base):
    """Everything that one actor changed in one act: usually one transaction, for bulk work several."""

    __tablename__ = "operations"
    __table_args__ = (
        Index("ix_operations_user_id", "user_id", "id"),
        {"info": {"access": STAFF_READ, "audit": "it is the audit log"}},
    )

    id: Mapped[Id]
    act: Mapped[str] = mapped_column(String(200), server_default="")
    user_id: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(32))
    cause: Mapped[str] = mapped_column(String(200), server_default="")
    created_at: Mapped[CreatedAt]


class AuditLog(Base):
    """One change to one row.

    `changes` of an UPDATE is `{column: [old, new]}` of what changed; of a DELETE the whole row; of a CREATE nothing, as
    the row has its values and older states are the row with later changes reversed. `record_id` is the first column of
    the key; where it has several, a CREATE and an UPDATE name the others too. Partitioned by month.
    """

    __tablename__ = "audit_logs"
    __table_args__ = (
        Index("ix_audit_logs_record", "table_name", "record_id", "id"),
        Index("ix_audit_logs_former_ticket", FORMER_TICKET, postgresql_where=LEFT_A_TICKET),
        Index("ix_audit_logs_former_ends", *FORMER_ENDS, postgresql_where=TAKEN_AWAY),
        Index(
            "ix_audit_logs_operation_id",
            "operation_id",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
        ),
        {
            "postgresql_partition_by": "range (created_at)",
            "info": {"access": STAFF_READ, "audit": "it is the audit log"},
        },
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=CLOCK, primary_key=True)
    operation_id: Mapped[int]
    user_id: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(32))
    cause: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    table_name: Mapped[str] = mapped_column(String(100))
    record_id: Mapped[int]
    action: Mapped[str] = mapped_column(String(50))
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class AccessLog(Base):
    """One reading of something: who, when, through what, and how many rows they were shown.

    `ticket_id` is known where it was one ticket or a part of it; `record_id` is of what `kind` says. `query` is what
    was asked of a list or a search. Written by `deskbell_record_access` alone, partitioned by month.
    """

    __tablename__ = "access_logs"
    __table_args__ = (
        Index("ix_access_logs_ticket_id", "ticket_id", "id", postgresql_where=text("ticket_id is not null")),
        Index("ix_access_logs_user_id", "user_id", "id"),
        {
            "postgresql_partition_by": "range (at)",
            "info": {
                "access": (Allow("admin system", "select"),),
                "audit": "it is a log itself, and nobody can change it",
            },
        },
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), primary_key=True)
    user_id: Mapped[int | None]
    token_id: Mapped[int | None]
    session_id: Mapped[int | None]
    role: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(32))
    act: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    ticket_id: Mapped[int | None]
    record_id: Mapped[int | None]
    query: Mapped[str] = mapped_column(String(500))
    shown: Mapped[int | None] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
