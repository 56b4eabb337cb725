"""`deskbell statistics`: figures about the tickets of a period."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import As, Json, command
from deskbell.cli.console import counted, note, say, say_json, say_table
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from datetime import datetime

    from deskbell.tickets.statistics import Moment, TicketStatistics

_DAYS = 30
From = Annotated[
    str,
    typer.Option(
        "--from", metavar="WHEN", help=f"The first that counts; {_DAYS} days before --until.", show_default=False
    ),
]
Until = Annotated[
    str, typer.Option("--until", metavar="WHEN", help="The first that no longer counts; now.", show_default=False)
]


def statistics(start: From = "", until: Until = "", as_: As = "", as_json: Json = False) -> None:
    """Count the tickets that were created in a period, by status, priority and assignee.

    WHEN is a date, like 2026-11-01, or a time with its offset, like 2026-11-01T09:00:00Z. A date begins at midnight in
    the time zone of the person named with --as, otherwise in UTC. The hours are those from creation until resolution; a
    ticket that was opened again counts when it is resolved again.
    """
    from deskbell.cli.desks import actor, open_desk
    from deskbell.tickets.statistics import get_ticket_statistics

    with open_desk(reading=True) as desk:
        period = _period(start, until, desk.resources.clock.now())
        found = desk.database.evaluate(actor(desk, as_), lambda session: get_ticket_statistics(session, *period))
    if as_json:
        say_json(_document(found, period))
    else:
        _say(found)


def _period(start: str, until: str, now: "datetime") -> "tuple[Moment, Moment]":
    from datetime import timedelta

    from deskbell.tickets.statistics import moment_named

    end = moment_named(until, "until") if until else now
    try:
        return moment_named(start, "from") if start else end - timedelta(days=_DAYS), end
    except OverflowError:
        raise InvalidError("There are no days before --until.", field="until") from None


def _document(found: "TicketStatistics", period: "tuple[Moment, Moment]") -> dict[str, object]:
    return {
        "start_date": period[0].isoformat(),
        "end_date": period[1].isoformat(),
        "total": found.total,
        "status_counts": dict(found.status_counts),
        "priority_counts": dict(found.priority_counts),
        "avg_resolution_hours": found.avg_resolution_hours,
        "assignee_stats": [one._asdict() for one in found.assignee_stats],
    }


def _say(found: "TicketStatistics") -> None:
    from deskbell.cli.ticket_views import worded

    say(f"{counted(found.total, 'ticket')}, resolved in {_hours(found.avg_resolution_hours)} on average")
    for counts in (found.status_counts, found.priority_counts):
        say("  " + ", ".join(f"{count:,} {worded(name)}" for name, count in counts.items()))
    if found.assignee_stats:
        rows = [(one.name, f"{one.ticket_count:,}", _hours(one.avg_resolution_hours)) for one in found.assignee_stats]
        say_table(("Assignee", "Tickets", "Resolved in"), rows, flexible="Assignee")
    elif found.total:
        note("Nobody has any of them.")


def _hours(hours: float | None) -> str:
    return "-" if hours is None else f"{hours:,.1f} h"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "statistics",
        "deskbell statistics",
        "deskbell statistics --from 2026-11-01 --until 2026-12-01",
        "deskbell statistics --from 2026-11-16T00:00:00+01:00 --as sam@example.org --json",
    )(statistics)
