"""Running one job: its transaction, its outcome, its line in the log."""

import asyncio
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from time import perf_counter

import structlog
from procrastinate.jobs import Job
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.jobs import Jobs, JobSpec, retry_delay
from deskbell.kernel.text import one_line
from deskbell.worker.queue import JobQueue

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.worker")
_FINISH = text("select jobs.finish_job(:job, :worker)")
_DEATHS_SPARED = 3  # workers that a job may lose, beside its retries, before it is taken to be what kills them


class Outcome(StrEnum):
    """How a run of a job ended."""

    SUCCEEDED = "succeeded"
    RETRIED = "will be tried again"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    TAKEN_AWAY = "taken away"  # this worker was silent for so long that another one has it


class CannotRunError(Exception):
    """The job's function was not called."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the jobs that `jobs` names."""

    database: Database
    jobs: Jobs
    queue: JobQueue

    async def run(self, job: Job) -> None:
        """Run one job and end it, whatever happens. Raises when the database is away, and nobody knows how."""
        started, ending = perf_counter(), _Ending(Outcome.INTERRUPTED)
        with structlog.contextvars.bound_contextvars(job=job.task_name, job_id=job.id):
            try:
                ending = await self._ending(job)
            finally:
                _write_line(job, ending, perf_counter() - started)

    async def _ending(self, job: Job) -> "_Ending":
        spec = self.jobs.get(job.task_name)
        try:
            return _Ending(await self._do(_runnable(spec, job), job))
        except asyncio.CancelledError:
            await self.queue.give_back(job)
            raise
        except Exception as error:  # noqa: BLE001 - whatever a job raises is written down and tried again
            return await self._failed(spec or JobSpec(_runnable), job, error)

    async def _do(self, spec: JobSpec, job: Job) -> Outcome:
        work = partial(spec.function, **job.task_kwargs)
        if spec.remote is None:
            return await self._end(job, work)
        async with self.database.async_transaction(_actor(job)) as session:
            given = await session.run_sync(work)
        if given is None:
            return await self._end(job)
        returned = await spec.remote.call(given)
        return await self._end(job, partial(spec.remote.record, given=given, returned=returned))

    async def _end(self, job: Job, work: Callable[[Session], object] | None = None) -> Outcome:
        async with self.database.async_transaction(_actor(job)) as session:
            if not await session.scalar(_FINISH, {"job": job.id, "worker": self.queue.worker}):
                return Outcome.TAKEN_AWAY
            if work is not None:
                await session.run_sync(work)
        return Outcome.SUCCEEDED

    async def _failed(self, spec: JobSpec, job: Job, error: Exception) -> "_Ending":
        wait = retry_delay(spec, job.attempts + 1, random.random())  # noqa: S311 - spreads load, guards nothing
        await self.queue.fail(job, _account(error), wait)
        return _Ending(Outcome.FAILED if wait is None else Outcome.RETRIED, error, wait)


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    error: Exception | None = None
    wait: timedelta | None = None


def _actor(job: Job) -> Actor:
    return Actor.system(Channel.JOB, cause=f"job:{job.task_name}")


def _write_line(job: Job, ending: _Ending, seconds: float) -> None:
    details = {"name": job.task_name, "id": job.id, "attempt": job.attempts + 1, "seconds": round(seconds, 4)}
    if ending.error is not None:
        details["error"] = one_line(repr(ending.error), 500)
    if ending.wait is not None:
        details["retry_in"] = round(ending.wait.total_seconds(), 1)
    write = _log.error if ending.outcome is Outcome.FAILED else _log.info
    write("job", outcome=ending.outcome.value, **details)


def _runnable(spec: JobSpec | None, job: Job) -> JobSpec:
    if spec is None:
        message = (
            f"No job is called {job.task_name!r} here: wiring.py does not list it, or this worker is an older one."
        )
        raise CannotRunError(message)
    if job.attempts > spec.retries + _DEATHS_SPARED:
        message = f"It was begun {job.attempts} times and did not end: what it does may be what kills its worker."
        raise CannotRunError(message)
    return spec


def _account(error: Exception) -> str:
    """Say what went wrong in one line, and beneath where."""
    return f"{type(error).__name__}: {error}\n\n{''.join(traceback.format_exception(error))}"
