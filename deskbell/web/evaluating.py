"""What routes ask for that work out figures: to have that done where it disturbs nobody.

Who asks is looked up on the primary, as a replica may not know yet that a token was revoked.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.kernel.database import Database, actor_of
from deskbell.kernel.errors import ForbiddenError
from deskbell.kernel.replay import position_of
from deskbell.web.dependencies import _presented, admit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figures:
    """Works out figures as whoever asks, of all that had been committed when they asked."""

    me: Identity
    run: Callable[[Callable[[Session], Any]], Awaitable[Any]]

    async def of(self, work: Callable[[Session], T]) -> T:
        """Call `work`, which only reads: on a replica, where there is a fit one. It may be called again."""
        return cast("T", await self.run(work))


async def open_figures(request: Request) -> AsyncIterator[Figures]:
    """Find out who asks; without replicas what is worked out is in the same transaction."""
    secret, channel = _presented(request)
    database: Database = request.app.state.database
    async with database.async_unidentified_transaction() as session:
        identity = await session.run_sync(admit, request, secret, channel)
        if not database.replicas:
            yield Figures(identity, session.run_sync)
            return
        actor, position = actor_of(session.sync_session), await session.run_sync(position_of)
    yield Figures(identity, partial(database.async_evaluate, actor, after=position))


Evaluation = Annotated[Figures, Depends(open_figures, scope="function")]


async def _of_staff(figures: Evaluation) -> Figures:
    if figures.me.role is Role.CUSTOMER:
        raise ForbiddenError("Only the desk may do this.")
    return figures


StaffEvaluation = Annotated[Figures, Depends(_of_staff, scope="function")]
