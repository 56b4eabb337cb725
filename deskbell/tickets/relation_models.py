"""Tables of what a ticket has to do with: who gets copies of its answers, and other tickets."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, CreatedAt, Id, Str255, enum_column
from deskbell.tickets.models import TICKET_VISIBLE


class TicketCopy(Base):
    """Somebody who gets a copy of each answer by mail (Cc), and may write into the ticket by mail."""

    __tablename__ = "ticket_copies"
    __table_args__ = (
        Index("uq_ticket_copies_ticket_id_email", "ticket_id", func.lower(text("email")), unique=True),
        Index("ix_ticket_copies_email", func.lower(text("email"))),
        CheckConstraint("email = btrim(email) and position('@' in email) > 1", name="email_form"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("agent admin system", "select insert delete"),
                    Allow("readonly", "select"),
                    Allow("customer", "select", TICKET_VISIBLE),
                ),
            }
        },
    )

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    email: Mapped[Str255]
    name: Mapped[Str255]
    created_at: Mapped[CreatedAt]


class TicketLinkKind(StrEnum):
    """What one ticket is to the other."""

    RELATED = "related"
    FOLLOW_UP = "follow_up"


class TicketLink(Base):
    """Two tickets have to do with each other: `ticket_id` is the follow-up, or the younger one, of `other_id`."""

    __tablename__ = "ticket_links"
    __table_args__ = (
        Index("uq_ticket_links_ticket_id_other_id", "ticket_id", "other_id", unique=True),
        Index("ix_ticket_links_other_id", "other_id"),
        CheckConstraint("ticket_id > other_id", name="order"),
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

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[TicketLinkKind] = mapped_column(
        enum_column(TicketLinkKind, "kind"), server_default=TicketLinkKind.RELATED.value
    )
    created_at: Mapped[CreatedAt]
