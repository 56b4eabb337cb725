"""`deskbell report`: what came in and what was done day by day, and how long customers waited."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import note, say_json, say_table
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from deskbell.reports import DayOfFlow, ResponseTimes


T = TypeVar("T")
_DAYS = 30
From = Annotated[
    str,
    typer.Option("--from", metavar="DAY", help=f"The first; {_DAYS} days up to the last.", show_default=False),
]
Until = Annotated[
    str, typer.Option("--until", metavar="DAY", help="The first that no longer counts; tomorrow.", show_default=False)
]
By = Literal["status", "priority", "channel", "assignee", "team", "tag"]
"""As `deskbell.reports.By`, which takes longer to import than help takes to read."""
Which = Annotated[By, typer.Option("--by", help="What it is broken down by.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values, with a header.")]

app = group(
    "What came in, what was done, and how long customers waited.",
    "deskbell report flow --by team",
    "deskbell report times --from 2026-11-01 --until 2026-12-01",
)


@command(
    app,
    "report flow",
    "deskbell report flow",
    "deskbell report flow --from 2026-11-01 --until 2026-12-01 --by team --csv > november.csv",
)
def show_flow(
    start: From = "", until: Until = "", by: Which = "status", as_: As = "", as_csv: Csv = False, as_json: Json = False
) -> None:
    """Tell for each day how many tickets were created, resolved, and left when it ended.

    Days are those of UTC, like 2026-11-01. Tickets count where they belong now, and as resolved on the day on which
    they were so for the last time.
    """
    from deskbell.reports import By, DayOfFlow, flow

    found = _found(start, until, as_, lambda session, first, end: flow(session, first, end, By(by)))
    if _said(DayOfFlow._fields, found, as_csv=as_csv, as_json=as_json):
        return
    rows = [(f"{o.day}", o.name or "-", f"{o.created:,}", f"{o.resolved:,}", f"{o.backlog:,}") for o in found]
    say_table(("Day", by.capitalize(), "Created", "Resolved", "Left"), rows, flexible=by.capitalize())


@command(
    app,
    "report times",
    "deskbell report times --by assignee",
    "deskbell report times --from 2026-11-01 --until 2026-12-01 --json",
)
def show_times(
    start: From = "",
    until: Until = "",
    by: Which = "priority",
    as_: As = "",
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """Tell in how many hours half of the tickets created in a period, and nine of ten, were answered and resolved."""
    from deskbell.reports import By, ResponseTimes, response_times

    found = _found(start, until, as_, lambda session, first, end: response_times(session, first, end, By(by)))
    if _said(ResponseTimes._fields, found, as_csv=as_csv, as_json=as_json):
        return
    name = by.capitalize()
    columns = (name, "Tickets", "Answered", "half in", "9 of 10 in", "Resolved", "half in", "9 of 10 in")
    say_table(columns, [_row(one) for one in found], flexible=name)


def _row(one: "ResponseTimes") -> tuple[str, ...]:
    return (
        one.name or "-",
        f"{one.tickets:,}",
        f"{one.responded:,}",
        *map(_hours, (one.response_median, one.response_p90)),
        f"{one.resolved:,}",
        *map(_hours, (one.resolution_median, one.resolution_p90)),
    )


def _found(start: str, until: str, as_: str, report: "Callable[[Session, date, date], Sequence[T]]") -> "Sequence[T]":
    from deskbell.cli.desks import actor, open_desk

    with open_desk(reading=True) as desk:
        first, end = _period(start, until, desk.resources.clock.now().date())
        return desk.database.evaluate(actor(desk, as_), lambda session: report(session, first, end))


def _period(start: str, until: str, today: "date") -> "tuple[date, date]":
    from datetime import timedelta

    try:
        end = _day(until, "until") if until else today + timedelta(days=1)
        return _day(start, "from") if start else end - timedelta(days=_DAYS), end
    except OverflowError:
        raise InvalidError("There are no days before --until.", field="until") from None


def _day(text: str, field: str) -> "date":
    from datetime import date

    from deskbell.kernel.text import one_line

    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"--{field} is {one_line(repr(text), 40)}. Write the day like 2026-11-22."
        raise InvalidError(message, field=field) from None


def _said(
    fields: "Sequence[str]", found: "Sequence[DayOfFlow] | Sequence[ResponseTimes]", *, as_csv: bool, as_json: bool
) -> bool:
    """Print it for a program, or say that there is nothing; else leave it to be shown."""
    if as_json:
        say_json([{k: f"{v}" if k == "day" else v for k, v in one._asdict().items()} for one in found])
    elif as_csv:
        from deskbell.web.tables import csv_text

        sys.stdout.write(csv_text((fields, *found)))
    elif not found:
        note("There were no tickets in this period.")
    return as_json or as_csv or not found


def _hours(hours: float | None) -> str:
    return "-" if hours is None else f"{hours:,.1f} h"
