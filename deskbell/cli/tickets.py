"""`deskbell ticket`: finding, reading and changing tickets."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli import ticket_acts, ticket_past
from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import note, say_json, say_table, stdout, when
from deskbell.cli.ticket_past import moment

if TYPE_CHECKING:
    from deskbell.kernel.actor import Actor
    from deskbell.kernel.paging import Page
    from deskbell.runtime import Desk
    from deskbell.tickets.models import Ticket

app = group("Find, read and change tickets.", 'deskbell ticket list "status:open card"', "deskbell ticket show DB-1042")

Query = Annotated[
    str,
    typer.Argument(metavar="[QUERY]", help='What to look for: words, "phrases" and field:value.', show_default=False),
]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]
Cursor = Annotated[str, typer.Option(metavar="TEXT", help="Go on where an earlier list ended.", show_default=False)]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket's number, like DB-1042.")]
Folded = Annotated[bool, typer.Option("--quotes", help="Show quoted text and signatures as well.")]
AsOf = Annotated[str, typer.Option(metavar="TIME", help="As it was at this time.", show_default=False)]
_NARROW, _MEDIUM = 80, 110


@command(
    app,
    "ticket list",
    "deskbell ticket list",
    'deskbell ticket list "status:open tag:card_arrival card"',
    "deskbell ticket list 'assignee:me \"not arrived\"' --as sam@example.org --limit 10",
    "deskbell ticket list priority:high,urgent --json",
)
def list_tickets(
    query: Query = "", limit: Limit = 50, cursor: Cursor = "", as_: As = "", as_json: Json = False
) -> None:
    """List the tickets that match a query, last changed first.

    All terms must hold. Fields are status, priority, tag, assignee, requester, organization, team, created, updated and
    more; several values of one field, separated by commas, mean any of them; sort:priority sorts. See
    docs/reference/query-language.md.
    """
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import actor, note_reading, open_desk

    with open_desk(reading=True) as desk:
        who = actor(desk, as_)
        found = _find(desk, who, query, limit, cursor)
        note_reading(desk, who, AccessKind.TICKETS, query=query, shown=len(found.items))
        next_cursor = found.next_cursor.seal(desk.key) if found.next_cursor else None
    if as_json:
        from deskbell.cli.ticket_views import ticket_document

        say_json({"tickets": [ticket_document(ticket) for ticket in found.items], "next_cursor": next_cursor})
        return
    _say_list(found.items, query)
    if next_cursor:
        note(f"There are more: add --cursor {next_cursor}", "dim")


def _find(desk: "Desk", who: "Actor", query: str, limit: int, cursor: str) -> "Page[Ticket]":
    from deskbell.kernel.errors import InvalidError
    from deskbell.kernel.paging import Cursor as Place
    from deskbell.search.finding import find_tickets

    after = Place.unseal(cursor, desk.key) if cursor else None
    with desk.database.transaction(who) as session:
        try:
            return find_tickets(session, query, limit=limit, cursor=after, scope=f"{who.role} {who.user_id}")
        except InvalidError as error:
            error.details["query"] = query
            raise


def _say_list(tickets: "list[Ticket] | tuple[Ticket, ...]", query: str) -> None:
    if not tickets:
        note(f"No ticket matches {query!r}." if query else "There are no tickets yet.")
        return
    width = stdout().width
    columns = ["Number", "Status", "Priority", "Title", "Requester", "Assignee", "Changed"]
    hidden = (
        {"Priority", "Requester", "Assignee", "Changed"}
        if width < _NARROW
        else {"Assignee"}
        if width < _MEDIUM
        else set()
    )
    from deskbell.cli.ticket_views import called, worded

    def cells(ticket: "Ticket") -> dict[str, str]:
        return {
            "Number": ticket.ticket_number,
            "Status": worded(ticket.status),
            "Priority": worded(ticket.priority),
            "Title": ticket.title,
            "Requester": called(ticket.requester),
            "Assignee": called(ticket.agent) if ticket.agent else "-",
            "Changed": when(ticket.updated_at),
        }

    shown = [name for name in columns if name not in hidden]
    rows = ([cell for name, cell in cells(ticket).items() if name in shown] for ticket in tickets)
    say_table(shown, rows, flexible="Title")


@command(
    app,
    "ticket show",
    "deskbell ticket show DB-1042",
    "deskbell ticket show DB-1042 --quotes",
    "deskbell ticket show DB-1042 --as kim@example.org --json",
    "deskbell ticket show DB-1042 --as-of '2026-11-20 14:05'",
)
def show_ticket(number: Number, quotes: Folded = False, as_of: AsOf = "", as_: As = "", as_json: Json = False) -> None:
    """Show a ticket with its thread, as the person who acts may see it.

    Internal notes are marked; quoted text and signatures are folded to their number of lines.

    With --as-of it is shown as it was at a time, with its comments and tags. Without an offset, like +01:00, the time
    is in the time zone of this machine.
    """
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import actor, note_reading, open_desk
    from deskbell.cli.ticket_views import past_document, say_thread, thread_document
    from deskbell.tickets.as_of import as_of as ticket_as_of
    from deskbell.tickets.queries import get_thread

    at = moment(as_of) if as_of else None
    with open_desk(reading=True) as desk:
        who = actor(desk, as_)
        with desk.database.transaction(who) as session:
            ticket = ticket_as_of(session, number, at).ticket if at else get_thread(session, number)
        then = f"as of {at.isoformat()}" if at else ""
        note_reading(desk, who, AccessKind.TICKET, number=number, query=then, shown=1)
    if as_json:
        say_json(past_document(ticket, at) if at else thread_document(ticket))
    else:
        say_thread(ticket, quotes=quotes)


ticket_acts.register(app)
ticket_past.register(app)
