"""The job queue as an administrator sees it: how long it is, what failed and why, and another try."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, column, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.errors import ConflictError, NotFoundError
from deskbell.kernel.paging import Cursor, Page, SortKey, check_limit, fingerprint, foreign_cursor, page
from deskbell.kernel.system.rows import rows_of

COUNTED: Final = 100_000
"""More jobs of one state than this are not counted."""

_NEWEST_FIRST: Final = (SortKey(column("id", BigInteger), descending=True, nullable=False, unique=True),)
_REFUSALS: Final = {
    "waiting": "Job {} waits for its first try: a worker takes it when its time has come.",
    "running": "Job {} is running. If it fails, it can be tried again.",
}


class JobState(StrEnum):
    """Where a job is: it waits for a worker, its time or another try; it runs; it failed for good; or it is done."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Job:
    """A job, with the first line of why it failed last. `run_at`: it waits until then; `attempts`: the tries so far."""

    id: int
    job: str
    queue: str
    state: JobState
    attempts: int
    arguments: dict[str, Any]
    added_at: datetime | None
    run_at: datetime | None
    failed_at: datetime | None
    reason: str | None

    def __post_init__(self) -> None:
        """Take the state as PostgreSQL writes it."""
        object.__setattr__(self, "state", JobState(self.state))


@dataclass(frozen=True, slots=True)
class Queue:
    """How many jobs there are of each state, at most `COUNTED`, and how many workers were heard of in 30 seconds.

    The oldest is the job that could have run longest ago and still waits, `oldest_since` then; None where none does.
    """

    waiting: int
    running: int
    failed: int
    workers: int
    oldest_id: int | None
    oldest_job: str | None
    oldest_since: datetime | None


def queue_depth(session: Session) -> Queue:
    """Return how the queue stands. Raises ForbiddenError for everybody but administrators and the system."""
    [queue] = rows_of(session, Queue, "deskbell_queue", most=COUNTED)
    return queue


def job_page(
    session: Session, state: JobState | None = None, *, limit: int = 50, cursor: Cursor | None = None, query: str = ""
) -> Page[Job]:
    """Return a page of jobs, newest first, of one state or of all. Raises as `keyset` and `queue_depth` do."""
    check_limit(limit)
    before = None
    if cursor is not None:
        if cursor.fingerprint != fingerprint(_NEWEST_FIRST, query):
            raise foreign_cursor()
        [before] = cursor.values
    wanted = None if state is None else state.value
    found = rows_of(session, Job, "deskbell_jobs", state=wanted, before=before, most=limit + 1)
    return page(found, _NEWEST_FIRST, limit=limit, query=query)


def retry_job(session: Session, job_id: int) -> None:
    """Run a failed job again, as often as a new one, or at once one that waits for its next try: an operation.

    Raises NotFoundError, and ConflictError for a job that runs, is done, or was not tried yet.
    """
    before = session.scalar(select(func.deskbell_retry_job(bindparam("wanted", job_id, BigInteger))))
    if before is None:
        raise NotFoundError(f"There is no job {job_id}. Those that ended are kept for some days only.")
    if before not in {"failed", "retrying"}:
        raise ConflictError(_REFUSALS.get(before, "Job {} is done.").format(job_id))
