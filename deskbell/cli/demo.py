"""`deskbell demo`: a desk to look around in, to try things on, or to measure with."""

from datetime import datetime
from typing import Annotated

import typer

from deskbell.cli.commands import Json, command

_MOST = 10_000_000

Tickets = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=_MOST,
        metavar="NUMBER",
        help="Make so many tickets; otherwise a dozen written by hand.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(help="Another number, other tickets.")]
Until = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        metavar="DATE",
        help="When their two years end, in UTC; otherwise now.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Also where there are real tickets.")]
Generated = Annotated[
    bool,
    typer.Option("--generate-password", help="Let one agent and one customer log in, with a password shown once."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "demo",
        "deskbell demo",
        "deskbell demo --tickets 10000 --generate-password",
        "deskbell demo --tickets 1000000 --seed 7 --until 2026-11-01 --data-dir big-desk",
    )(demo)


def demo(
    *,
    tickets: Tickets = None,
    seed: Seed = 1,
    until: Until = None,
    force: Force = False,
    generate_password: Generated = False,
    as_json: Json = False,
) -> int:
    """Fill the desk with made-up tickets: people, threads, notes, tags and files of two years.

    The same seed and the same end give the same tickets. All addresses end in .example, so nobody is ever written to.
    A desk with tickets of real people is refused unless forced; made-up ones are added to.
    """
    from deskbell.cli.demo_run import Plan, run_demo

    return run_demo(Plan(tickets, seed, until, force, generate_password), as_json=as_json)
