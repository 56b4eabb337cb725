"""Adding a job: part of the caller's transaction, allowed to everybody who acts, readable to none but the system."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import event, text

from deskbell.kernel.actor import Actor, ActorKind
from deskbell.kernel.errors import ForbiddenError
from deskbell.kernel.jobs import add_job
from tests.worker.conftest import Workshop

SYSTEM = Actor.system()
PEOPLE = [Actor(kind, 1) for kind in (ActorKind.CUSTOMER, ActorKind.AGENT, ActorKind.ADMIN)]


def test_a_job_is_there_as_it_was_added_once_the_transaction_commits(workshop: Workshop) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    arguments = {"ticket_id": 7, "names": ["Zoë", "山"], "deep": {"none": None, "rate": 0.5}}
    job_id = workshop.add("mail.send", queue="mail", run_at=tomorrow, lock="ticket:7", priority=3, **arguments)
    job = workshop.job(job_id)
    assert (job["task_name"], job["queue_name"], job["args"]) == ("mail.send", "mail", arguments)
    assert (job["status"], job["scheduled_at"], job["lock"], job["priority"]) == ("todo", tomorrow, "ticket:7", 3)


def test_a_transaction_that_is_rolled_back_leaves_no_job(workshop: Workshop) -> None:
    with workshop.database.transaction(SYSTEM) as session:
        add_job(session, "noop")
        session.rollback()
    assert workshop.query("select 1 from jobs.procrastinate_jobs") == []


@pytest.mark.anyio
async def test_an_asynchronous_session_adds_jobs_just_so(workshop: Workshop) -> None:
    async with workshop.database.async_transaction(SYSTEM) as session:
        kept = await session.run_sync(lambda sync: add_job(sync, "noop", lock="a", run_at=datetime.now(UTC), number=1))
    async with workshop.database.async_transaction(SYSTEM) as session:
        await session.run_sync(add_job, "noop", number=2)
        await session.rollback()
    await workshop.database.async_engine.dispose()
    assert [(job["id"], job["args"]) for job in workshop.query("select * from jobs.procrastinate_jobs")] == [
        (kept, {"number": 1})
    ]


def test_adding_a_job_is_one_statement(workshop: Workshop) -> None:
    statements: list[str] = []
    with workshop.database.transaction(SYSTEM) as session:
        session.execute(text("select 1"))
        event.listen(workshop.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        add_job(session, "noop", lock="a", number=1)
    assert len(statements) == 1


@pytest.mark.parametrize("actor", PEOPLE, ids=lambda actor: actor.kind.value)
def test_people_add_jobs_but_see_and_change_none(workshop: Workshop, actor: Actor) -> None:
    with workshop.database.transaction(actor) as session:
        job_id = add_job(session, "noop", secret="x")
    assert workshop.job(job_id)["args"] == {"secret": "x"}
    for forbidden in (
        "select * from jobs.procrastinate_jobs",
        "update jobs.procrastinate_jobs set args = '{}'",
        "delete from jobs.procrastinate_jobs",
        "select * from jobs.errors",
        "select jobs.finish_job(1, 1)",
        "select jobs.procrastinate_fetch_job_v2(null, 1)",
    ):
        with pytest.raises(ForbiddenError), workshop.database.transaction(actor) as session:
            session.execute(text(forbidden))


def test_without_an_actor_no_job_is_added(workshop: Workshop) -> None:
    with psycopg.connect(workshop.conninfo) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select deskbell_add_job('noop')")


def test_a_table_in_the_callers_search_path_does_not_catch_jobs(workshop: Workshop) -> None:
    with workshop.database.transaction(PEOPLE[0]) as session:
        session.execute(text("create temporary table procrastinate_jobs (id bigint)"))
        job_id = add_job(session, "noop")
    assert workshop.job(job_id)["status"] == "todo"


def test_a_time_without_a_zone_is_refused(workshop: Workshop) -> None:
    with pytest.raises(ValueError, match="time zone"):
        workshop.add("noop", run_at=datetime(2026, 1, 1))  # noqa: DTZ001 - this is what is refused
