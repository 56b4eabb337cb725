"""What the queue does for itself: old jobs go."""

from datetime import timedelta

from sqlalchemy import Interval, bindparam, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.jobs.spec import Jobs, JobSpec

KEEP_DONE = timedelta(days=7)
KEEP_FAILED = timedelta(days=90)

_REMOVE = select(func.jobs.remove_old_jobs(bindparam("done", type_=Interval), bindparam("failed", type_=Interval)))


def remove_old_jobs(session: Session, *, keep_done: timedelta = KEEP_DONE, keep_failed: timedelta = KEEP_FAILED) -> int:
    """Remove the jobs that ended longer ago than that; return how many."""
    removed: int = session.execute(_REMOVE, {"done": keep_done, "failed": keep_failed}).scalar_one()
    return removed


UPKEEP: Jobs = {"jobs.remove_old": JobSpec(remove_old_jobs, cron="23 * * * *")}
"""Every worker knows these, whatever else it runs."""
