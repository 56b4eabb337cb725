"""How long the logs are kept: months that are over are dropped whole, and what was dropped is remembered.

The database decides what may be dropped (`deskbell_prune_partitions`); that it was is in the audit log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TIMESTAMP, Row, cast, func, select, text
from sqlalchemy.orm import Session

from deskbell.audit.models import AuditAction, AuditLog
from deskbell.kernel.resources import resources_of

AUDIT: Final = "audit_logs"
ACCESS: Final = "access_logs"
LOGS: Final = (AUDIT, ACCESS)
_PARTITIONS = text("select * from deskbell_partitions() order by log, first nulls last")
_PRUNE = text("select * from deskbell_prune_partitions(:log, :months, :dry_run) order by first")


@dataclass(frozen=True, slots=True)
class Part:
    """A month of a log, or its default partition, which has no bounds: what no month takes. Sizes are in bytes.

    `entries` are counted, or, where that would take long, as of the planner's statistics.
    """

    log: str
    name: str
    first: datetime | None
    last: datetime | None
    bytes: int
    entries: int
    is_exact: bool

    @classmethod
    def of(cls, row: Row[Any], log: str | None = None) -> "Part":
        """Read a row of the functions."""
        return cls(log or row.log, row.name, row.first, row.last, row.bytes, row.entries, row.is_exact)


def parts(session: Session) -> list[Part]:
    """Return the parts of both logs, oldest first. For administrators and the system."""
    return [Part.of(row) for row in session.execute(_PARTITIONS)]


def prune(session: Session, *, dry_run: bool = False) -> list[Part]:
    """Drop the months that the settings no longer keep, and return them; only return them when it is a `dry_run`.

    For the system alone. Whoever reads or writes a log waits a quarter of a second for it at most: where a log is in
    use for longer, this is given up with an error, and nothing was dropped.
    """
    return [part for log, months in _kept(session) for part in _pruned(session, log, months, dry_run=dry_run)]


def prune_logs(session: Session) -> None:
    """Drop the months of the audit log and the access log that are no longer kept."""
    prune(session)


def removed_before(session: Session, table_name: str, record_id: int) -> datetime | None:
    """Return until when entries about a row may have been removed by retention; None where all of them are there.

    All are there where nothing was removed, and where the one is that made the row: the others came after it.
    """
    until = cast(AuditLog.changes["last"].astext, TIMESTAMP(timezone=True))
    pruned = select(func.max(until)).where(AuditLog.table_name == AUDIT, AuditLog.action == AuditAction.PRUNE)
    its = (AuditLog.table_name == table_name, AuditLog.record_id == record_id, AuditLog.action == AuditAction.CREATE)
    return session.scalar(select(pruned.scalar_subquery()).where(~select(AuditLog.id).where(*its).exists()))


def _kept(session: Session) -> Iterator[tuple[str, int]]:
    """Name the logs that are not kept forever."""
    resources = resources_of(session)
    kept = ((AUDIT, resources.audit_months), (ACCESS, resources.access_months))
    return ((log, months) for log, months in kept if months)


def _pruned(session: Session, log: str, months: int, *, dry_run: bool) -> Iterator[Part]:
    found = session.execute(_PRUNE, {"log": log, "months": months, "dry_run": dry_run})
    return (Part.of(row, log) for row in found.all())
