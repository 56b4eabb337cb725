"""What an import remembers, so that running it again adds nothing."""

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, CreatedAt, Id


class ImportedRow(Base):
    """A row of an imported file became a ticket. The key is a SHA-256 of what the row says and of which copy it is."""

    __tablename__ = "imported_rows"
    __table_args__ = (
        Index("uq_imported_rows_content_key", "content_key", unique=True),
        Index("ix_imported_rows_ticket_id", "ticket_id"),
        {
            "info": {
                "audit": "written once beside the ticket whose creation is recorded",
                "access": (Allow("admin system", "select insert"), Allow("readonly", "select")),
            }
        },
    )

    id: Mapped[Id]
    content_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    created_at: Mapped[CreatedAt]
