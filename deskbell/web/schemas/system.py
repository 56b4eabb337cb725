"""The server's state, slow statements and jobs, for administrators."""

from datetime import datetime
from typing import Any, Self

from pydantic import ConfigDict, Field

from deskbell.kernel.system import Job, JobState, SlowStatements, SystemState
from deskbell.web.schemas.base import EXAMPLE_TIME, Output

_RATIO = "From 0 to 1; null where nothing was read."
_WHEN = [EXAMPLE_TIME]


class _Facts(Output):
    """What the domain's values say, field by field."""

    model_config = ConfigDict(from_attributes=True)


class ServerOut(_Facts):
    """The server and this database. Counts are since `statistics_since`."""

    version: str = Field(examples=["18.1"])
    started_at: datetime = Field(examples=_WHEN)
    name: str = Field(examples=["deskbell"])
    bytes: int = Field(examples=[11417279])
    revision: str = Field(description="Of the schema.", examples=["0010"])
    is_standby: bool
    cache_hit_ratio: float | None = Field(description=_RATIO, examples=[0.99])
    deadlocks: int = Field(examples=[0])
    temporary_bytes: int = Field(description="Written by sorts and hashes that did not fit into memory.")
    connections: int = Field(description="To all databases of the server.")
    max_connections: int = Field(examples=[100])
    transaction_age: int = Field(description="Since the oldest row was frozen; the server stops at two billion.")
    statistics_since: datetime | None = Field(description="Null: since the database was made.", examples=_WHEN)


class TableOut(_Facts):
    """A table with all its partitions; rows are estimates."""

    name: str = Field(examples=["tickets"])
    row_estimate: int = Field(examples=[1000000])
    dead_rows: int = Field(examples=[120])
    table_bytes: int = Field(examples=[8192])
    index_bytes: int = Field(examples=[16384])
    last_vacuum: datetime | None = Field(examples=_WHEN)
    last_analyze: datetime | None = Field(examples=_WHEN)


class IndexOut(_Facts):
    """An index with those of all partitions."""

    name: str = Field(examples=["ix_tickets_creator_id"])
    table_name: str = Field(examples=["tickets"])
    bytes: int = Field(examples=[8192])
    scans: int = Field(examples=[4711])
    is_unused: bool = Field(description="Nothing read it, and no key or constraint needs it.")


class ConnectionsOut(_Facts):
    """Connections to this database that are alike."""

    application: str = Field(examples=["deskbell"])
    role: str | None = Field(examples=["deskbell_app"])
    state: str | None = Field(description="Null where Deskbell may not see it.", examples=["idle"])
    count: int = Field(examples=[10])
    longest_since: datetime | None = Field(examples=_WHEN)


class LongTransactionOut(_Facts):
    """A transaction that is open for more than a minute."""

    pid: int = Field(examples=[4242])
    application: str = Field(examples=["psql"])
    role: str | None = Field(examples=["deskbell_readonly"])
    state: str | None = Field(examples=["idle in transaction"])
    waits_for: str | None = Field(examples=["transactionid"])
    started_at: datetime = Field(examples=_WHEN)
    blocked_by: list[int] = Field(description="The pids of those that it waits for.")


class PartitionOut(_Facts):
    """A part of a table; without a range it takes what no other does, and should be empty."""

    name: str = Field(examples=["audit_logs_y2026m11"])
    starts_at: datetime | None = Field(examples=["2026-11-01T00:00:00Z"])
    ends_at: datetime | None = Field(examples=["2026-12-01T00:00:00Z"])
    row_estimate: int = Field(examples=[120000])
    bytes: int = Field(examples=[8192])


class PartitionedTableOut(_Facts):
    """A table that is kept by months."""

    name: str = Field(examples=["audit_logs"])
    ready_until: datetime | None = Field(description="There is a partition for each row until then.", examples=_WHEN)
    months_ahead: int = Field(description="After the current month.", examples=[3])
    is_ready: bool = Field(description="Whether there is a partition for the next month.")
    partitions: list[PartitionOut]


class QueueOut(_Facts):
    """How the job queue stands. 100,000 means that many or more. The oldest waits longest of those that could run."""

    waiting: int = Field(examples=[3])
    running: int = Field(examples=[1])
    failed: int = Field(examples=[0])
    workers: int = Field(description="That were heard of in the last 30 seconds.", examples=[1])
    oldest_id: int | None = Field(examples=[812])
    oldest_job: str | None = Field(examples=["mail.file_message"])
    oldest_since: datetime | None = Field(examples=_WHEN)


class DiskOut(_Facts):
    """The disk beneath something that Deskbell keeps, in bytes."""

    holds: str = Field(description="`attachments`, and with the embedded server `database`.", examples=["attachments"])
    path: str = Field(examples=["/var/lib/deskbell/attachments"])
    total: int = Field(examples=[500000000000])
    used: int = Field(examples=[120000000000])
    free: int = Field(description="That Deskbell may still write.", examples=[380000000000])


class SystemOut(_Facts):
    """The state of the whole."""

    at: datetime = Field(examples=_WHEN)
    server: ServerOut
    tables: list[TableOut]
    indexes: list[IndexOut]
    connections: list[ConnectionsOut]
    transactions: list[LongTransactionOut]
    partitioned: list[PartitionedTableOut]
    queue: QueueOut
    disks: list[DiskOut]

    @classmethod
    def of(cls, state: SystemState) -> Self:
        """Present the state."""
        return cls.model_validate(state)


class SlowStatementOut(_Facts):
    """A statement, with times in milliseconds."""

    id: str = Field(examples=["5489055851417912370"])
    statement: str = Field(description="`$1` and `…` stand for values.", examples=["SELECT … WHERE id = $1"])
    roles: list[str] = Field(description="The database roles that ran it.", examples=[["deskbell_agent"]])
    calls: int = Field(examples=[4711])
    total_ms: float = Field(examples=[5200.5])
    mean_ms: float = Field(examples=[1.1])
    max_ms: float = Field(examples=[48.0])
    row_count: int = Field(examples=[4711])
    share: float | None = Field(description="Of the time of all of Deskbell's statements, from 0 to 1.")
    cache_hit_ratio: float | None = Field(description=_RATIO)


class SlowStatementsOut(_Facts):
    """Which statements take the database's time."""

    advice: str | None = Field(description="Where statements are not counted: what to do.", examples=[None])
    since: datetime | None = Field(examples=_WHEN)
    forgotten: int | None = Field(description="How often rare statements had to make room.", examples=[0])
    statements: list[SlowStatementOut]

    @classmethod
    def of(cls, found: SlowStatements) -> Self:
        """Present the statements."""
        return cls.model_validate(found)


class JobOut(_Facts):
    """A job, and why it failed last."""

    id: int = Field(examples=[812])
    job: str = Field(examples=["mail.file_message"])
    queue: str = Field(examples=["default"])
    state: JobState = Field(examples=["failed"])
    attempts: int = Field(description="The tries so far.", examples=[9])
    arguments: dict[str, Any] = Field(examples=[{"message_id": 7}])
    added_at: datetime | None = Field(examples=_WHEN)
    run_at: datetime | None = Field(description="It waits until then.", examples=_WHEN)
    failed_at: datetime | None = Field(examples=_WHEN)
    reason: str | None = Field(examples=["ValueError: there is no such message"])

    @classmethod
    def of(cls, job: Job) -> Self:
        """Present a job."""
        return cls.model_validate(job)
