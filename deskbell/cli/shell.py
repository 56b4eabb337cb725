"""`deskbell db shell`: psql, as the application role with an actor, so that it sees what that person may see."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import command, invocation
from deskbell.kernel.errors import InvalidError, SetupError

if TYPE_CHECKING:
    from deskbell.kernel.address import Address
    from deskbell.runtime import Desk

As = Annotated[str, typer.Option("--as", metavar="EMAIL", help="See and do what this person may.", show_default=False)]
Owner = Annotated[bool, typer.Option("--owner", help="As the owner of the schema: everything, unprotected.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="As the role for reports: reads all but secrets.")]
Statements = Annotated[
    list[str] | None, typer.Option("--command", "-c", metavar="SQL", help="Run this and leave; may be repeated.")
]
File = Annotated[Path | None, typer.Option("--file", "-f", help="Run the SQL in this file and leave.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "db shell",
        "deskbell db shell --as sam@example.org",
        "deskbell db shell --as kim@example.org -c 'select ticket_number, title from tickets'",
        "deskbell db shell --read-only -f report.sql",
        "deskbell db shell --owner",
    )(shell)


def shell(
    as_: As = "",
    owner: Owner = False,
    read_only: ReadOnly = False,
    statements: Statements = None,
    file: File = None,
) -> int:
    """Open psql, as a person, for reports, or as the owner.

    As a person the rows are those that the person may see, and changes go to the audit log in their name. The exit
    code is that of psql.
    """
    if sum((bool(as_), owner, read_only)) != 1:
        raise InvalidError(
            "Say as whom: --as EMAIL sees what that person may see, --read-only reads all but secrets, "
            "--owner may do everything."
        )
    from deskbell.cli.desks import open_desk

    with open_desk(migrating=owner) as desk:
        address, parameters = _way_in(desk, as_, owner=owner)
        arguments = [argument for statement in statements or () for argument in ("-c", statement)]
        arguments += ["-f", str(file)] if file else []
        return _run(_psql(desk), address, parameters, arguments)


def _way_in(desk: "Desk", email: str, *, owner: bool) -> "tuple[Address, dict[str, str]]":
    """Return the role to log in as, and the server parameters that hold from the beginning of the connection."""
    from deskbell.kernel.access import OWNER
    from deskbell.kernel.actor import Channel

    common = {"deskbell.channel": Channel.SQL.value, "deskbell.act": invocation().act}
    common["deskbell.ticket_prefix"] = desk.settings.ticket.prefix
    if email:
        from deskbell.cli.desks import actor

        who = replace(actor(desk, email), channel=Channel.SQL)
        return desk.database.address, common | who.settings()
    if owner:
        return desk.admin, common | {"role": OWNER}
    return desk.read_only, {"default_transaction_read_only": "on"}


def _psql(desk: "Desk") -> Path:
    """Find psql: the one beside the embedded server; for another server, which may want TLS, the system's first."""
    from deskbell.kernel.embedded.programs import find_programs

    beside = None
    with suppress(SetupError):
        beside = find_programs(desk.settings.postgres.bin_dir).bin_dir / "psql"
    on_path = shutil.which("psql")
    system = Path(on_path) if on_path else None
    candidates = (beside, system) if desk.settings.database.url is None else (system, beside)
    for candidate in candidates:
        if candidate and candidate.is_file():
            return candidate
    raise SetupError("psql is not installed. Install PostgreSQL's client programs, then run this again.")


def _run(psql: Path, address: "Address", parameters: dict[str, str], arguments: list[str]) -> int:
    """Run psql. The password goes through the environment, as everybody may read a command line."""
    address = address.settled()
    given = dict(address.parameters)
    given.pop("options", None)  # they go into PGOPTIONS with the others, as those of an address outweigh it
    options = address.options({name: value for name, value in parameters.items() if value})
    secrets = {"PGPASSWORD": address.password, "PGOPTIONS": options}
    nobody = replace(address, password="", parameters=tuple(given.items())).dsn
    command: list[str | Path] = [psql, "-X", "-v", "ON_ERROR_STOP=1", "-d", nobody, *arguments]
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for psql, which then cancels its statement
    try:
        return subprocess.run(command, env=os.environ | secrets, check=False).returncode  # noqa: S603 - psql
    finally:
        signal.signal(signal.SIGINT, before)
