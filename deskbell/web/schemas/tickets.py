"""Tickets, comments, tags and attachments."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from deskbell.accounts.models import Organization, Team
from deskbell.kernel.actor import Channel
from deskbell.tickets.models import Attachment, BodyFormat, Comment, Tag, Ticket, TicketPriority, TicketStatus
from deskbell.web.schemas.base import EXAMPLE_TIME, Flag, Id, Input, Output, Str500, Text, absent, loaded
from deskbell.web.schemas.people import Email, Name, PersonOut

MESSAGE_LENGTH = 500_000
"""Characters of a message sent to the API; mail may be longer."""

Message = Annotated[Text, Field(min_length=1, max_length=MESSAGE_LENGTH, examples=["My card has not arrived."])]
Format = Literal["text", "markdown"]


class Named(Output):
    """Something with an id and a name."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["Example Bank"])

    @classmethod
    def of(cls, thing: Organization | Team | None) -> Self | None:
        """Present it, or nothing."""
        return None if thing is None else cls(id=thing.id, name=thing.name)


class TagOut(Output):
    """A label for tickets. Customers are not shown any."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[9])
    name: str = Field(examples=["billing"])
    color: str = Field(examples=["#1d4ed8"])
    description: str = Field(examples=["Anything about money"])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, tag: Tag) -> Self:
        """Present a tag."""
        return cls.model_validate(tag)


class TagIn(Input):
    """A new tag."""

    name: Annotated[Text, Field(max_length=100, examples=["billing"])]
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#1d4ed8"])] = "#6b7280"
    description: Str500 = ""


class AttachmentOut(Output):
    """A file. `media_type` was found by looking into it; `content` is where to get it."""

    id: int = Field(examples=[12])
    comment_id: int | None = Field(description="Null: it came with the ticket's first message.", examples=[77])
    file_name: str = Field(examples=["card.png"])
    media_type: str = Field(examples=["image/png"])
    size: int = Field(description="Bytes.", examples=[48213])
    sha256: str = Field(examples=["9f2c" * 16])
    content_id: str | None = Field(description="Of an inline image in a mail.", examples=[None])
    uploaded_by_id: int = Field(examples=[42])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    content: str = Field(examples=["/api/v1/attachments/12/content"])

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        """Present an attachment."""
        names = cls.model_fields.keys() - {"content"}
        values = {name: getattr(attachment, name) for name in names}
        return cls(**values, content=f"/api/v1/attachments/{attachment.id}/content")


class CommentOut(Output):
    """A reply, or a note that only the desk sees. `content_html` is sanitised."""

    id: int = Field(examples=[77])
    author: PersonOut | None
    content: str = Field(examples=["It is on its way."])
    content_format: BodyFormat = Field(examples=["text"])
    content_html: str | None = Field(examples=[None])
    folded: str = Field(description="Quoted text and signature beneath it.", examples=[""])
    is_internal: bool
    channel: Channel = Field(examples=["api"])
    attachments: list[AttachmentOut]
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, comment: Comment) -> Self:
        """Present a comment with its writer and attachments."""
        return cls(
            id=comment.id,
            author=PersonOut.of(comment.writer),
            content=comment.content,
            content_format=comment.content_format,
            content_html=comment.content_html,
            folded=comment.folded,
            is_internal=comment.is_internal,
            channel=comment.channel,
            attachments=[AttachmentOut.of(attachment) for attachment in comment.attachments],
            created_at=comment.created_at,
            updated_at=comment.updated_at,
        )


class TicketSummary(Output):
    """A ticket as it stands in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[1042])
    ticket_number: str = Field(examples=["DB-1042"])
    title: str = Field(examples=["My card has not arrived."])
    status: TicketStatus = Field(examples=["open"])
    priority: TicketPriority = Field(examples=["medium"])
    channel: Channel = Field(examples=["mail"])
    version: int = Field(description="Moves with every change; see If-Match.", examples=[3])
    reopen_count: int = Field(examples=[0])
    requester: PersonOut | None
    assignee: PersonOut | None
    organization: Named | None
    team: Named | None = Field(description="Null for customers.")
    tags: list[TagOut] = Field(description="Empty for customers.")
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])
    due_at: datetime | None = Field(examples=[None])
    first_responded_at: datetime | None = Field(examples=[None])
    resolved_at: datetime | None = Field(examples=[None])
    deleted_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, ticket: Ticket) -> Self:
        """Present a ticket that was loaded with FOR_LIST or FOR_CUSTOMER_LIST."""
        return cls.model_validate(cls.facts(ticket))

    @classmethod
    def facts(cls, ticket: Ticket) -> dict[str, object]:
        """Collect the values of the fields."""
        related = {"requester", "assignee", "organization", "team", "tags"}
        no_tags: list[Tag] = []
        plain = {name: getattr(ticket, name) for name in TicketSummary.model_fields.keys() - related}
        return {
            **plain,
            "requester": PersonOut.of(ticket.requester),
            "assignee": PersonOut.of(ticket.agent),
            "organization": Named.of(ticket.organization),
            "team": Named.of(loaded(ticket, "team", None)),
            "tags": [TagOut.of(tag) for tag in loaded(ticket, "tags", no_tags)],
        }


