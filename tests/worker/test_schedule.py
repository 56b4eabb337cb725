"""When periodic jobs are due."""

from datetime import UTC, datetime, timedelta, timezone

from deskbell.kernel.jobs import JobSpec
from deskbell.worker.schedule import last_due, next_due

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_a_job_is_due_in_the_minute_that_its_expression_names() -> None:
    assert last_due("0 12 * * *", NOON) == NOON
    assert last_due("0 12 * * *", NOON + timedelta(seconds=59)) == NOON
    assert last_due("0 12 * * *", NOON - timedelta(seconds=1)) == NOON - timedelta(days=1)


def test_times_are_in_utc_wherever_the_clock_stands() -> None:
    berlin = timezone(timedelta(hours=2))
    assert last_due("0 12 * * *", NOON.astimezone(berlin)) == NOON


def test_the_next_time_is_that_of_the_earliest_job() -> None:
    jobs = {
        "hourly": JobSpec(print, cron="5 * * * *"),
        "daily": JobSpec(print, cron="0 3 * * *"),
        "other": JobSpec(print),
    }
    assert next_due(jobs, NOON) == NOON + timedelta(minutes=5)
    assert next_due({"other": JobSpec(print)}, NOON) is None
