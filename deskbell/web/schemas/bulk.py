"""Many tickets at once, and figures about them."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field

from deskbell.tickets.bulk import CreatedTicket
from deskbell.tickets.bulk_changes import MOST_IDS, BulkResult
from deskbell.tickets.models import TicketPriority, TicketStatus
from deskbell.tickets.statistics import TicketStatistics
from deskbell.web.schemas.base import EXAMPLE_TIME, Id, Input, Output, Str100, Str500, Text, absent
from deskbell.web.schemas.tickets import MESSAGE_LENGTH

MOST_CREATED = 5_000
"""Tickets that one request creates: as many as are checked while other requests hardly notice."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This moment is outside of the years 1 to 9999 in UTC.") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc), Field(examples=[EXAMPLE_TIME])]
TicketIds = Annotated[
    list[Id],
    Field(min_length=1, max_length=MOST_IDS, description="In any order; one that is named twice counts once."),
]
TicketIdsOut = Annotated[list[int], Field(examples=[[]])]


class BulkStatusIn(Input):
    """Tickets, and where they shall stand."""

    ticket_ids: TicketIds = Field(examples=[[1042, 1043]])
    status: TicketStatus = Field(examples=["resolved"])


class BulkAssignIn(Input):
    """Tickets, and whose they shall be."""

    ticket_ids: TicketIds = Field(examples=[[1042, 1043]])
    assignee_id: Id | None = Field(description="Null: nobody.", examples=[7])


class BulkResultOut(Output):
    """What became of each id: it was changed, or stands in one of the lists."""

    changed: int = Field(examples=[2])
    unchanged: TicketIdsOut = Field(description="Were so already.")
    deleted: TicketIdsOut = Field(description="Must be restored first.")
    missing: TicketIdsOut = Field(description="Do not exist.")

    @classmethod
    def of(cls, result: BulkResult) -> Self:
        """Present what a bulk operation returned."""
        return cls(
            changed=result.changed,
            unchanged=list(result.unchanged),
            deleted=list(result.deleted),
            missing=list(result.missing),
        )


class NewTicketIn(Input):
    """A ticket to be created. It needs a title or a description."""

    requester_id: Id = Field(description="Who asks; the ticket gets their organization unless it names one.")
    title: Str500 = Field("", description="Taken from the description where it is missing.", examples=["Card"])
    description: Annotated[Text, Field(max_length=MESSAGE_LENGTH, examples=["My card has not arrived."])] = ""
    status: TicketStatus = TicketStatus.OPEN
    priority: TicketPriority = TicketPriority.MEDIUM
    assignee_id: Id | None = None
    team_id: Id | None = None
    organization_id: Id | None = None
    tags: list[Str100] = Field([], max_length=50, description="Names; new ones are made.", examples=[["billing"]])
    created_at: Moment = Field(default_factory=absent, description="Now, unless it was earlier.")
    updated_at: Moment = Field(default_factory=absent)
    first_responded_at: Moment = Field(default_factory=absent)
    resolved_at: Moment = Field(default_factory=absent)
    due_at: Moment = Field(default_factory=absent)

    def row(self) -> dict[str, object]:
        """Return what was sent, by the names of `NewTicket`."""
        given = self.given()
        return {"creator_id": given.pop("requester_id"), **given}


class BulkCreateIn(Input):
    """Tickets to be created, all of them or none."""

    tickets: Annotated[list[NewTicketIn], Field(min_length=1, max_length=MOST_CREATED)]


class CreatedTicketOut(Output):
    """A ticket that was just created."""

    id: int = Field(examples=[1042])
    ticket_number: str = Field(examples=["DB-1042"])


class BulkCreatedOut(Output):
    """The new tickets, in the order in which they were sent."""

    created: int = Field(examples=[1])
    tickets: list[CreatedTicketOut]

    @classmethod
    def of(cls, created: list[CreatedTicket]) -> Self:
        """Present what was created."""
        tickets = [CreatedTicketOut(id=one.id, ticket_number=one.ticket_number) for one in created]
        return cls(created=len(tickets), tickets=tickets)


class AssigneeStatisticsOut(Output):
    """Somebody's tickets."""

    name: str = Field(examples=["Alex Agent"])
    ticket_count: int = Field(examples=[12])
    avg_resolution_hours: float | None = Field(description="Null: none is resolved.", examples=[5.25])


class StatisticsOut(Output):
    """Figures about the tickets that were created in a period and that you may see."""

    total: int = Field(examples=[48])
    status_counts: dict[TicketStatus, int]
    priority_counts: dict[TicketPriority, int]
    avg_resolution_hours: float | None = Field(
        description="From creation until resolution, of those that are resolved.", examples=[5.25]
    )
    assignee_stats: list[AssigneeStatisticsOut] = Field(description="Who has most comes first.")

    @classmethod
    def of(cls, found: TicketStatistics) -> Self:
        """Present the figures."""
        return cls(
            total=found.total,
            status_counts=dict(found.status_counts),
            priority_counts=dict(found.priority_counts),
            avg_resolution_hours=found.avg_resolution_hours,
            assignee_stats=[AssigneeStatisticsOut(**one._asdict()) for one in found.assignee_stats],
        )
