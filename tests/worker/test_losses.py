"""What a worker survives, and what it leaves behind when it does not: stopped, killed, cut off from its database."""

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from deskbell.kernel.address import Address
from deskbell.kernel.jobs import JobSpec
from deskbell.worker import run_worker
from deskbell.worker.queue import joined
from deskbell.worker.run import Runner
from tests.worker.conftest import BRISK, Workshop, mark

pytestmark = pytest.mark.anyio

MARK = {"mark": JobSpec(mark)}


def sleep(session: Session, *, seconds: float) -> None:
    """A job that takes its time in the database, where it can be cut off."""
    mark(session, slept=seconds)
    session.execute(text("select pg_sleep(:seconds)"), {"seconds": seconds})


HOUR = timedelta(hours=1)
SLEEP = {**MARK, "sleep": JobSpec(sleep, retries=0)}
RUNNING = (
    "select 1 from pg_stat_activity"
    " where query like 'select pg_sleep%%' and state = 'active' and datname = current_database()"
)


def hold(session: Session) -> None:
    """A job that goes on when a lock is free."""
    mark(session, held=True)
    session.execute(text("select pg_advisory_xact_lock(7)"))


HOLD = {"hold": JobSpec(hold, retries=0)}
HELD = "select 1 from pg_locks where locktype = 'advisory' and not granted"

VICTIM = """
import asyncio, sys
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.settings import DatabaseSettings
from deskbell.worker import run_worker
from tests.worker.test_losses import BRISK, HOLD

async def main():
    database = Database(Address.parse(sys.argv[1]), DatabaseSettings())
    await run_worker(database, HOLD, address=database.address, stop=asyncio.Event(), pace=BRISK)

asyncio.run(main())
"""


async def test_an_idle_worker_stops_at_once(workshop: Workshop) -> None:
    async with workshop.worker(MARK, pace=replace(BRISK, poll=HOUR, heartbeat=HOUR)) as stop:
        await workshop.until_ended(workshop.add("mark"))
        stop.set()
    assert workshop.query("select 1 from jobs.procrastinate_workers") == []


async def test_a_job_that_runs_when_the_worker_stops_may_finish(workshop: Workshop) -> None:
    job_id = workshop.add("sleep", seconds=1.5)
    async with workshop.worker(SLEEP, pace=replace(BRISK, grace=HOUR)):
        await workshop.until(lambda: workshop.query(RUNNING))
    assert (workshop.job(job_id)["status"], workshop.notes()) == ("succeeded", [{"slept": 1.5}])


async def test_a_job_that_takes_too_long_to_stop_goes_back_undone_and_untried(workshop: Workshop) -> None:
    job_id = workshop.add("sleep", seconds=30)
    async with workshop.worker(SLEEP):
        await workshop.until(lambda: workshop.query(RUNNING))
        before = monotonic()
    assert monotonic() - before < 25
    assert (workshop.job(job_id)["status"], workshop.job(job_id)["attempts"], workshop.notes()) == ("todo", 0, [])


async def test_a_job_whose_worker_was_killed_runs_again(workshop: Workshop) -> None:
    job_id = workshop.add("hold", lock="ticket:1")
    with psycopg.connect(workshop.admin.dsn) as holding:
        holding.execute("select pg_advisory_xact_lock(7)")
        victim = await asyncio.create_subprocess_exec(sys.executable, "-c", VICTIM, workshop.conninfo)
        await workshop.until(lambda: workshop.query(HELD))
        victim.send_signal(signal.SIGKILL)
        await victim.wait()
        assert workshop.job(job_id)["status"] == "doing"
    with capture_logs() as lines:
        async with workshop.worker(HOLD):
            await workshop.until_ended(job_id)
    assert job_id in [line["id"] for line in lines if line["event"] == "job_taken_back"]
    assert (workshop.job(job_id)["status"], workshop.job(job_id)["attempts"]) == ("succeeded", 2)
    assert workshop.notes() == [{"held": True}]


async def test_a_job_that_kills_its_workers_is_given_up(workshop: Workshop) -> None:
    job_id = workshop.add("sleep", seconds=0)
    workshop.query("update jobs.procrastinate_jobs set attempts = 4 where id = %s", job_id)
    async with workshop.worker(SLEEP):
        await workshop.until_ended(job_id)
    assert (workshop.job(job_id)["status"], workshop.notes()) == ("failed", [])
    assert "begun 4 times" in workshop.query("select error from jobs.errors")[0]["error"]


async def test_a_job_that_another_worker_has_taken_over_is_not_run_twice(workshop: Workshop) -> None:
    job_id = workshop.add("mark")
    async with joined(workshop.database.address, None) as queue:
        job = await queue.fetch()
        assert job is not None
        workshop.query("update jobs.procrastinate_jobs set status = 'todo', worker_id = null where id = %s", job_id)
        await Runner(workshop.database, MARK, queue).run(job)
        await queue.fail(job, "not mine", None)
    await workshop.database.async_engine.dispose()
    assert (workshop.job(job_id)["status"], workshop.job(job_id)["attempts"], workshop.notes()) == ("todo", 0, [])


async def test_a_job_whose_transaction_lives_is_not_taken_from_a_silent_worker(workshop: Workshop) -> None:
    job_id = workshop.add("sleep", seconds=1)
    async with joined(workshop.database.address, None) as silent, joined(workshop.database.address, None) as other:
        job = await silent.fetch()
        assert job is not None
        run = asyncio.create_task(Runner(workshop.database, SLEEP, silent).run(job))
        await workshop.until(lambda: workshop.query(RUNNING))
        assert await other.take_back(timedelta(0)) == []
        await run
    await workshop.database.async_engine.dispose()
    assert (workshop.job(job_id)["status"], workshop.notes()) == ("succeeded", [{"slept": 1}])


async def test_a_worker_goes_on_when_all_its_connections_were_cut(workshop: Workshop) -> None:
    first = workshop.add("sleep", seconds=0.5)
    async with workshop.worker({**MARK, "sleep": JobSpec(sleep, wait=timedelta(0))}):
        await workshop.until(lambda: workshop.query(RUNNING))
        workshop.query(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'deskbell_app' and datname = current_database()"
        )
        second = workshop.add("mark", after="the cut")
        await workshop.until_ended(first, second)
    assert sorted(workshop.notes(), key=str) == [{"after": "the cut"}, {"slept": 0.5}]


async def test_a_worker_waits_for_a_database_that_is_not_there_and_stops_when_told(workshop: Workshop) -> None:
    stop = asyncio.Event()
    with capture_logs() as lines:
        nowhere = Address("127.0.0.1", 1, "away", "nobody", "")
        away = run_worker(workshop.database, MARK, address=nowhere, stop=stop, pace=BRISK)
        task = asyncio.create_task(away)
        await workshop.until(lambda: len(lines) >= 2)
        stop.set()
        await asyncio.wait_for(task, 2)
    assert {line["event"] for line in lines} == {"worker_restarts"}


async def test_a_worker_that_was_forgotten_joins_again(workshop: Workshop) -> None:
    async with workshop.worker(MARK):
        await workshop.until(lambda: workshop.query("select 1 from jobs.procrastinate_workers"))
        workshop.query("delete from jobs.procrastinate_workers")
        await workshop.until_ended(workshop.add("mark", back=True))
    assert workshop.notes() == [{"back": True}]
