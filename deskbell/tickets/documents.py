"""What a ticket is found by: a row with its lexemes and counts, kept by triggers on the ticket and its parts.

A table of its own, because a ticket's row changes often and its words seldom: each new version of a row costs an entry
in every index, and in the one of words a hundred.
"""

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, Id, Str100
from deskbell.tickets.models import TICKET_VISIBLE

FOLLOWS = "it follows from tickets, comments and attachments, which are recorded"


class SearchDocument(Base):
    """The words of a ticket: title and number (weight A), description (B), public comments and files (C), notes (D).

    `staff_vector` has the internal notes and their files as well, and is null where there are none: the desk searches
    `coalesce(staff_vector, public_vector)`. Customers can select neither it nor the counts that notes are part of.
    """

    __tablename__ = "search_documents"
    __table_args__ = (
        Index(
            "ix_search_documents_vector",
            func.coalesce(text("staff_vector"), text("public_vector")),
            postgresql_using="gin",
        ),
        Index("ix_search_documents_comment_count", "comment_count", postgresql_where=text("comment_count > 3")),
        {
            "info": {
                "audit": FOLLOWS,
                "access": (
                    Allow("agent admin system readonly", "select"),
                    Allow(
                        "customer",
                        "select",
                        TICKET_VISIBLE,
                        columns=("ticket_id", "public_vector", "public_comment_count", "public_attachment_count"),
                    ),
                ),
            }
        },
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    public_vector: Mapped[str] = mapped_column(TSVECTOR)
    staff_vector: Mapped[str | None] = mapped_column(TSVECTOR)
    comment_count: Mapped[int] = mapped_column(server_default=text("0"))
    public_comment_count: Mapped[int] = mapped_column(server_default=text("0"))
    attachment_count: Mapped[int] = mapped_column(server_default=text("0"))
    public_attachment_count: Mapped[int] = mapped_column(server_default=text("0"))


class SearchWord(Base):
    """A lexeme of some document, by which typing errors are corrected. May occur twice; see `deskbell_learn_words`.

    `weight` is in how many of the newest documents it stands, as of the last time these were counted.
    """

    __tablename__ = "search_words"
    __table_args__ = (
        Index("ix_search_words_word", "word"),
        Index("ix_search_words_likeness", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
        {
            "info": {
                "audit": FOLLOWS,
                "access": (Allow("agent admin system readonly", "select"),),
            }
        },
    )

    id: Mapped[Id]
    word: Mapped[Str100]
    weight: Mapped[int] = mapped_column(server_default=text("0"))
