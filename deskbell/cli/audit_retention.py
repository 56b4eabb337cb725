"""`deskbell audit partitions` and `deskbell audit prune`: the months of both logs, and how long they are kept."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskbell.cli.commands import Json, command
from deskbell.cli.console import counted, note, say, say_json, say_table
from deskbell.kernel.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from deskbell.audit.retention import Part
    from deskbell.kernel.settings import Settings

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be dropped.")]


def partitions(as_json: Json = False) -> None:
    """Show the months of the audit log and the access log, their sizes, and what retention drops next.

    What lies in a default partition is of a time for which no month was made; it moves to its month when that is made,
    at the next start or within a day.
    """
    from deskbell.audit.retention import parts, prune
    from deskbell.cli.desks import open_desk, system

    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found, next_ = parts(session), {part.name for part in prune(session, dry_run=True)}
        kept = _kept(desk.settings)
    if as_json:
        say_json({"partitions": [_document(part, part.name in next_) for part in found], "months_kept": kept})
        return
    rows = [
        (
            part.log,
            part.name,
            *_span(part),
            _entries(part),
            human_bytes(part.bytes),
            "yes" if part.name in next_ else "-",
        )
        for part in found
    ]
    say_table(("Log", "Partition", "From", "Until", "Entries", "Size", "Dropped next"), rows, flexible="Partition")
    for log, months in kept.items():
        note(f"{log}: {counted(months, 'month is', 'months are') if months else 'everything is'} kept.", "dim")
    for part in found:
        if part.first is None and part.entries:
            note(f"{part.name} holds {_entries(part)} of months that were not made. See docs/howto/retention.md.")


def prune_logs(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Drop the months that are no longer kept, as a job does each night. There is no way back but a backup.

    DESKBELL_AUDIT_MONTHS and DESKBELL_ACCESS_LOG_MONTHS say how many are kept. What was dropped stands in the audit
    log.
    """
    from deskbell.audit.retention import prune
    from deskbell.cli.desks import open_desk, system

    with open_desk(reading=dry_run) as desk, desk.database.transaction(system()) as session:
        dropped = prune(session, dry_run=dry_run)
    if as_json:
        say_json({"dropped": [_document(part, None) for part in dropped], "dry_run": dry_run})
        return
    for part in dropped:
        say(f"{part.name}: {_entries(part)}, {human_bytes(part.bytes)}")
    verb = "would be dropped" if dry_run else "dropped"
    say(f"{counted(len(dropped), 'month')} {verb}." if dropped else "No month is older than what is kept.")


def _kept(settings: "Settings") -> dict[str, int]:
    return {"audit_logs": settings.audit.months, "access_logs": settings.access_log.months}


def _span(part: "Part") -> "Sequence[str]":
    return _day(part.first), _day(part.last)


def _day(moment: "datetime | None") -> str:
    """Months begin in UTC, wherever this machine is."""
    from datetime import UTC

    return "-" if moment is None else moment.astimezone(UTC).date().isoformat()


def _entries(part: "Part") -> str:
    about = "" if part.is_exact else "about "
    return f"{about}{counted(part.entries, 'entry', 'entries')}"


def _document(part: "Part", is_next: bool | None) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(part) | ({} if is_next is None else {"dropped_next": is_next})


def register(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "audit partitions", "deskbell audit partitions", "deskbell audit partitions --json")(partitions)
    command(app, "audit prune", "deskbell audit prune --dry-run", "deskbell audit prune")(prune_logs)
