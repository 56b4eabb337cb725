"""A worker's side of the queue: its connection, its registration, and the statements that move jobs along.

The tables and functions are procrastinate's, with ours from `migrations/sql/job_queue.sql`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from psycopg.conninfo import make_conninfo

from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect_async
from deskbell.kernel.text import clean

_PATIENCE = 5  # seconds to connect, or to get a connection
_AS_SYSTEM = (
    "-c role=deskbell_system -c search_path=jobs,public -c statement_timeout=30s -c lock_timeout=10s"
    " -c idle_in_transaction_session_timeout=30s -c jit=off -c timezone=UTC"
)
_CHANNEL = "procrastinate_any_queue_v1"
_LONGEST_ERROR = 10_000  # characters


class JobQueue:
    """What a registered worker does with jobs. Raises psycopg.Error or ConnectorException when the database is away."""

    def __init__(
        self, address: Address, connector: PsycopgConnector, worker: int, queues: Sequence[str] | None
    ) -> None:
        """`worker` is the id under which it is registered; `queues` None means all."""
        self._address = address
        self._connector = connector
        self._manager = JobManager(connector)
        self._queues = queues
        self.worker = worker

    async def fetch(self) -> Job | None:
        """Take the next job that may run, if there is one: it is this worker's from now on."""
        return await self._manager.fetch_job(self._queues, self.worker)

    async def listen(self, on_notice: Callable[[], None]) -> None:
        """Call `on_notice` whenever a job is added or becomes free, until cancelled.

        Not by the library's listener: cancelled just as the connection is lost, it connects again and stays.
        """
        async with await _connected(self._address) as connection:
            await connection.execute(f"listen {_CHANNEL}")
            async for _ in connection.notifies():
                on_notice()

    async def beat(self) -> None:
        """Say that this worker lives."""
        await self._manager.update_heartbeat(self.worker)

    async def fail(self, job: Job, error: str, wait: timedelta | None) -> None:
        """Record why the job failed, and let it wait for so long, or for ever."""
        await self._do(
            "select fail_job(%(job)s, %(worker)s, %(error)s, %(wait)s)",
            job=job.id,
            worker=self.worker,
            error=clean(error)[:_LONGEST_ERROR],
            wait=wait,
        )

    async def give_back(self, job: Job) -> None:
        """Let somebody else run the job."""
        await self._do("select give_back_job(%(job)s, %(worker)s)", job=job.id, worker=self.worker)

    async def take_back(self, silence: timedelta) -> list[dict[str, Any]]:
        """Free the jobs of workers that are silent for so long; return `job_id` and `job` of each."""
        return await self._do("select job_id, job from take_back_jobs(%(silence)s)", silence=silence)

    async def add_periodic(self, name: str, queue: str, due: datetime) -> None:
        """Add the job that is due at this time, unless a worker has done so. Only one of a name runs at a time."""
        await self._do(
            "select procrastinate_defer_periodic_job_v2(%(queue)s, %(lock)s, null, %(job)s, 0, '', %(due)s, '{}')",
            queue=queue,
            lock=f"periodic:{name}",
            job=name,
            due=int(due.timestamp()),
        )

    async def _do(self, query: Any, **arguments: object) -> list[dict[str, Any]]:  # noqa: ANN401 - a LiteralString, which 3.11 cannot pass on
        rows: list[dict[str, Any]] = await self._connector.execute_query_all_async(query, **arguments)
        return rows


@asynccontextmanager
async def joined(address: Address, queues: Sequence[str] | None) -> AsyncIterator[JobQueue]:
    """Connect as the system, register a worker, and take it off the list in the end.

    Raises psycopg.Error or ConnectorException when the database is away.
    """
    await (await _connected(address)).close()  # fails at once, where a pool would wait and retry
    connector = PsycopgConnector(conninfo=lambda: _as_system(address), min_size=1, max_size=4, timeout=_PATIENCE)
    try:
        await connector.open_async()
        manager = JobManager(connector)
        worker = await manager.register_worker()
        try:
            yield JobQueue(address, connector, worker, queues)
        finally:
            with suppress(ConnectorException, psycopg.Error):  # then its silence will tell
                await manager.unregister_worker(worker)
    finally:
        await connector.close_async()


def _as_system(address: Address) -> str:
    """Return libpq's way in with the password as it is now: the pool asks for it whenever it connects."""
    return make_conninfo(address.dsn, options=_options(address), connect_timeout=_PATIENCE)


async def _connected(address: Address) -> psycopg.AsyncConnection[Any]:
    return await connect_async(address, options=_options(address), connect_timeout=_PATIENCE, autocommit=True)


def _options(address: Address) -> str:
    return f"{address.options({})} {_AS_SYSTEM}".strip()
