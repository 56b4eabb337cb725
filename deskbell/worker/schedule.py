"""When periodic jobs are due: five-field cron expressions, in UTC. Times in, times out."""

from datetime import UTC, datetime

from croniter import croniter  # type: ignore[import-untyped] # its types are a package of their own

from deskbell.kernel.jobs import Jobs


def last_due(cron: str, now: datetime) -> datetime:
    """Return the latest time, up to and with `now`, at which it was due."""
    if croniter.match(cron, now.astimezone(UTC)):
        return now.astimezone(UTC).replace(second=0, microsecond=0)
    due: datetime = croniter(cron, now.astimezone(UTC)).get_prev(datetime)
    return due


def next_due(jobs: Jobs, now: datetime) -> datetime | None:
    """Return when the next of the periodic jobs is due after `now`, or None when there are none."""
    times = (croniter(spec.cron, now.astimezone(UTC)).get_next(datetime) for spec in jobs.values() if spec.cron)
    return min(times, default=None)
