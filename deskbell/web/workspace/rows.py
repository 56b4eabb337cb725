"""The columns and rows of a list of tickets, as templates are given them."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from deskbell.search.snippets import Snippet
from deskbell.tickets.last_replies import LastReply
from deskbell.tickets.models import Ticket
from deskbell.web.i18n import marked
from deskbell.web.pages import present

USUAL: Final = ("number", "title", "requester", "status", "priority", "assignee", "created", "replied")
SORTED_BY: Final[Mapping[str, str]] = {
    "number": "number",
    "priority": "priority",
    "created": "created",
    "updated": "updated",
}
"""Column → sort. By the others no index sorts."""
LABELS: Final[Mapping[str, str]] = {
    "number": marked("Number"),
    "title": marked("Ticket"),
    "status": marked("Status"),
    "priority": marked("Priority"),
    "channel": marked("Channel"),
    "requester": marked("Requester"),
    "assignee": marked("Assignee"),
    "organization": marked("Organization"),
    "team": marked("Team"),
    "tags": marked("Tags"),
    "created": marked("Age"),
    "updated": marked("Updated"),
    "replied": marked("Last reply"),
    "responded": marked("First answer"),
    "resolved": marked("Resolved"),
    "due": marked("Due"),
    "reopened": marked("Reopened"),
}
SORTS: Final[Mapping[str, str]] = {
    "updated": marked("Last changed first"),
    "updated-asc": marked("Longest unchanged first"),
    "created": marked("Newest first"),
    "created-asc": marked("Oldest first"),
    "priority": marked("Most urgent first"),
    "priority-asc": marked("Least urgent first"),
    "number": marked("By number"),
    "number-desc": marked("By number, backwards"),
    "relevance": marked("Best match first"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list. `sort` is what a click on its head asks for; `sorted` is ascending, descending or none.

    `label` is translated when it is shown.
    """

    name: str
    label: str
    sort: str = ""
    sorted: str = ""


def columns_of(chosen: Sequence[str], sort: str) -> list[Column]:
    """Return the columns, the title among them: without it nothing could be opened."""
    names = list(chosen) or list(USUAL)
    if "title" not in names:
        names.insert(names.index("number") + 1 if "number" in names else 0, "title")
    return [_column(name, sort) for name in names]


def _column(name: str, sort: str) -> Column:
    by = SORTED_BY.get(name)
    if by is None:
        return Column(name, LABELS[name])
    upwards = {by, f"{by}-asc"} if by == "number" else {f"{by}-asc"}
    downwards = {f"{by}-desc"} if by == "number" else {by, f"{by}-desc"}
    first = sort.partition(",")[0]
    direction = "ascending" if first in upwards else "descending" if first in downwards else ""
    usual, other = (by, f"{by}-desc") if by == "number" else (by, f"{by}-asc")
    return Column(name, LABELS[name], other if first in {usual, f"{by}-desc"} - {other} else usual, direction)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of the tickets of a page beside themselves."""

    replies: Mapping[int, LastReply]
    snippets: Mapping[int, Snippet]
    unread: AbstractSet[int]


def row_of(ticket: Ticket, beside: Beside) -> dict[str, Any]:
    """Show a ticket in the list."""
    reply, snippet = beside.replies.get(ticket.id), beside.snippets.get(ticket.id)
    return {
        **present.ticket_row(ticket, staff=True),
        "id": ticket.id,
        "channel": ticket.channel.value,
        "organization": ticket.organization.name if ticket.organization else "",
        "team": ticket.team.name if ticket.team else "",
        "created_at": ticket.created_at,
        "responded_at": ticket.first_responded_at,
        "resolved_at": ticket.resolved_at,
        "due_at": ticket.due_at,
        "deleted_at": ticket.deleted_at,
        "reopened": ticket.reopen_count,
        "reply": {"at": reply.at, "name": reply.author, "by_staff": reply.by_staff} if reply else None,
        "title_html": snippet.title if snippet else None,
        "snippet_html": snippet.text if snippet else None,
        "unread": ticket.id in beside.unread,
    }


def all_columns() -> list[Column]:
    """Return every column that a view can show, for the form in which one chooses."""
    return [Column(name, label) for name, label in LABELS.items()]
