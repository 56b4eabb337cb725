"""The inbound ledger of mail."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, ConfigDict, Field

from deskbell.mail.inbound.models import MailState
from deskbell.web.schemas.base import BIGGEST, EXAMPLE_TIME, Input, Output, Text


class DeliveredOut(Output):
    """A message is in the ledger. What becomes of it `GET /mail/messages/{id}` says in a moment."""

    id: int = Field(examples=[4711])
    state: MailState = Field(examples=["received"])
    is_known: bool = Field(description="The very same bytes were here already.", examples=[False])


class ArrivalOut(Output):
    """One delivery of a message; it may come by several ways, or again."""

    model_config = ConfigDict(from_attributes=True)

    source: str = Field(examples=["lmtp from 127.0.0.1"])
    mailbox_id: int | None = Field(examples=[1])
    envelope_from: str | None = Field(
        description="Who the server said it is from, empty for a bounce.", examples=["kim@example.org"]
    )
    envelope_to: list[str] = Field(examples=[["help@example.org"]])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])


class MailSummary(Output):
    """A message and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[4711])
    state: MailState = Field(examples=["suspended"])
    reason: str = Field(description="Why it is in this state.", examples=["The sender takes no part in DB-1042."])
    ticket: str | None = Field(description="The ticket it is in, or claims to answer.", examples=["DB-1042"])
    comment_id: int | None = Field(examples=[90])
    mailbox_id: int | None = Field(examples=[1])
    sender: str | None = Field(examples=["kim@example.org"])
    subject: str | None = Field(examples=["My card has not arrived"])
    message_id: str | None = Field(examples=["20261122.1@example.org"])
    source: str = Field(description="How it came first.", examples=["lmtp from 127.0.0.1"])
    size: int = Field(description="Bytes.", examples=[2048])
    sent_at: datetime | None = Field(description="As its Date field says.", examples=[EXAMPLE_TIME])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    filed_at: datetime | None = Field(examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - of `ledger_entries`
        """Present a message with the number of its ticket."""
        return cls.model_validate({**_columns(cls, row.InboundMessage), "ticket": row.ticket_number})


class MailDetails(MailSummary):
    """All that is known of a message but its bytes."""

    sha256: str = Field(description="Of the bytes.", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d"])
    defects: list[str] = Field(description="What is wrong with how it is written.", examples=[[]])
    bounced_id: int | None = Field(description="The message of ours that it reports on.", examples=[None])
    released_by_id: int | None = Field(description="Who let it in.", examples=[None])
    arrivals: list[ArrivalOut]

    @classmethod
    def complete(cls, row: Any, arrivals: list[Any]) -> Self:  # noqa: ANN401 - of `ledger_entries`
        """Present a message with the ways by which it came."""
        came = [ArrivalOut.model_validate(each) for each in arrivals]
        return cls.model_validate({**_columns(cls, row.InboundMessage), "ticket": row.ticket_number, "arrivals": came})


class RejectIn(Input):
    """Turn a message away."""

    why: Annotated[Text, Field(max_length=500)] = Field("", examples=["Advertising"])


class ReplayIn(Input):
    """Which messages are to be read and filed again: those in a state, of a mailbox or since a time."""

    state: MailState = Field(examples=["failed"])
    mailbox_id: Annotated[int, Field(strict=True, ge=1, le=BIGGEST)] | None = Field(None, examples=[1])
    since: AwareDatetime | None = Field(None, examples=[EXAMPLE_TIME])


class ReplayedOut(Output):
    """How many messages will be read again."""

    count: int = Field(examples=[12])


def _columns(model: type[MailSummary], message: object) -> dict[str, Any]:
    return {name: getattr(message, name) for name in model.model_fields if name not in {"ticket", "arrivals"}}
