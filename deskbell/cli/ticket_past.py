"""`deskbell ticket history`, and times as they are typed: what happened to a ticket, and what it was like."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskbell.cli.commands import As, Json, command
from deskbell.cli.console import note, say_json, say_table, shown, when
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from deskbell.tickets.history import Act

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket's number, like DB-1042.")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]
Cursor = Annotated[str, typer.Option(metavar="TEXT", help="Go on where an earlier list ended.", show_default=False)]


def moment(text: str) -> datetime:
    """Read a time as people type it; without an offset it is in the time zone of this machine, as times are shown."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise InvalidError(
            f"{text!r} is no time. Write it like 2026-11-20, '2026-11-20 14:05' or 2026-11-20T14:05+01:00.",
            field="as_of",
        ) from None


def history(number: Number, limit: Limit = 50, cursor: Cursor = "", as_: As = "", as_json: Json = False) -> None:
    """Show what happened to a ticket, last things first: who, through what, what and why.

    What one act did is told together. `deskbell audit show` has the entries of the audit log, row by row.
    """
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import actor, note_reading, open_desk
    from deskbell.kernel.paging import Cursor as Place
    from deskbell.tickets.history import history_page

    with open_desk(reading=True) as desk:
        who = actor(desk, as_)
        place = Place.unseal(cursor, desk.key) if cursor else None
        with desk.database.transaction(who) as session:
            found = history_page(session, number, limit=limit, cursor=place, query=f"history {number.upper()}")
        note_reading(desk, who, AccessKind.HISTORY, number=number, shown=len(found.items))
        next_cursor = found.next_cursor.seal(desk.key) if found.next_cursor else None
    if as_json:
        say_json(
            {"ticket": number.upper(), "acts": [_document(act) for act in found.items], "next_cursor": next_cursor}
        )
        return
    say_table(
        ("When", "Who", "Through", "What"), [line for act in found.items for line in _lines(act)], flexible="What"
    )
    if next_cursor:
        note(f"There are more: add --cursor {next_cursor}", "dim")


def _document(act: "Act") -> dict[str, Any]:
    return asdict(act) | {"summary": act.summary}


def _lines(act: "Act") -> Iterator[tuple[str, str, str, str]]:
    details = ", ".join(part for part in (act.act, act.cause) if part)
    through = f"{act.channel} ({details})" if details else act.channel
    yield when(act.at), act.actor or "the system", through, act.summary
    for change in act.changes:
        for name, (old, new) in change.fields.items():
            yield "", "", "", f"  {name.removesuffix('_id')}: {shown(old)} → {shown(new)}"


def register(app: typer.Typer) -> None:
    """Add the command to its group."""
    command(app, "ticket history", "deskbell ticket history DB-1042", "deskbell ticket history DB-1042 --json")(history)
