"""The worker: takes jobs as they come, runs several at a time, survives the loss of its database, stops when told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from deskbell.kernel.address import Address
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.kernel.jobs import UPKEEP, Jobs
from deskbell.worker.queue import JobQueue, joined
from deskbell.worker.run import Runner
from deskbell.worker.schedule import last_due, next_due
from deskbell.worker.waiting import end, reason_of, wait_for

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.worker")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker does what. `poll` bounds how late a retry or a job with a time of its own begins."""

    poll: timedelta = timedelta(seconds=1)
    heartbeat: timedelta = timedelta(seconds=5)
    silence: timedelta = timedelta(seconds=30)  # after which a worker counts as dead; several heartbeats
    grace: timedelta = timedelta(seconds=5)  # for jobs that run when the worker stops
    reconnect: timedelta = timedelta(seconds=1)


DEFAULT_PACE = Pace()


async def run_worker(
    database: Database,
    jobs: Jobs,
    *,
    address: Address,
    stop: asyncio.Event,
    concurrency: int = 4,
    queues: Sequence[str] | None = None,
    pace: Pace = DEFAULT_PACE,
) -> None:
    """Run jobs until `stop` is set, `concurrency` at a time, those of `queues` or all.

    `address` is the application role's way to the same database: the worker keeps up to five connections of its own.
    Jobs that run when it stops have `pace.grace` to finish; then they are rolled back and left to the next worker. An
    error ends a job, never the worker; without the database it waits and joins again.
    """
    known = {**UPKEEP, **jobs}
    while not stop.is_set():
        try:
            async with joined(address, queues) as queue:
                await Worker(queue, Runner(database, known, queue), known, concurrency, pace).run(stop)
        except Exception as error:  # noqa: BLE001 - logged, and the jobs it held are taken back when it has joined again
            _log.warning("worker_restarts", reason=reason_of(error))
            await wait_for(stop, pace.reconnect)


class Worker:
    """One registered worker, from joining the queue to leaving it."""

    def __init__(self, queue: JobQueue, runner: Runner, jobs: Jobs, concurrency: int, pace: Pace) -> None:
        """Nothing happens before `run`."""
        self._queue = queue
        self._runner = runner
        self._jobs = jobs
        self._concurrency = concurrency
        self._pace = pace
        self._clock = SystemClock()
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises, with all jobs cancelled, when the database is away."""
        _log.info("worker_started", worker=self._queue.worker, concurrency=self._concurrency)
        heed = asyncio.create_task(self._heed(stop))
        # No TaskGroup: it cancels once, and waits for ever for a task that loses its cancellation.
        steady = (self._take_jobs(stop), self._listen(), self._live(), self._schedule())
        beside = [asyncio.create_task(each) for each in steady]
        try:
            ended, _ = await asyncio.wait(beside, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
            await self._wind_down()
        finally:
            await end([heed, *beside, *self._running])
        _log.info("worker_stopped", worker=self._queue.worker)

    async def _take_jobs(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._raise()
            self._wake.clear()  # before asking: what is added meanwhile wakes us again
            job = await self._queue.fetch() if len(self._running) < self._concurrency else None
            if job is None:
                await wait_for(self._wake, self._pace.poll)
                continue
            task = asyncio.create_task(self._runner.run(job))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            self._broken = self._broken or task.exception()
        self._wake.set()

    def _raise(self) -> None:
        """Raise what ended a run from outside of its job: there is no going on without the queue."""
        if self._broken:
            raise self._broken

    async def _wind_down(self) -> None:
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=self._pace.grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.wait(late) if late else None
        self._raise()

    async def _listen(self) -> None:
        await self._queue.listen(self._wake.set)
        raise ConnectionError("the connection that listens for jobs has ended")

    async def _live(self) -> None:
        while True:
            for taken in await self._queue.take_back(self._pace.silence):
                _log.warning("job_taken_back", name=taken["job"], id=taken["job_id"])
            await asyncio.sleep(self._pace.heartbeat.total_seconds())
            await self._queue.beat()

    async def _schedule(self) -> None:
        """Add what is due. A run missed while no worker was there is made up for, once."""
        periodic = [(name, spec.queue, spec.cron) for name, spec in self._jobs.items() if spec.cron]
        while soon := next_due(self._jobs, self._clock.now()):
            for name, queue, cron in periodic:
                await self._queue.add_periodic(name, queue, last_due(cron, self._clock.now()))
            wait = (soon - self._clock.now()).total_seconds()
            await asyncio.sleep(min(max(wait, 0.0) + 0.01, 60))  # the clock may have been set, or the machine asleep

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
