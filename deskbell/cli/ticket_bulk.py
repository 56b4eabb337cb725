"""`deskbell ticket bulk-status` and `bulk-assign`: many tickets, named one by one, in a file, or by a query."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import As, Json, command
from deskbell.cli.console import counted, note, say, say_json
from deskbell.cli.ticket_acts import StatusName
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deskbell.tickets.bulk_changes import BulkResult
    from deskbell.tickets.references import References

Named = Annotated[
    list[str] | None, typer.Argument(metavar="[NUMBER]…", help="Tickets, by number or id.", show_default=False)
]
FromFile = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Read numbers or ids from a file, - for standard input."),
]
FromQuery = Annotated[
    str | None,
    typer.Option("--query", metavar="QUERY", help="All tickets that match, as `deskbell ticket list` finds them."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many tickets are meant.")]
_TOLD = 10
_LARGEST_FILE = 10_000_000


def bulk_status(
    status: Annotated[StatusName, typer.Argument(help="Where they stand.")],
    named: Named = None,
    file: FromFile = None,
    query: FromQuery = None,
    dry_run: DryRun = False,
    as_: As = "",
    as_json: Json = False,
) -> int:
    """Say where many tickets stand, up to 100,000 at once, in one operation.

    Tickets that stand there already are left alone. Those that were deleted or do not exist are named, and the exit
    code is 1 then.
    """
    from deskbell.tickets.bulk_changes import bulk_update_ticket_status

    def change(session: "Session", ids: list[int]) -> "BulkResult":
        return bulk_update_ticket_status(session, ids, status)

    done = f"now {status.replace('_', ' ')}"
    return _run(_Wanted(named or (), file, query), change, done, as_, dry_run=dry_run, as_json=as_json)


def bulk_assign(
    agent: Annotated[str, typer.Argument(metavar="EMAIL", help="An agent's address, or none.")],
    named: Named = None,
    file: FromFile = None,
    query: FromQuery = None,
    dry_run: DryRun = False,
    as_: As = "",
    as_json: Json = False,
) -> int:
    """Give many tickets to an agent or to nobody, up to 100,000 at once, in one operation.

    The open ones are then in progress. Those that are theirs already are left alone. Those that were deleted or do not
    exist are named, and the exit code is 1 then.
    """
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.tickets.bulk_changes import bulk_assign_tickets

    def change(session: "Session", ids: list[int]) -> "BulkResult":
        assignee = None if agent.lower() == "none" else get_user_by_email(session, agent).id
        return bulk_assign_tickets(session, ids, assignee)

    done = f"now assigned to {'nobody' if agent.lower() == 'none' else agent}"
    return _run(_Wanted(named or (), file, query), change, done, as_, dry_run=dry_run, as_json=as_json)


class _Wanted:
    """The tickets that are meant, in exactly one of three ways."""

    def __init__(self, named: Iterable[str], file: Path | None, query: str | None) -> None:
        self.named, self.file, self.query = list(named), file, query
        if sum((bool(self.named), file is not None, query is not None)) != 1:
            raise InvalidError("Name the tickets: by number or id, with --file, or with --query.", field="number")

    def references(self, session: "Session") -> "References":
        from deskbell.tickets.references import resolve_references

        if self.query is not None:
            return _matching(session, self.query)
        return resolve_references(session, self.named if self.file is None else _lines(self.file))


def _lines(file: Path) -> list[str]:
    try:
        if str(file) == "-":
            text = sys.stdin.read(_LARGEST_FILE)
        else:
            with file.open(encoding="utf-8", errors="replace") as stream:
                text = stream.read(_LARGEST_FILE)
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}. Check the path.", field="file") from error
    if not (words := text.split()):
        raise InvalidError(f"{file} names no tickets.", field="file")
    return words


def _matching(session: "Session", query: str) -> "References":
    from deskbell.search.queries import compile_query
    from deskbell.tickets.bulk_changes import MOST_IDS
    from deskbell.tickets.models import Ticket
    from deskbell.tickets.references import References

    if not query.strip():
        raise InvalidError("An empty query would mean all tickets. Say which.", field="query")
    try:
        wanted = compile_query(session, query).with_only_columns(Ticket.id, Ticket.ticket_number).limit(MOST_IDS + 1)
    except InvalidError as error:
        error.details["query"] = query
        raise
    names = {number: name for number, name in session.execute(wanted)}  # noqa: C416 - Row
    if len(names) > MOST_IDS:
        raise InvalidError(f"More than {MOST_IDS:,} tickets match. Narrow the query.", field="query")
    return References(names, ())


def _run(
    wanted: _Wanted,
    change: "Callable[[Session, list[int]], BulkResult]",
    done: str,
    as_: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    from deskbell.cli.desks import actor, open_desk
    from deskbell.tickets.bulk_changes import BulkResult

    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        found = wanted.references(session)
        result = BulkResult(0) if dry_run or not found.names else change(session, list(found.names))
    missing = [*found.unknown, *(found.names[number] for number in result.missing)]
    if as_json:
        report = {"changed": result.changed, "found": len(found.names)}
        named = {"unchanged": result.unchanged, "deleted": result.deleted}
        say_json(report | {key: [found.names[n] for n in ids] for key, ids in named.items()} | {"missing": missing})
    elif dry_run:
        say(f"{counted(len(found.names), 'ticket')} would be {done}.")
    else:
        say(f"{counted(result.changed, 'ticket is', 'tickets are')} {done}.")
        _explain(found, result, missing)
    return 1 if missing or result.deleted else 0


def _explain(found: "References", result: "BulkResult", missing: list[str]) -> None:
    if result.unchanged:
        note(f"{counted(len(result.unchanged), 'ticket was', 'tickets were')} so already.")
    if result.deleted:
        note(f"Deleted, so restore them first: {_list([found.names[number] for number in result.deleted])}")
    if missing:
        note(f"There are no such tickets: {_list(missing)}")


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD:,} more" if len(names) > _TOLD else ""
    return f"{', '.join(names[:_TOLD])}{more}"


def register(app: typer.Typer) -> None:
    """Add the commands to `deskbell ticket`."""
    command(
        app,
        "ticket bulk-status",
        "deskbell ticket bulk-status resolved DB-1042 DB-1043",
        "deskbell ticket bulk-status closed --query 'status:resolved updated<-30d' --dry-run",
        "deskbell ticket bulk-status closed --file numbers.txt --as sam@example.org",
    )(bulk_status)
    command(
        app,
        "ticket bulk-assign",
        "deskbell ticket bulk-assign sam@example.org DB-1042 DB-1043",
        "deskbell ticket bulk-assign sam@example.org --query 'assignee:none tag:billing'",
        "cut -f1 numbers.tsv | deskbell ticket bulk-assign none --file -",
    )(bulk_assign)
