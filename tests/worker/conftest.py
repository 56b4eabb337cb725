"""A workshop: a database with the job queue and a table that jobs leave their mark in, and workers that run there."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.jobs import JSON, Jobs, add_job
from deskbell.worker import Pace, run_worker

BRISK = Pace(
    poll=timedelta(seconds=0.2),
    heartbeat=timedelta(seconds=0.2),
    silence=timedelta(seconds=1),
    grace=timedelta(seconds=0.3),
    reconnect=timedelta(seconds=0.1),
)


def mark(session: Session, **note: JSON) -> None:
    """A job: leave a mark."""
    session.execute(text("insert into marks (note) values (cast(:note as jsonb))"), {"note": json.dumps(note)})


@dataclass(frozen=True)
class Workshop:
    """Where the tests' jobs are added, run and looked at."""

    admin: Address
    database: Database

    @property
    def conninfo(self) -> str:
        return self.database.address.dsn

    def add(self, job: str, /, **arguments: Any) -> int:
        with self.database.transaction(Actor.system()) as session:
            return add_job(session, job, **arguments)

    def query(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        """Look, as the superuser."""
        with psycopg.connect(self.admin.dsn, row_factory=dict_row) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def job(self, job_id: int) -> dict[str, Any]:
        return self.query("select * from jobs.procrastinate_jobs where id = %s", job_id)[0]

    def notes(self) -> list[Any]:
        return [row["note"] for row in self.query("select note from marks order by id")]

    @asynccontextmanager
    async def worker(self, jobs: Jobs, **options: Any) -> AsyncIterator[asyncio.Event]:
        """Run a worker beside the block; yield what stops it."""
        stop = asyncio.Event()
        options = {"address": self.database.address, "pace": BRISK, **options}
        task = asyncio.create_task(run_worker(self.database, jobs, stop=stop, **options))
        try:
            yield stop
        finally:
            stop.set()
            await asyncio.wait_for(task, 30)
            await self.database.async_engine.dispose()

    async def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something is so; fail when it does not come."""
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - the database sets no asyncio.Event
                await asyncio.sleep(0.02)

    async def until_ended(self, *job_ids: int) -> None:
        """Wait until none of these jobs (default: of all) waits or runs."""
        states = "select 1 from jobs.procrastinate_jobs where status in ('todo', 'doing')"
        some = f"{states} and id = any(%s)"
        await self.until(lambda: not (self.query(some, list(job_ids)) if job_ids else self.query(states)))


@pytest.fixture
def workshop(fresh_address: Address, fresh_database: Database) -> Workshop:
    """A database for one test, with the queue."""
    with psycopg.connect(fresh_address.dsn) as connection:
        connection.execute("create table marks (id bigint generated always as identity, note jsonb)")
        connection.execute("grant insert, select on marks to deskbell_system")
    return Workshop(fresh_address, fresh_database)
