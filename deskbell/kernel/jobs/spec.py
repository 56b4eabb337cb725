"""What a job is: a function, how often it is tried again when it fails, and when it runs by itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Remote:
    """What a job does elsewhere, where nothing can be taken back: `call`, while no transaction is open.

    The job's function comes before, in a transaction of its own that is committed first: it returns what `call` is
    given, or None where there is nothing to do, and leaves behind that it was begun. `record(session, given=…,
    returned=…)` runs in the transaction that ends the job. Who dies in between leaves a job that begins again.
    """

    call: Callable[[Any], Awaitable[Any]]
    record: Callable[..., object]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job's function, called as `function(session, **arguments)` in one transaction of the system actor.

    The transaction also ends the job, so what it does in the database is done once, however often it is tried. An error
    takes all of it back; then it is tried again up to `retries` times, first after `wait`, each time after twice as
    long, up to `longest_wait`. `cron` (five fields, UTC) adds the job to `queue` at these times, without arguments.
    """

    function: Callable[..., object]
    retries: int = 8
    wait: timedelta = timedelta(seconds=5)
    longest_wait: timedelta = timedelta(hours=1)
    remote: Remote | None = None
    cron: str | None = None
    queue: str = "default"


Jobs = Mapping[str, JobSpec]


def retry_delay(spec: JobSpec, failures: int, chance: float) -> timedelta | None:
    """Return how long to wait after the `failures`-th failure in a row (from 1), or None when that was the last try.

    `chance`, from 0 up to 1, shortens the wait by up to half, so that what failed together does not come back together.
    """
    if failures > spec.retries:
        return None
    factor: int = 2 ** min(failures - 1, 30)
    return min(spec.longest_wait, spec.wait * factor) * (1 - chance / 2)
