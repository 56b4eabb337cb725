"""Tables of who looks at a ticket just now, and of who has seen what."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import OWN_ROWS, Allow
from deskbell.kernel.orm import Base, CreatedAt, enum_column


class Doing(StrEnum):
    """What somebody does with a ticket."""

    VIEWING = "viewing"
    TYPING = "typing"


class TicketPresence(Base):
    """Somebody has a ticket open. True for seconds after `at`, then for nobody's eyes.

    Unlogged: after a crash of the server it is empty, and right again with the next heartbeat. Without foreign keys,
    which would lock and so write the ticket, in a table that is written all day long.
    """

    __tablename__ = "ticket_presence"
    __table_args__ = (
        {
            "prefixes": ["UNLOGGED"],
            "postgresql_with": {"fillfactor": 50},
            "info": {
                "audit": "it is over in seconds and changes nothing; who opened a ticket is in the access log",
                "access": (
                    Allow("agent admin", "select"),
                    Allow("agent admin", "insert update delete", OWN_ROWS),
                    Allow("system", "select"),
                ),
            },
        },
    )

    ticket_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    doing: Mapped[Doing] = mapped_column(enum_column(Doing, "doing"))
    at: Mapped[CreatedAt]


class TicketRead(Base):
    """Somebody of the desk has seen a ticket up to a version; what they change themselves as well, by a trigger."""

    __tablename__ = "ticket_reads"
    __table_args__ = (
        Index("ix_ticket_reads_ticket_id", "ticket_id"),
        {
            "info": {
                "audit": "a mark for its owner's eyes, which comes with every look; looks are in the access log",
                "access": (
                    Allow("agent admin", "select insert update delete", OWN_ROWS),
                    Allow("system", "select"),  # nobody's eyes: to it every ticket is unread
                ),
            },
        },
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    seen_at: Mapped[datetime]
