"""Entries of the audit log."""

from datetime import datetime
from typing import Any, Self

from pydantic import ConfigDict, Field

from deskbell.web.schemas.base import EXAMPLE_TIME, Output


class ChangeOut(Output):
    """One change to one row.

    `changes` of an UPDATE is `{column: [old, new]}`, of a DELETE the whole row, of a CREATE usually null. Secrets are
    recorded as changed, never with their values.
    """

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[90210])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    operation_id: int = Field(description="Changes of one act have the same.", examples=[815])
    user_id: int | None = Field(description="Null: the system.", examples=[7])
    user_name: str | None = Field(examples=["Alex Agent"])
    channel: str = Field(examples=["api"])
    cause: str = Field(description="Why it happened when no person asked for it.", examples=[""])
    act: str | None = Field(examples=["PATCH /api/v1/tickets/{number}"])
    table_name: str = Field(examples=["tickets"])
    record_id: int = Field(examples=[1042])
    action: str = Field(examples=["UPDATE"])
    changes: dict[str, Any] | None = Field(examples=[{"status": ["open", "resolved"]}])

    @classmethod
    def of(cls, row: object) -> Self:
        """Present a row of `deskbell.audit.queries`."""
        return cls.model_validate(row)
