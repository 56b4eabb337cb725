"""Running jobs: once each, in order, all or nothing, again when they fail."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import actor_of
from deskbell.kernel.jobs import JSON, JobSpec, add_job
from tests.worker.conftest import Workshop, mark

pytestmark = pytest.mark.anyio

MARK = {"mark": JobSpec(mark)}
NOW = timedelta(0)


async def test_a_job_runs_with_its_arguments_and_leaves_one_line_in_the_log(workshop: Workshop) -> None:
    with capture_logs() as lines:
        async with workshop.worker(MARK):
            job_id = await asyncio.to_thread(workshop.add, "mark", number=1, name="Zoë")
            await workshop.until_ended(job_id)
    assert workshop.notes() == [{"number": 1, "name": "Zoë"}]
    assert (workshop.job(job_id)["status"], workshop.job(job_id)["attempts"]) == ("succeeded", 1)
    [line] = [line for line in lines if line["event"] == "job" and line["name"] == "mark"]
    assert (line["id"], line["attempt"], line["outcome"], line["seconds"] < 5) == (job_id, 1, "succeeded", True)


async def test_a_job_acts_as_the_system_and_says_why(workshop: Workshop) -> None:
    def tell(session: Session) -> None:
        settings = text(
            "select current_user::text, current_setting('deskbell.cause'), current_setting('deskbell.channel')"
        )
        mark(session, told=list(session.execute(settings).one()), actor=actor_of(session).kind.value)

    async with workshop.worker({"tell": JobSpec(tell)}):
        await workshop.until_ended(workshop.add("tell"))
    assert workshop.notes() == [{"told": ["deskbell_system", "job:tell", "job"], "actor": "system"}]


async def test_what_a_failing_job_did_is_taken_back_and_it_is_tried_again(workshop: Workshop) -> None:
    tries: list[str] = []

    def third_time_lucky(session: Session) -> None:
        tries.append("try")
        mark(session, number=len(tries))
        add_job(session, "mark", by=len(tries))
        if len(tries) < 3:
            raise ConnectionError("the mail server is away")

    jobs = {**MARK, "lucky": JobSpec(third_time_lucky, retries=5, wait=NOW)}
    async with workshop.worker(jobs):
        job_id = workshop.add("lucky")
        await workshop.until_ended()
    assert workshop.notes() == [{"number": 3}, {"by": 3}]
    assert (workshop.job(job_id)["status"], workshop.job(job_id)["attempts"]) == ("succeeded", 3)


async def test_after_the_last_try_a_job_stays_as_failed_with_what_went_wrong(workshop: Workshop) -> None:
    def hopeless(_session: Session) -> None:
        raise ValueError("no such\0 mailbox \ud800")

    async with workshop.worker({"hopeless": JobSpec(hopeless, retries=1, wait=NOW)}):
        job_id = workshop.add("hopeless")
        await workshop.until_ended(job_id)
    assert (workshop.job(job_id)["status"], workshop.job(job_id)["attempts"]) == ("failed", 2)
    errors = workshop.query("select attempt, error from jobs.errors where job_id = %s order by id", job_id)
    assert [error["attempt"] for error in errors] == [1, 2]
    assert errors[1]["error"].startswith("ValueError: no such mailbox \ufffd\n\nTraceback")


async def test_an_error_of_the_database_at_commit_fails_the_job(workshop: Workshop) -> None:
    workshop.query(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;"
        "create constraint trigger refuse after insert on marks deferrable initially deferred"
        " for each row execute function refuse()"
    )
    async with workshop.worker({"mark": JobSpec(mark, retries=0)}):
        job_id = workshop.add("mark")
        await workshop.until_ended(job_id)
    assert workshop.job(job_id)["status"] == "failed"


async def test_jobs_with_one_lock_run_one_at_a_time_and_in_order(workshop: Workshop) -> None:
    def slowly(session: Session, number: int) -> None:
        mark(session, began=number)
        session.execute(text("select pg_sleep(0.01)"))
        mark(session, ended=number)

    for number in range(20):
        workshop.add("slowly", lock="ticket:1", number=number)
    async with workshop.worker({"slowly": JobSpec(slowly)}), workshop.worker({"slowly": JobSpec(slowly)}):
        await workshop.until(lambda: len(workshop.notes()) == 40, seconds=6)  # polling alone would take the longer
    assert workshop.notes() == [{key: number} for number in range(20) for key in ("began", "ended")]


async def test_a_job_with_another_lock_need_not_wait(workshop: Workshop) -> None:
    def wait(session: Session, number: int) -> None:
        session.execute(text("select pg_advisory_xact_lock(1)"))
        mark(session, number=number)

    with workshop.database.transaction(Actor.system()) as session:
        session.execute(text("select pg_advisory_xact_lock(1)"))
        workshop.add("wait", lock="ticket:1", number=1)
        async with workshop.worker({"wait": JobSpec(wait), **MARK}):
            await workshop.until_ended(workshop.add("mark", lock="ticket:2", number=2))
            session.rollback()
            await workshop.until_ended()
    assert workshop.notes() == [{"number": 2}, {"number": 1}]


async def test_two_workers_run_every_job_once(workshop: Workshop) -> None:
    with workshop.database.transaction(Actor.system()) as session:
        for number in range(100):
            add_job(session, "mark", number=number)
    async with workshop.worker(MARK), workshop.worker(MARK):
        await workshop.until_ended()
    assert sorted(note["number"] for note in workshop.notes()) == list(range(100))


async def test_a_job_waits_for_its_time(workshop: Workshop) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.8)
    job_id = workshop.add("mark", run_at=soon)
    async with workshop.worker(MARK):
        await workshop.until_ended(job_id)
    [started] = workshop.query(
        "select at from jobs.procrastinate_events where type = 'started' and job_id = %s", job_id
    )
    assert started["at"] >= soon


async def test_higher_priority_goes_first(workshop: Workshop) -> None:
    for priority in (0, 5, -5):
        workshop.add("mark", priority=priority, level=priority)
    async with workshop.worker(MARK, concurrency=1):
        await workshop.until_ended()
    assert [note["level"] for note in workshop.notes()] == [5, 0, -5]


async def test_a_worker_of_some_queues_leaves_the_others_alone(workshop: Workshop) -> None:
    other, mine = workshop.add("mark", queue="other"), workshop.add("mark", queue="mine")
    async with workshop.worker(MARK, queues=["mine"]):
        await workshop.until_ended(mine)
        heard = workshop.add("mark", queue="mine")
        await workshop.until_ended(heard)
    assert workshop.job(other)["status"] == "todo"


async def test_a_job_that_nobody_knows_is_kept_with_the_reason(workshop: Workshop) -> None:
    job_id = workshop.add("no.such.job")
    async with workshop.worker(MARK):
        await workshop.until(lambda: workshop.query("select 1 from jobs.errors"))
    assert (workshop.job(job_id)["status"], workshop.job(job_id)["attempts"]) == ("todo", 1)
    assert "No job is called 'no.such.job'" in workshop.query("select error from jobs.errors")[0]["error"]


async def test_a_periodic_job_that_was_missed_runs_once_however_many_workers(workshop: Workshop) -> None:
    yearly = {"yearly": JobSpec(lambda session: mark(session, happy="new year"), cron="0 0 1 1 *")}
    async with workshop.worker(yearly), workshop.worker(yearly):
        await workshop.until(workshop.notes)
        await workshop.until_ended()
    async with workshop.worker({**yearly, **MARK}):
        await workshop.until_ended(workshop.add("mark", last=True))
    assert workshop.notes() == [{"happy": "new year"}, {"last": True}]


async def test_jobs_that_ended_long_ago_are_removed_failed_ones_later(workshop: Workshop) -> None:
    ages: dict[str, JSON] = {"succeeded": 8, "failed": 91, "cancelled": 8, "todo": 100}
    young = {workshop.add("mark", run_at=datetime(2100, 1, 1, tzinfo=UTC)) for _ in ages}
    old = {status: workshop.add("mark", run_at=datetime(2100, 1, 1, tzinfo=UTC)) for status in ages}
    workshop.query("delete from jobs.procrastinate_events where type = 'scheduled'")
    for (status, days), recent in zip(ages.items(), young, strict=True):
        for job_id, age in ((old[status], days), (recent, 6)):
            workshop.query(
                "update jobs.procrastinate_jobs set status = %s::jobs.procrastinate_job_status where id = %s",
                status,
                job_id,
            )
            workshop.query(
                "update jobs.procrastinate_events set at = now() - %s * interval '1 day' where job_id = %s", age, job_id
            )
    async with workshop.worker(MARK):
        await workshop.until(
            lambda: workshop.query(
                "select 1 from jobs.procrastinate_jobs where task_name = 'jobs.remove_old' and status = 'succeeded'"
            )
        )
    left = {row["id"] for row in workshop.query("select id from jobs.procrastinate_jobs where task_name = 'mark'")}
    assert left == young | {old["todo"]}
