"""Adding a job to the queue."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import BigInteger, ColumnElement, DateTime, Integer, Text, bindparam, func, null, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from deskbell.kernel.lanes.pipelining import run
from deskbell.kernel.lanes.statements import Statement

_Plain = str | int | float | bool | None
JSON = _Plain | Sequence["JSON"] | Mapping[str, "JSON"]
"""What a job can be given: it is kept as jsonb, which takes no NUL and no lone surrogate."""

_ADDED = select(
    func.deskbell_add_job(
        bindparam("job", type_=Text),
        bindparam("arguments", type_=JSONB),
        bindparam("queue", type_=Text),
        bindparam("run_at", type_=DateTime(timezone=True)),
        bindparam("lock", type_=Text),
        bindparam("priority", type_=Integer),
        type_=BigInteger,
    )
)
_ADD = Statement(_ADDED, prepared=True)


_EACH = func.jsonb_array_elements(bindparam("each", type_=JSONB), type_=JSONB).column_valued("arguments")
_ADD_EACH = select(
    func.deskbell_add_job(
        bindparam("job", type_=Text),
        _EACH,
        bindparam("queue", type_=Text),
        null(),
        null(),
        bindparam("priority", type_=Integer),
    )
)


def add_job(
    session: Session,
    job: str,
    /,
    *,
    queue: str = "default",
    run_at: datetime | None = None,
    lock: str | None = None,
    priority: int = 0,
    **arguments: JSON,
) -> int:
    """Add a job in the session's transaction, by one statement, and return its id. Rolled back, there is no job.

    It runs after the commit, not before `run_at` (aware; default: at once), those of higher `priority` first. Jobs with
    the same `lock` run one at a time, in the order of priority and id: one that waits for its time or for a retry holds
    up the later ones. `arguments` go to the job's function: ids rather than content, for it reads them then.
    """
    if run_at is not None and run_at.tzinfo is None:
        message = f"run_at must say its time zone: {run_at}"
        raise ValueError(message)
    values = {"job": job, "arguments": arguments, "queue": queue, "run_at": run_at, "lock": lock, "priority": priority}
    job_id: int = run(session, _ADD, values).scalar_one()
    return job_id


def add_job_if(session: Session, condition: ColumnElement[bool], job: str, /, **arguments: JSON) -> Callable[[], bool]:
    """Add a job as `add_job` does where a condition holds in the database, by one statement for both.

    Return how to find out whether it did; in a pipelined session that waits. `condition` is a constant of a module, as
    a statement is kept for each.
    """
    values = {"job": job, "arguments": arguments, "queue": "default", "run_at": None, "lock": None, "priority": 0}
    added = run(session, _add_if(condition), values)
    return lambda: added.one_or_none() is not None


@lru_cache
def _add_if(condition: ColumnElement[bool]) -> Statement:
    return Statement(_ADDED.where(condition), prepared=True)


def add_jobs(
    session: Session, job: str, each: Sequence[Mapping[str, JSON]], *, queue: str = "default", priority: int = 0
) -> None:
    """Add a job for each of these arguments, in this order, as `add_job` does, by one statement for all."""
    if each:
        session.execute(_ADD_EACH, {"job": job, "each": list(each), "queue": queue, "priority": priority})