class TicketOut(TicketSummary):
    """A ticket with its first message and its thread, oldest first."""

    description: str = Field(examples=["My card has not arrived. It was sent two weeks ago."])
    description_format: BodyFormat = Field(examples=["text"])
    description_html: str | None = Field(description="Sanitised.", examples=[None])
    description_folded: str = Field(description="Quoted text and signature beneath it.", examples=[""])
    attachments: list[AttachmentOut] = Field(description="Those of the first message; comments have their own.")
    comments: list[CommentOut]

    @classmethod
    def facts(cls, ticket: Ticket) -> dict[str, object]:
        """Collect the values of the fields of a ticket that was loaded with its thread."""
        return {
            **super().facts(ticket),
            "description": ticket.description,
            "description_format": ticket.description_format,
            "description_html": ticket.description_html,
            "description_folded": ticket.description_folded,
            "attachments": [AttachmentOut.of(found) for found in ticket.attachments if found.comment_id is None],
            "comments": [CommentOut.of(comment) for comment in ticket.comments],
        }


class TicketIn(Input):
    """A new ticket. Without a requester it is yours; an address that nobody has becomes a new customer."""

    description: Message
    description_format: Format = "text"
    title: Str500 = Field("", description="Taken from the message where it is missing.", examples=["Card"])
    priority: TicketPriority = TicketPriority.MEDIUM
    requester_id: Id | None = None
    requester_email: Email | None = None
    requester_name: Name = ""

    @model_validator(mode="after")
    def one_requester(self) -> Self:
        """Refuse an id and an address at once: they might differ."""
        if self.requester_id is not None and self.requester_email is not None:
            raise ValueError("send requester_id or requester_email, not both")
        return self


class TicketChange(Input):
    """What changes about a ticket; what is left out stays."""

    title: Annotated[Str500, Field(min_length=1, examples=["Card is late"])] = Field(default_factory=absent)
    status: TicketStatus = Field(default_factory=absent)
    priority: TicketPriority = Field(default_factory=absent)
    assignee_id: Id | None = Field(None, description="Null: nobody.")
    team_id: Id | None = Field(None, description="Null: no team.")


class CommentIn(Input):
    """A reply to the customer or from them, or an internal note."""

    content: Message
    content_format: Format = "text"
    is_internal: Flag = False
    status: TicketStatus = Field(default_factory=absent, description="Where the ticket stands then.")
    seen_comment_id: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(
        None, description="The newest comment that you have read, 0 for none: a newer one by somebody else is a 409."
    )
    seen_status: TicketStatus | None = Field(
        None, description="Where you saw the ticket stand: that somebody else moved it is a 409."
    )
    seen_copy_id: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(
        None, description="The highest id of those in copy that you saw, 0 for none: that somebody was added is a 409."
    )
