"""`deskbell view`: queries with a name."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import note, say, say_json, say_table, when
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deskbell.runtime import Desk
    from deskbell.search.models import SavedView
    from deskbell.search.view_counts import ViewCount
    from deskbell.tickets.last_replies import LastReply
    from deskbell.tickets.models import Ticket

app = group(
    "Saved views: queries with a name, for yourself, a team or all the desk.",
    "deskbell view create 'Urgent' 'priority:urgent assignee:none' --as sam@example.org",
    "deskbell view list --counts --as sam@example.org",
    "deskbell view run 12 --as sam@example.org",
)

ViewId = Annotated[int, typer.Argument(metavar="ID", help="The view's id, as `deskbell view list` shows it.")]
SharingName = Literal["nobody", "team", "everyone"]
Columns = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="What a list shows, such as number,title,updated.", show_default=False),
]
Sort = Annotated[
    str | None, typer.Option(metavar="SORT", help="As after sort: in a query, such as priority,updated-asc.")
]
Share = Annotated[SharingName | None, typer.Option("--share", help="Who sees it beside you.", show_default=False)]
TeamName = Annotated[str | None, typer.Option("--team", metavar="NAME", help="The team that sees it.")]


@command(app, "view list", "deskbell view list --as sam@example.org", "deskbell view list --counts --json")
def list_views(
    counts: Annotated[bool, typer.Option("--counts", help="Say how many tickets each finds.")] = False,
    as_: As = "",
    as_json: Json = False,
) -> None:
    """List the views that you see: your own in their order, then those that others share with you.

    Counts are exact, or say that they are not: "10,000+" are more than ten thousand, "~2,500" is an estimate.
    """
    from deskbell.search.view_counts import count_views
    from deskbell.search.views import all_views

    with _acting(as_, reading=True) as (_, session):
        found = all_views(session)
        counted = {count.view_id: count for count in count_views(session, found)} if counts else {}
    if as_json:
        say_json({"views": [_document(view, counted.get(view.id)) for view in found]})
    elif found:
        columns = ["Id", "Name", "Query", "Owner", "Shared with"]
        rows = ((str(view.id), view.name, view.query or "-", _owner(view), _sharing(view)) for view in found)
        if counts:
            columns.append("Tickets")
            told = [counted[view.id].error or counted[view.id].text for view in found]
            say_table(columns, [(*row, count) for row, count in zip(rows, told, strict=True)], flexible="Query")
        else:
            say_table(columns, rows, flexible="Query")
    else:
        note("There are no views yet.")


@command(
    app,
    "view create",
    "deskbell view create 'Urgent' 'priority:urgent assignee:none' --as sam@example.org",
    "deskbell view create 'Late cards' 'is:overdue' --sort created --columns number,title,created --share everyone",
    "deskbell view create 'Cards' 'tag:card' --share team --team Cards",
)
def create_view(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    query: Annotated[str, typer.Argument(metavar="[QUERY]", help="What it finds.", show_default=False)] = "",
    columns: Columns = None,
    sort: Sort = None,
    share: Share = None,
    team: TeamName = None,
    as_: As = "",
) -> None:
    """Save a query under a name. Whose it is, is who acts."""
    from deskbell.search import views

    wanted = {"name": name, "query": query, "columns": columns, "sort": sort, "share": share, "team": team}
    with _acting(as_) as (_, session), _marking(wanted):
        view = views.create_view(session, **_values(session, wanted))
    say(f"The view {view.id}, {view.name}, was saved.")


@command(
    app,
    "view edit",
    "deskbell view edit 12 --query 'priority:urgent' --as sam@example.org",
    "deskbell view edit 12 --share nobody",
)
def edit_view(
    view_id: ViewId,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What it is called.", show_default=False)] = None,
    query: Annotated[str | None, typer.Option(metavar="QUERY", help="What it finds.", show_default=False)] = None,
    columns: Columns = None,
    sort: Sort = None,
    share: Share = None,
    team: TeamName = None,
    as_: As = "",
) -> None:
    """Change a view: what is not said stays. For its owner and administrators."""
    from deskbell.search import views

    wanted = {"name": name, "query": query, "columns": columns, "sort": sort, "share": share, "team": team}
    with _acting(as_) as (_, session), _marking(wanted):
        view = views.change_view(session, view_id, _values(session, wanted))
    say(f"The view {view.id}, {view.name}, was changed.")


@command(app, "view delete", "deskbell view delete 12 --as sam@example.org")
def delete_view(view_id: ViewId, as_: As = "") -> None:
    """Remove a view. What it finds stays; the audit log keeps what it was."""
    from deskbell.search import views

    with _acting(as_) as (_, session):
        views.delete_view(session, view_id)
    say(f"The view {view_id} was deleted.")


@command(
    app,
    "view run",
    "deskbell view run 12 --as sam@example.org",
    "deskbell view run 12 --limit 10 --json",
)
def run_view(
    view_id: ViewId,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    cursor: Annotated[
        str, typer.Option(metavar="TEXT", help="Go on where an earlier list ended.", show_default=False)
    ] = "",
    as_: As = "",
    as_json: Json = False,
) -> None:
    """List the tickets that a view finds, with its columns and in its order."""
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import note_reading
    from deskbell.kernel.database import actor_of
    from deskbell.kernel.paging import Cursor
    from deskbell.search import views

    with _acting(as_, reading=True) as (desk, session):
        place = Cursor.unseal(cursor, desk.key) if cursor else None
        view = views.get_view(session, view_id)
        found = views.run_view(session, view_id, limit=limit, cursor=place, scope=f"{actor_of(session).user_id}")
        tickets = _load(session, found.ids)
        replies = _replies(session, view, found.ids)
        next_cursor = found.next_cursor.seal(desk.key) if found.next_cursor else None
        note_reading(
            desk, actor_of(session), AccessKind.TICKETS, record_id=view_id, query=view.query, shown=len(tickets)
        )
    if as_json:
        from deskbell.cli.ticket_views import ticket_document

        document = [ticket_document(ticket) for ticket in tickets]
        say_json({"view": _document(view, None), "tickets": document, "next_cursor": next_cursor})
        return
    _say_tickets(view, tickets, replies)
    if next_cursor:
        note(f"There are more: add --cursor {next_cursor}", "dim")


@contextmanager
def _acting(email: str, *, reading: bool = False) -> Iterator[tuple["Desk", "Session"]]:
    from deskbell.cli.desks import actor, open_desk

    with open_desk(reading=reading) as desk, desk.database.transaction(actor(desk, email)) as session:
        yield desk, session


@contextmanager
def _marking(typed: Mapping[str, str | None]) -> Iterator[None]:
    """Let an error show the option in which something is wrong, with a mark under the place."""
    try:
        yield
    except InvalidError as error:
        text = typed.get(error.field or "")
        if text is not None:
            error.details["query"] = text
        raise


def _values(session: "Session", typed: Mapping[str, str | None]) -> dict[str, Any]:
    """Turn what was typed into the fields of a view; what was not typed is left out."""
    from deskbell.cli.groups import team_named
    from deskbell.search.models import Sharing

    values: dict[str, Any] = {name: typed[name] for name in ("name", "query", "sort") if typed[name] is not None}
    if (columns := typed["columns"]) is not None:
        values["columns"] = [name for name in columns.split(",") if name.strip()]
    if (share := typed["share"]) is not None:
        values["shared_with"] = Sharing(share)
    if (team := typed["team"]) is not None:
        values["team_id"] = team_named(session, team).id
    return values


def _load(session: "Session", ids: tuple[int, ...]) -> "list[Ticket]":
    from sqlalchemy import select

    from deskbell.kernel.arrays import in_array
    from deskbell.kernel.database import actor_of
    from deskbell.tickets.models import Ticket
    from deskbell.tickets.queries import listed

    found = session.scalars(listed(select(Ticket).where(in_array(Ticket.__table__.c.id, ids)), actor_of(session)))
    by_id = {ticket.id: ticket for ticket in found}
    return [by_id[number] for number in ids if number in by_id]


def _replies(session: "Session", view: "SavedView", ids: tuple[int, ...]) -> "Mapping[int, LastReply]":
    from deskbell.tickets.last_replies import last_replies

    return last_replies(session, ids) if "replied" in view.columns else {}


def _say_tickets(view: "SavedView", tickets: "list[Ticket]", replies: "Mapping[int, LastReply]") -> None:
    from deskbell.search.columns import USUAL

    if not tickets:
        note(f"The view {view.name} finds no ticket.")
        return
    shown, cells = view.columns or list(USUAL), _cells(replies)
    rows = ([cells[name](ticket) for name in shown] for ticket in tickets)
    say_table([name.title() for name in shown], rows, flexible="Title")


def _cells(replies: "Mapping[int, LastReply] | None" = None) -> "Mapping[str, Callable[[Ticket], str]]":
    """Return how each column that a view can show is written."""
    from deskbell.cli.ticket_views import called, worded

    def replied(it: "Ticket") -> str:
        reply = (replies or {}).get(it.id)
        return f"{reply.author}, {when(reply.at)}" if reply else "-"

    return {
        "number": lambda it: it.ticket_number,
        "title": lambda it: it.title,
        "status": lambda it: worded(it.status),
        "priority": lambda it: worded(it.priority),
        "channel": lambda it: worded(it.channel),
        "requester": lambda it: called(it.requester),
        "assignee": lambda it: called(it.agent) if it.agent else "-",
        "organization": lambda it: it.organization.name if it.organization else "-",
        "team": lambda it: it.team.name if it.team else "-",
        "tags": lambda it: ", ".join(tag.name for tag in it.tags) or "-",
        "created": lambda it: when(it.created_at),
        "updated": lambda it: when(it.updated_at),
        "replied": replied,
        "responded": lambda it: when(it.first_responded_at),
        "resolved": lambda it: when(it.resolved_at),
        "due": lambda it: when(it.due_at),
        "reopened": lambda it: str(it.reopen_count),
    }


def _owner(view: "SavedView") -> str:
    from deskbell.accounts.models import display_name

    return display_name(view.owner)


def _sharing(view: "SavedView") -> str:
    return view.team.name if view.team else view.shared_with.value


def _document(view: "SavedView", count: "ViewCount | None") -> dict[str, Any]:
    from dataclasses import asdict

    document = {
        "id": view.id,
        "name": view.name,
        "query": view.query,
        "columns": view.columns,
        "sort": view.sort,
        "owner": view.owner.email,
        "shared_with": view.shared_with,
        "team": view.team.name if view.team else None,
    }
    return document | {"count": asdict(count)} if count else document
