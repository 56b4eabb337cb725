"""`deskbell db`: the schema, the server, and a way into it for who knows SQL."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli import shell
from deskbell.cli.commands import Json, command, group
from deskbell.cli.console import counted, note, say, say_json
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from deskbell.migrations.runner import SchemaStatus
    from deskbell.runtime import Desk

app = group(
    "The database: its schema, its state, a shell.", "deskbell db status", "deskbell db shell --as sam@example.org"
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(app, "db upgrade", "deskbell db upgrade", "deskbell db upgrade +1")
def upgrade(
    revision: Annotated[
        str, typer.Argument(metavar="[REVISION]", help="A revision, +1, or head for the newest.")
    ] = "head",
) -> None:
    """Bring the schema up to date."""
    from deskbell.cli.desks import open_desk
    from deskbell.runtime import ensure_schema

    with open_desk(migrating=True) as desk:
        before = desk.migrator.status()
        after = desk.migrator.upgrade(revision)
        if after.is_current:
            ensure_schema(desk, upgrade=False)
    if before.current == after.current:
        say(f"The schema is at {after.current or 'nothing'} already.")
    else:
        say(f"The schema went from {before.current or 'nothing'} to {after.current}.")


@command(app, "db downgrade", "deskbell db downgrade -1 --yes", "deskbell db downgrade base", dashes=True)
def downgrade(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="A revision, -1 for one step, or base for none.")],
    yes: Yes = False,
) -> None:
    """Take migrations back. What only the newer schema can hold is lost, so make a backup first."""
    from deskbell.cli.desks import open_desk

    with open_desk(migrating=True) as desk:
        before = desk.migrator.status()
        if not yes:
            _confirm(desk, before, revision)
        after = desk.migrator.downgrade(revision)
    say(f"The schema went from {before.current or 'nothing'} to {after.current or 'nothing'}.")


def _confirm(desk: "Desk", status: "SchemaStatus", revision: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidError("Taking migrations back loses data. Say --yes if that is meant.", field="yes")
    question = f"Take {desk.admin} back from {status.current or 'nothing'} to {revision}? Data will be lost."
    typer.confirm(question, abort=True, err=True)


@command(app, "db check", "deskbell db check", "deskbell db check --json")
def check(as_json: Json = False) -> int:
    """Compare the database with what this program expects: tables, row security, audit triggers; 1 if they differ."""
    from deskbell.cli.desks import open_desk
    from deskbell.cli.inspection import differences

    with open_desk(migrating=True) as desk:
        found = differences(desk)
    if as_json:
        say_json({"ok": not found, "differences": found})
    elif found:
        say(*found)
        note(f"{counted(len(found), 'difference')}. `deskbell db upgrade` may help.")
    else:
        say("The database is as it should be.")
    return int(bool(found))


@command(app, "db status", "deskbell db status", "deskbell db status --json")
def status(as_json: Json = False) -> None:
    """Show revision, pending migrations, server, size and roles, the cache, and how far behind each replica is."""
    from deskbell.cli.desks import open_desk
    from deskbell.cli.inspection import facts, replica_line
    from deskbell.kernel.replica_states import replica_states

    with open_desk(migrating=True) as desk:
        found, replicas = facts(desk), replica_states(desk.database)
    if as_json:
        say_json({**found, "replicas": [asdict(each) for each in replicas]})
        return
    if weak := found.pop("tls_warning", None):
        note(weak)
    for name, value in found.items():
        shown = (", ".join(value) or "none") if isinstance(value, list) else "nothing" if value is None else str(value)
        say(f"{name.replace('_', ' ').capitalize():<12} {shown}")
    say(*(f"{'Replica':<12} {replica_line(each)}" for each in replicas))


@command(app, "db adopt", "deskbell db adopt")
def adopt() -> None:
    """Make this installation's DESKBELL_SECRET_KEY the one that its database server goes by.

    For a key that was lost or changed. Whoever uses the same server with another key no longer gets in.
    """
    from deskbell import runtime
    from deskbell.cli.desks import load_settings

    server = runtime.adopt(load_settings())
    say(f"The roles of {server} go by this installation's key now.")


@command(app, "db rotate-password", "deskbell db rotate-password")
def rotate_password() -> None:
    """Give the roles that Deskbell logs in as new passwords, made from the same key.

    Nothing is restarted: connections that are open stay so, and every server and worker with this key, on every
    machine, finds the new password when it next connects. The old ones are worthless at once.
    """
    from deskbell.cli.desks import open_desk

    with open_desk(migrating=True) as desk:
        generation = desk.logins.rotate()
    say(f"The roles of {desk.admin} have new passwords (generation {generation}).")


shell.register(app)
