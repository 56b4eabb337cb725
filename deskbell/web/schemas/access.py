"""Entries of the access log."""

from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field

from deskbell.web.schemas.base import EXAMPLE_TIME, Output


class AccessOut(Output):
    """One reading of something: who, when, through what. What it was that they saw is not repeated."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[90210])
    at: datetime = Field(examples=[EXAMPLE_TIME])
    user_id: int | None = Field(description="Null: the system, at the command line.", examples=[7])
    user_name: str | None = Field(examples=["Alex Agent"])
    token_id: int | None = Field(description="The API token that was used.", examples=[3])
    session_id: int | None = Field(description="Or the browser's session.", examples=[None])
    role: str = Field(description="What they were then.", examples=["agent"])
    channel: str = Field(examples=["api"])
    act: str = Field(examples=["GET /api/v1/tickets/{number}"])
    kind: str = Field(description="What was read.", examples=["ticket"])
    ticket_id: int | None = Field(description="Where it was one ticket, or a part of it.", examples=[1042])
    ticket_number: str | None = Field(examples=["DB-1042"])
    record_id: int | None = Field(description="Of what `kind` says, where that is no ticket.", examples=[None])
    query: str = Field(description="What was asked of a list or a search.", examples=[""])
    shown: int | None = Field(description="How many rows they were shown, where it is known.", examples=[1])
    address: str = Field(description="Where they were, as the server saw it.", examples=["203.0.113.7"])
    request_id: str = Field(examples=["9f86d081884c7d65"])

    @classmethod
    def of(cls, row: object) -> Self:
        """Present a row of `deskbell.audit.access_queries`."""
        return cls.model_validate(row)
