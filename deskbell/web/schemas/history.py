"""The past of a ticket: what happened to it, and what it was like."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from deskbell.kernel.actor import Channel
from deskbell.tickets.as_of import TicketThen
from deskbell.tickets.history import Act
from deskbell.tickets.history_words import Change
from deskbell.tickets.models import BodyFormat, Comment, TicketPriority, TicketStatus
from deskbell.web.schemas.base import EXAMPLE_TIME, Output
from deskbell.web.schemas.people import PersonOut
from deskbell.web.schemas.tickets import AttachmentOut, Named, TagOut


class FieldChange(Output):
    """What a field was and what it became. People and teams are named; of long texts the part is shown that differs."""

    field: str = Field(examples=["status"])
    old: Any = Field(examples=["open"])
    new: Any = Field(examples=["resolved"])


class ChangeTold(Output):
    """One change to a ticket, or to a comment, an attachment or a tag of it."""

    what: str = Field(description="ticket, comment, attachment or tag.", examples=["ticket"])
    id: int = Field(description="Its own.", examples=[1042])
    action: str = Field(description="CREATE, UPDATE or DELETE.", examples=["UPDATE"])
    summary: str = Field(examples=["changed status"])
    fields: list[FieldChange]

    @classmethod
    def of(cls, change: Change) -> Self:
        """Present a change."""
        fields = [FieldChange(field=name, old=old, new=new) for name, (old, new) in change.fields.items()]
        return cls(what=change.what, id=change.id, action=change.action, summary=change.summary, fields=fields)


class ActOut(Output):
    """All that one act did to a ticket: who, what, when, through what, why."""

    id: int = Field(description="Of its newest entry in the audit log.", examples=[90210])
    operation_id: int = Field(examples=[815])
    at: datetime = Field(description="Of its last change.", examples=[EXAMPLE_TIME])
    actor_id: int | None = Field(description="Null: Deskbell itself.", examples=[7])
    actor: str | None = Field(examples=["Alex Agent"])
    channel: str = Field(examples=["api"])
    act: str = Field(examples=["POST /api/v1/tickets/{number}/comments"])
    cause: str = Field(description="Why it happened when no person asked for it.", examples=[""])
    summary: str = Field(examples=["wrote a reply, changed status"])
    changes: list[ChangeTold]

    @classmethod
    def of(cls, act: Act) -> Self:
        """Present an act."""
        names = cls.model_fields.keys() - {"changes"}
        values = {name: getattr(act, name) for name in names}
        return cls(**values, changes=[ChangeTold.of(change) for change in act.changes])


class CommentThen(Output):
    """A comment as it was."""

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

    @classmethod
    def of(cls, comment: Comment) -> Self:
        """Present a comment of `as_of`."""
        related = {"author", "attachments"}
        return cls(
            **{name: getattr(comment, name) for name in cls.model_fields.keys() - related},
            author=PersonOut.of(comment.writer),
            attachments=[AttachmentOut.of(file) for file in comment.attachments],
        )


class TicketThenOut(Output):
    """A ticket as it was at `at`, with its thread, oldest first. Tags are called what they were called then."""

    at: datetime = Field(examples=[EXAMPLE_TIME])
    id: int = Field(examples=[1042])
    ticket_number: str = Field(examples=["DB-1042"])
    title: str = Field(examples=["My card has not arrived."])
    status: TicketStatus = Field(examples=["open"])
    priority: TicketPriority = Field(examples=["medium"])
    channel: Channel = Field(examples=["mail"])
    reopen_count: int = Field(examples=[0])
    requester: PersonOut | None
    assignee: PersonOut | None
    organization: Named | None
    team: Named | None
    tags: list[TagOut]
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    due_at: datetime | None = Field(examples=[None])
    first_responded_at: datetime | None = Field(examples=[None])
    resolved_at: datetime | None = Field(examples=[None])
    deleted_at: datetime | None = Field(examples=[None])
    description: str = Field(examples=["My card has not arrived. It was sent two weeks ago."])
    description_format: BodyFormat = Field(examples=["text"])
    description_html: str | None = Field(description="Sanitised.", examples=[None])
    description_folded: str = Field(description="Quoted text and signature beneath it.", examples=[""])
    attachments: list[AttachmentOut] = Field(description="Those of the first message; comments have their own.")
    comments: list[CommentThen]

    @classmethod
    def of(cls, then: TicketThen) -> Self:
        """Present a ticket of `as_of`."""
        ticket = then.ticket
        related = {"at", "requester", "assignee", "organization", "team", "tags", "attachments", "comments"}
        return cls(
            **{name: getattr(ticket, name) for name in cls.model_fields.keys() - related},
            at=then.at,
            requester=PersonOut.of(ticket.requester),
            assignee=PersonOut.of(ticket.agent),
            organization=Named.of(ticket.organization),
            team=Named.of(ticket.team),
            tags=[TagOut.of(tag) for tag in ticket.tags],
            attachments=[AttachmentOut.of(file) for file in ticket.attachments if file.comment_id is None],
            comments=[CommentThen.of(comment) for comment in ticket.comments],
        )
