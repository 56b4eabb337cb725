"""The state of it all: server, tables, indexes, connections, partitions, queue, disks. Each part is one statement."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from deskbell.kernel.resources import resources_of
from deskbell.kernel.system.queue import Queue, queue_depth
from deskbell.kernel.system.rows import rows_of

LONG: Final = timedelta(minutes=1)
"""A transaction that takes longer holds up vacuum, and maybe others."""
_MOST_TRANSACTIONS: Final = 50


@dataclass(frozen=True, slots=True)
class Server:
    """The server and this database. Counts are since `statistics_since`; `connections` are those of all databases.

    `transaction_age`: how many transactions ago the oldest row was frozen; the server stops at two billion.
    """

    version: str
    started_at: datetime
    name: str
    bytes: int
    revision: str
    is_standby: bool
    cache_hit_ratio: float | None
    deadlocks: int
    temporary_bytes: int
    connections: int
    max_connections: int
    transaction_age: int
    statistics_since: datetime | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with all its partitions. `table_bytes` holds long texts as well; rows are estimates."""

    name: str
    row_estimate: int
    dead_rows: int
    table_bytes: int
    index_bytes: int
    last_vacuum: datetime | None
    last_analyze: datetime | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index with those of all partitions. Unused: nothing read it, and no key or constraint needs it."""

    name: str
    table_name: str
    bytes: int
    scans: int
    is_unused: bool


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections to this database that are alike; `state` is None where Deskbell may not see it."""

    application: str
    role: str | None
    state: str | None
    count: int
    longest_since: datetime | None


@dataclass(frozen=True, slots=True)
class LongTransaction:
    """A transaction that is open for more than a minute; `blocked_by` are the pids of those that it waits for."""

    pid: int
    application: str
    role: str | None
    state: str | None
    waits_for: str | None
    started_at: datetime
    blocked_by: list[int]


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a table, by time; without a range it takes what no other does, and should be empty."""

    table_name: str
    name: str
    starts_at: datetime | None
    ends_at: datetime | None
    row_estimate: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PartitionedTable:
    """A table that is kept by months. `ready_until`: rows have a partition without a gap from now until then.

    `months_ahead` are those after the current one. None, or fewer than one, wants looking after: see `is_ready`.
    """

    name: str
    ready_until: datetime | None
    months_ahead: int
    is_ready: bool
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk beneath something that Deskbell keeps, in bytes; `free` is what Deskbell may still write."""

    holds: str
    path: str
    total: int
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class SystemState:
    """All of it."""

    at: datetime
    server: Server
    tables: tuple[Table, ...]
    indexes: tuple[Index, ...]
    connections: tuple[Connections, ...]
    transactions: tuple[LongTransaction, ...]
    partitioned: tuple[PartitionedTable, ...]
    queue: Queue
    disks: tuple[Disk, ...]


def system_state(session: Session) -> SystemState:
    """Look at everything: seven statements. Raises ForbiddenError for everybody but administrators and the system."""
    resources = resources_of(session)
    now = resources.clock.now()
    [server] = rows_of(session, Server, "deskbell_server")
    return SystemState(
        at=now,
        server=server,
        tables=rows_of(session, Table, "deskbell_table_sizes"),
        indexes=rows_of(session, Index, "deskbell_index_sizes"),
        connections=rows_of(session, Connections, "deskbell_connections"),
        transactions=rows_of(
            session, LongTransaction, "deskbell_transactions", longer_than=LONG, most=_MOST_TRANSACTIONS
        ),
        partitioned=by_table(rows_of(session, Partition, "deskbell_partition_ranges"), now),
        queue=queue_depth(session),
        disks=disks(resources.folders),
    )


def by_table(partitions: Sequence[Partition], now: datetime) -> tuple[PartitionedTable, ...]:
    """Say of each partitioned table how far ahead it is made. Those of one table stand together, by time."""
    return tuple(_summed_up(name, tuple(found), now) for name, found in groupby(partitions, lambda p: p.table_name))


def _summed_up(name: str, partitions: tuple[Partition, ...], now: datetime) -> PartitionedTable:
    until, count = None, 0
    for one in partitions:
        starts_here = one.starts_at is not None and one.starts_at == until if until else _holds(one, now)
        if starts_here:
            until, count = one.ends_at, count + 1
    ahead = max(count - 1, 0)
    return PartitionedTable(name, until, ahead, ahead > 0, partitions)


def _holds(partition: Partition, now: datetime) -> bool:
    start, end = partition.starts_at, partition.ends_at
    return start is not None and end is not None and start <= now < end


def disks(folders: Mapping[str, Path]) -> tuple[Disk, ...]:
    """Measure the disks beneath `folders`, of which some may not be made yet. What cannot be reached is left out."""
    return tuple(disk for holds, folder in folders.items() if (disk := _disk(holds, folder)) is not None)


def _disk(holds: str, folder: Path) -> Disk | None:
    for place in (folder, *folder.parents):
        try:
            usage = shutil.disk_usage(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return Disk(holds, str(folder), usage.total, usage.used, usage.free)
    return None
