"""The program `deskbell`: all groups of commands, and the one place where errors become a line and an exit code."""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.main import get_command

from deskbell import __version__
from deskbell.cli import (
    audit,
    audit_access,
    audit_retention,
    database,
    demo,
    groups,
    imports,
    jobs,
    letters,
    mail,
    mail_decisions,
    mail_delivery,
    mail_outbox,
    mail_pipe,
    mailboxes,
    people,
    reports,
    search,
    secrets,
    serve,
    server_state,
    statistics,
    storage,
    ticket_bulk,
    tickets,
    tokens,
    views,
    worker,
)
from deskbell.cli.commands import DataDir, Debug, Explain, command, group, invoked
from deskbell.cli.console import note, say, say_error
from deskbell.cli.faults import fault_of
from deskbell.cli.interrupts import STOPPED, interrupted_with

app = group(
    "The helpdesk that runs on PostgreSQL alone and never forgets.\n\n"
    "`deskbell serve` is all that is needed to begin: it makes its own database and an administrator.",
    "deskbell serve",
    "deskbell import csv questions.csv --map text=message,category=tag --requester kim@example.org",
    'deskbell ticket list "status:open card"',
    "deskbell ticket show DB-1042",
    "deskbell user create sam@example.org --role agent --generate-password",
)


def _show_version(asked: bool) -> None:
    if asked:
        say(f"deskbell {__version__}")
        raise typer.Exit


@app.callback()
def everywhere(
    context: typer.Context,
    data_dir: DataDir = None,
    debug: Debug = False,  # noqa: ARG001 - `run` looks for it
    explain: Explain = False,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that come before the command."""
    context.with_resource(invoked("", data_dir, explain=explain))


@command(app, "version", "deskbell version")
def version() -> None:
    """Print the version."""
    say(f"deskbell {__version__}")


serve.register(app)
worker.register(app)
demo.register(app)
statistics.register(app)
server_state.register(database.app)
ticket_bulk.register(tickets.app)
mail_outbox.register(mail.app)
mail_decisions.register(mail.app)
mail_delivery.register(mail.app)
mail_pipe.register(mail.app)
audit_access.register(audit.app)
audit_retention.register(audit.app)
for name, commands in {
    "ticket": tickets.app,
    "import": imports.app,
    "mail": mail.app,
    "mailbox": mailboxes.app,
    "letter": letters.app,
    "audit": audit.app,
    "user": people.app,
    "token": tokens.app,
    "team": groups.teams,
    "organization": groups.organizations,
    "report": reports.app,
    "search": search.app,
    "view": views.app,
    "storage": storage.app,
    "secrets": secrets.app,
    "db": database.app,
    "jobs": jobs.app,
}.items():
    app.add_typer(commands, name=name)


def main() -> NoReturn:
    """Run the program on what was typed."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character shows a question mark
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of what follows from an error that is told anyway
    signal.signal(signal.SIGTERM, _terminate)
    code = run(sys.argv[1:])
    _finish_output()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the program; return its exit code. Whatever goes wrong is one line, with `--debug` a traceback as well."""
    try:
        code = get_command(app).main(list(arguments), prog_name="deskbell", standalone_mode=False)
    except typer.Abort:
        note("Nothing was done.")
        return 1
    except KeyboardInterrupt:
        note("Stopped.")
        return STOPPED
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001 - a person cannot read a traceback
        if (stopped := interrupted_with(error)) is not None:
            note("Stopped.")
            return stopped
        fault = fault_of(error)
        if "--debug" in arguments:
            traceback.print_exception(error)
        if fault.message:  # without a command its help was printed
            say_error(fault.message)
        return fault.exit_code
    return code if isinstance(code, int) else 0


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Leave in good order, so that an embedded server is stopped."""
    raise SystemExit(128 + signal.SIGTERM)


def _finish_output() -> None:
    """Write what is left; where nobody reads any more (`| head`), be silent about it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
