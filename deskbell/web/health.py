"""Whether the process is up, and whether it can do its work: for load balancers and supervisors, without log-in."""

from datetime import timedelta
from typing import Literal

from anyio import Lock, to_thread
from fastapi import APIRouter, Request
from sqlalchemy import text

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.clock import Clock
from deskbell.kernel.database import Database
from deskbell.kernel.errors import UnavailableError
from deskbell.migrations.runner import Migrator
from deskbell.web.problems import problem_responses
from deskbell.web.schemas.base import Output

router = APIRouter(tags=["health"], responses=problem_responses(500))
_PROBE = Actor.system(Channel.WEB, act="readiness")
_REMEMBERED = timedelta(seconds=10)


class Health(Output):
    """All is well."""

    status: Literal["ok"] = "ok"


class Readiness:
    """Asks the database whether it answers and its schema is current.

    The schema is looked at once in ten seconds at most: that takes a connection of its own, and anybody may ask.
    """

    def __init__(self, database: Database, migrator: Migrator | None, clock: Clock) -> None:
        """Without a migrator the schema is taken to be current."""
        self._database, self._migrator, self._clock = database, migrator, clock
        self._lock = Lock()
        self._current_until = clock.now()

    async def check(self) -> None:
        """Raise UnavailableError when the desk cannot work."""
        async with self._database.async_transaction(_PROBE) as session:
            await session.execute(text("select 1"))
        async with self._lock:
            if self._migrator is not None and self._clock.now() >= self._current_until:
                status = await to_thread.run_sync(self._migrator.status)
                if not status.is_current:
                    raise UnavailableError("The database lacks migrations. Run `deskbell db upgrade`.")
                self._current_until = self._clock.now() + _REMEMBERED


@router.get("/healthz", summary="Is the process up?")
async def healthz() -> Health:
    """Answer. This looks at nothing but the process itself."""
    return Health()


@router.get("/readyz", summary="Can it do its work?", responses=problem_responses(503))
async def readyz(request: Request) -> Health:
    """Answer 200 when the database answers and its schema is current."""
    readiness: Readiness = request.app.state.readiness
    await readiness.check()
    return Health()
