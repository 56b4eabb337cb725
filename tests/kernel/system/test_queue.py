"""The job queue as an administrator sees it: depth, states, reasons, and another try."""

from typing import Any

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.audit.models import Operation
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.jobs import add_job
from deskbell.kernel.system import Job, JobState, Queue, job_page, queue_depth, retry_job
from deskbell.testing.factories import SYSTEM, Factory, actor

_WORKER = text("insert into jobs.procrastinate_workers default values returning id")
_GIVE = text("update jobs.procrastinate_jobs set status = 'doing', worker_id = :worker where id = :job")
_END = text("select jobs.fail_job(:job, :worker, :error, cast(:wait as interval))")
_PAST = text(
    "insert into jobs.procrastinate_jobs (queue_name, task_name, status)"
    " select 'q', 'j', 'succeeded' from generate_series(1, 5000)"
)
_DONE = text("select jobs.finish_job(:job, :worker)")


def added(database: Database, name: str = "a.job", **arguments: Any) -> int:
    with database.transaction(SYSTEM) as session:
        return add_job(session, name, **arguments)


def ended(database: Database, error: str | None = None, wait: str | None = None) -> int:
    """Add a job that a worker took and ended: well, or for ever, or until it is tried again."""
    job = added(database)
    with database.transaction(SYSTEM) as session:
        worker = session.scalar(_WORKER)
        session.execute(_GIVE, {"job": job, "worker": worker})
        if error is None:
            session.execute(_DONE, {"job": job, "worker": worker})
        else:
            session.execute(_END, {"job": job, "worker": worker, "error": error, "wait": wait})
    return job


def running(database: Database) -> int:
    job = added(database)
    with database.transaction(SYSTEM) as session:
        session.execute(_GIVE, {"job": job, "worker": session.scalar(_WORKER)})
    return job


def jobs(database: Database, state: JobState | None = None) -> list[Job]:
    with database.transaction(SYSTEM) as session:
        return list(job_page(session, state).items)


def depth(database: Database) -> Queue:
    with database.transaction(SYSTEM) as session:
        return queue_depth(session)


def test_jobs_show_by_state_newest_first(database: Database) -> None:
    made = {
        JobState.FAILED: ended(database, "ValueError: no such message\n\nTraceback: line 1"),
        JobState.DONE: ended(database),
        JobState.RUNNING: running(database),
        JobState.WAITING: added(database, "b.job", message_id=7),
    }
    for state, job in made.items():
        assert [(one.id, one.state) for one in jobs(database, state)] == [(job, state)]
    assert [one.id for one in jobs(database)] == sorted(made.values(), reverse=True)
    [failed] = jobs(database, JobState.FAILED)
    assert (failed.reason, failed.attempts) == ("ValueError: no such message", 1)
    assert failed.failed_at is not None
    [waiting] = jobs(database, JobState.WAITING)
    assert (waiting.job, waiting.arguments, waiting.reason) == ("b.job", {"message_id": 7}, None)
    assert waiting.added_at is not None


def test_the_depth_is_counted_and_the_oldest_named(database: Database) -> None:
    assert depth(database) == Queue(0, 0, 0, 0, None, None, None)
    ended(database, "late", wait="1 hour")
    assert depth(database).oldest_id is None  # its time has not come
    first, _second = added(database, "first.job"), added(database)
    ended(database, "for good")
    running(database)
    queue = depth(database)
    assert (queue.waiting, queue.running, queue.failed, queue.workers) == (3, 1, 1, 3)
    assert (queue.oldest_id, queue.oldest_job) == (first, "first.job")


def test_pages_follow_each_other(database: Database) -> None:
    made = [added(database) for _ in range(5)]
    with database.transaction(SYSTEM) as session:
        first = job_page(session, limit=2, query="mine")
        second = job_page(session, limit=3, query="mine", cursor=first.next_cursor)
        assert [job.id for job in (*first.items, *second.items)] == made[::-1]
        assert second.next_cursor is None
        with pytest.raises(InvalidError, match="another query"):
            job_page(session, limit=2, query="another", cursor=first.next_cursor)


def test_a_failed_job_runs_again_as_often_as_a_new_one(database: Database, factory: Factory) -> None:
    job, admin = ended(database, "broken"), factory.user(Role.ADMIN)
    with database.transaction(actor(admin).doing("retry")) as session:
        retry_job(session, job)
    [waiting] = jobs(database, JobState.WAITING)
    assert (waiting.id, waiting.attempts, waiting.reason) == (job, 0, "broken")
    assert depth(database).oldest_id == job
    with database.transaction(SYSTEM) as session:
        [operation] = session.query(Operation).filter(Operation.act.startswith("retry")).all()
    assert (operation.act, operation.user_id) == (f"retry (job {job}, a.job)", admin.id)


def test_a_job_that_waits_for_its_next_try_runs_at_once_and_keeps_count(database: Database) -> None:
    job = ended(database, "broken", wait="1 hour")
    with database.transaction(SYSTEM) as session:
        retry_job(session, job)
    assert (depth(database).oldest_id, jobs(database)[0].attempts) == (job, 1)


def test_other_jobs_are_left_alone(database: Database) -> None:
    for job, said in ((added(database), "first try"), (running(database), "is running"), (ended(database), "is done")):
        with pytest.raises(ConflictError, match=said), database.transaction(SYSTEM) as session:
            retry_job(session, job)
    with pytest.raises(NotFoundError, match="no job 4711"), database.transaction(SYSTEM) as session:
        retry_job(session, 4711)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AGENT])
def test_only_administrators_may(database: Database, factory: Factory, role: Role) -> None:
    job, who = ended(database, "broken"), actor(factory.user(role))
    for act in (queue_depth, job_page, lambda session: retry_job(session, job)):
        with pytest.raises(ForbiddenError), database.transaction(who) as session:
            act(session)
    assert jobs(database)[0].state is JobState.FAILED


def test_what_failed_is_found_without_reading_what_went_well(fresh_database: Database) -> None:
    asked = "explain select * from jobs.procrastinate_jobs where status = 'failed' order by id desc limit 50"
    with fresh_database.transaction(SYSTEM) as session:
        session.execute(_PAST)
        plan = "\n".join(session.scalars(text(asked)))
    assert "ix_procrastinate_jobs_status" in plan
