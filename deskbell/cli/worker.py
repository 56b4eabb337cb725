"""`deskbell worker`: jobs alone, on as many machines as wanted."""

import logging
from typing import Annotated

import typer

from deskbell.cli.commands import command
from deskbell.cli.console import say, say_last

Concurrency = Annotated[int, typer.Option(min=1, max=64, help="How many jobs at a time.")]
Queues = Annotated[list[str] | None, typer.Option("--queue", help="Only jobs of this queue; may be repeated.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "worker", "deskbell worker", "deskbell worker --concurrency 8 --queue mail")(worker)


def worker(concurrency: Concurrency = 4, queue: Queues = None) -> None:
    """Run jobs, until Ctrl-C.

    `deskbell serve` runs them too, unless told otherwise; any number of workers may run beside each other. Each job
    ends as one line in the log on standard error.
    """
    from deskbell.cli.desks import open_desk

    with open_desk() as desk:
        from deskbell.cli.logs import configure_logging
        from deskbell.cli.serving import work

        configure_logging(level=logging.INFO)
        say("The worker runs; Ctrl-C stops it.")
        work(
            desk,
            concurrency=concurrency,
            queues=queue or None,
            on_stop=lambda: say_last("Stopping; jobs that run may finish. Ctrl-C again does not wait."),
        )
    say_last("Stopped.")
