"""The table of links that let somebody in who can read a mailbox."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, CreatedAt, Id, Str255, enum_column


class LinkPurpose(StrEnum):
    """What somebody asked a link for."""

    REGISTER = "register"
    RESET = "reset"
    LOG_IN = "log_in"


class SignInLink(Base):
    """A link that was sent to an address: good once, and not for long. Only the SHA-256 of its secret is kept.

    `user_id` is whose account it leads to; None where there is none yet.
    """

    __tablename__ = "sign_in_links"
    __table_args__ = (
        Index("uq_sign_in_links_token_hash", "token_hash", unique=True),
        Index("ix_sign_in_links_email", func.lower(text("email")), "created_at"),
        Index("ix_sign_in_links_user_id", "user_id"),
        Index("ix_sign_in_links_expires_at", "expires_at"),
        {
            "info": {
                "audit": "gone within two days; what a link leads to, an account, a password or a session, is recorded",
                "access": (Allow("system", "select insert update delete"),),
            }
        },
    )

    id: Mapped[Id]
    purpose: Mapped[LinkPurpose] = mapped_column(enum_column(LinkPurpose, "purpose"))
    email: Mapped[Str255]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    locale: Mapped[str] = mapped_column(server_default="en")
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), deferred=True, deferred_raiseload=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
