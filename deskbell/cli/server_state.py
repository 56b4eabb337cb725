"""`deskbell db health` and `deskbell db slow`: what an administrator wants to know of the server."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deskbell.cli.commands import As, Json, command
from deskbell.cli.console import counted, note, say, say_json, say_table, when
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deskbell.kernel.system import SlowStatements, SystemState

_MOST_TABLES = 10
_LONGEST = 500
SortName = Literal["total", "mean", "max", "calls"]
Sorting = Annotated[SortName, typer.Option("--sort", help="Which come first.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many at most.")]
Reset = Annotated[bool, typer.Option("--reset", help="Count anew from now on.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def health(as_: As = "", as_json: Json = False) -> None:
    """Show the state of server, tables, connections, partitions, job queue and disks. For administrators.

    The ten largest tables are shown; `--json` has all tables and indexes.
    """
    from deskbell.cli.desks import actor, open_desk
    from deskbell.kernel.system import system_state

    with open_desk(reading=True) as desk, desk.database.transaction(actor(desk, as_)) as session:
        state = system_state(session)
    if as_json:
        say_json(asdict(state))
        return
    say(*_lines(state))
    say_table(
        ("Table", "Rows, about", "Dead", "Size", "Indexes", "Vacuumed"),
        [
            (
                t.name,
                f"{t.row_estimate:,}",
                f"{t.dead_rows:,}",
                human_bytes(t.table_bytes),
                human_bytes(t.index_bytes),
                when(t.last_vacuum),
            )
            for t in state.tables[:_MOST_TABLES]
        ],
    )


def _lines(state: "SystemState") -> "Iterator[str]":
    server, queue = state.server, state.queue
    hits = "-" if server.cache_hit_ratio is None else f"{server.cache_hit_ratio:.1%}"
    yield f"Server       PostgreSQL {server.version}, up since {when(server.started_at)}, schema {server.revision}"
    deadlocks = counted(server.deadlocks, "deadlock")
    yield f"Database     {human_bytes(server.bytes)}, {hits} of pages from memory, {deadlocks}"
    yield f"Connections  {server.connections} of {server.max_connections}"
    yield (
        f"Jobs         {queue.waiting:,} waiting, {queue.running:,} running, {queue.failed:,} failed, "
        f"{counted(queue.workers, 'worker')}"
    )
    if queue.oldest_id is not None:
        yield f"             {queue.oldest_job} ({queue.oldest_id}) waits since {when(queue.oldest_since)}"
    for table in state.partitioned:
        ahead = f"made until {when(table.ready_until)}" if table.is_ready else "NOT made for the next month"
        yield f"Partitions   {table.name}: {ahead}"
    for disk in state.disks:
        yield f"Disk         {disk.holds}: {human_bytes(disk.free)} free of {human_bytes(disk.total)} ({disk.path})"
    for one in state.transactions:
        blocked = f", waits for {', '.join(map(str, one.blocked_by))}" if one.blocked_by else ""
        yield f"Long         {one.application or one.role} ({one.pid}) since {when(one.started_at)}{blocked}"
    unused = [index for index in state.indexes if index.is_unused]
    total = human_bytes(sum(index.bytes for index in unused))
    yield f"Unused       {counted(len(unused), 'index', 'indexes')}, {total}"


def slow(sort: Sorting = "total", limit: Limit = 10, reset: Reset = False, yes: Yes = False, as_: As = "",
         as_json: Json = False) -> None:  # fmt: skip
    """Show which statements take the database's time. For administrators.

    Values are not shown: `$1` and `…` stand for them. With `--reset` the counts begin anew, and who did it is recorded.
    """
    from deskbell.cli.desks import actor, open_desk
    from deskbell.kernel.system import Sort, forget_statements, slow_statements

    if reset and not yes:
        _confirm()
    with open_desk(reading=not reset) as desk, desk.database.transaction(actor(desk, as_)) as session:
        if reset:
            forget_statements(session)
            say("Statements are counted anew.")
            return
        found = slow_statements(session, sort=Sort(sort), limit=limit)
    if as_json:
        say_json(asdict(found))
    else:
        _say(found)


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise InvalidError("The counts so far would be lost. Say --yes if that is meant.", field="yes")
    typer.confirm("Forget what was counted so far?", abort=True, err=True)


def _say(found: "SlowStatements") -> None:
    if found.advice:
        note(found.advice)
        return
    for one in found.statements:
        share = "-" if one.share is None else f"{one.share:.1%} of the time"
        say(f"{share}, {counted(one.calls, 'call')}, {one.mean_ms:,.1f} ms on average, {one.max_ms:,.1f} ms at most")
        say(f"    {' '.join(one.statement.split())[:_LONGEST]}")
    note(f"Counted since {when(found.since)}.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "db health", "deskbell db health", "deskbell db health --json")(health)
    command(app, "db slow", "deskbell db slow", "deskbell db slow --sort mean --limit 20", "deskbell db slow --reset")(
        slow
    )
