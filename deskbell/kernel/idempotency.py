"""Answers to requests that carried an `Idempotency-Key`, so that a repeated request gets the first answer again."""

from typing import Any

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import OWN_ROWS, Allow
from deskbell.kernel.orm import Base, CreatedAt, Id


class IdempotencyKey(Base):
    """One answered request of one actor. Written in the transaction of the request itself: both happen, or neither."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("uq_idempotency_keys_user_id_key", "user_id", "key", unique=True),
        Index("ix_idempotency_keys_created_at", "created_at"),
        {
            "info": {
                "audit": "a copy of an answer, kept for a day",
                "access": (
                    Allow("customer agent admin", "select insert update", OWN_ROWS),
                    Allow("system", "select delete"),
                ),
            }
        },
    )

    id: Mapped[Id]
    user_id: Mapped[int]
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]
