"""Saved views and how many tickets they find."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from deskbell.kernel.actor import Actor
from deskbell.search.language import MAXIMUM_LENGTH
from deskbell.search.models import SavedView, Sharing
from deskbell.search.view_counts import ViewCount
from deskbell.search.views import MOST_VIEWS, NAME_LENGTH, SORT_LENGTH, may_change
from deskbell.web.schemas.base import EXAMPLE_TIME, Id, Input, Output, Text, absent
from deskbell.web.schemas.people import PersonOut
from deskbell.web.schemas.tickets import Named

QUERY_LENGTH = MAXIMUM_LENGTH
MOST_COLUMNS = 20

ViewName = Annotated[Text, Field(max_length=NAME_LENGTH, examples=["Urgent and unassigned"])]
ViewQuery = Annotated[Text, Field(max_length=QUERY_LENGTH, examples=["priority:urgent assignee:none"])]
Columns = Annotated[list[Text], Field(max_length=MOST_COLUMNS, examples=[["number", "title", "updated"]])]
ViewSort = Annotated[Text, Field(max_length=SORT_LENGTH, examples=["priority,updated-asc"])]


class CountOut(Output):
    """How many tickets a view finds. Where it is not exact, `text` says so: "10,000+" or "~2,500"."""

    view_id: int = Field(examples=[12])
    count: int | None = Field(description="Null where there is an error.", examples=[2500])
    exact: bool
    text: str = Field(examples=["~2,500"])
    error: str | None = Field(description="Why the query cannot be read any more.", examples=[None])

    @classmethod
    def of(cls, count: ViewCount) -> Self:
        """Present a count."""
        return cls(view_id=count.view_id, count=count.count, exact=count.exact, text=count.text, error=count.error)


class ViewOut(Output):
    """A saved view."""

    id: int = Field(examples=[12])
    name: str = Field(examples=["Urgent and unassigned"])
    query: str = Field(examples=["priority:urgent assignee:none"])
    columns: list[str] = Field(description="Empty: the usual ones.", examples=[["number", "title", "updated"]])
    sort: str = Field(description="As after `sort:`; empty: last changed first.", examples=["priority,updated-asc"])
    owner: PersonOut
    shared_with: Sharing = Field(examples=["team"])
    team: Named | None = Field(description="Which team it is shared with.")
    may_change: bool = Field(description="Whether you may change it.")
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])
    count: CountOut | None = Field(None, description="Where it was asked for.")

    @classmethod
    def of(cls, view: SavedView, actor: Actor, count: ViewCount | None = None) -> Self:
        """Present a view to an actor."""
        plain = ("id", "name", "query", "columns", "sort", "shared_with", "created_at", "updated_at")
        return cls(
            **{name: getattr(view, name) for name in plain},
            owner=PersonOut.model_validate(view.owner, from_attributes=True),
            team=Named.of(view.team),
            may_change=may_change(view, actor),
            count=CountOut.of(count) if count else None,
        )


class CountsOut(Output):
    """The counts of your views, in their order."""

    items: list[CountOut]


class ViewIn(Input):
    """A new view of yours."""

    name: ViewName
    query: ViewQuery = ""
    columns: Columns = Field(default_factory=list)
    sort: ViewSort = ""
    shared_with: Sharing = Sharing.NOBODY
    team_id: Id | None = Field(None, description="Which team sees it, where it is shared with one.")


class ViewChange(Input):
    """What changes about a view; what is left out stays."""

    name: ViewName = Field(default_factory=absent)
    query: ViewQuery = Field(default_factory=absent)
    columns: Columns = Field(default_factory=absent)
    sort: ViewSort = Field(default_factory=absent)
    shared_with: Sharing = Field(default_factory=absent)
    team_id: Id | None = Field(None, description="Which team sees it, where it is shared with one.")


class ViewOrder(Input):
    """Your views, first to last; those that are left out follow."""

    ids: Annotated[list[Id], Field(max_length=MOST_VIEWS, examples=[[12, 7, 9]])]
