"""What routes ask for that talk to other servers: who asks is known, and no transaction is open while they wait.

A transaction that waits for somebody else's server keeps a connection, and old rows from being cleared away.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.database import Database, actor_of
from deskbell.kernel.errors import ForbiddenError
from deskbell.web.csrf import check_csrf
from deskbell.web.dependencies import _presented, admit


@dataclass(frozen=True, slots=True)
class Apart:
    """Whoever asks, and short transactions in which they act, as many as there need be."""

    me: Identity
    actor: Actor
    database: Database

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction in which whoever asks acts."""
        return self.database.async_transaction(self.actor)

    def as_system(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open one in which the system acts for them: it alone opens secrets."""
        return self.database.async_transaction(replace(self.actor, kind=ActorKind.SYSTEM))


async def find_out(request: Request) -> Apart:
    """Find out who asks, in a transaction that ends before the route begins. Raises as `open_transaction` does."""
    secret, channel = _presented(request)
    if channel is Channel.WEB:
        await check_csrf(request, request.app.state.key, secret)
    request.state.live = request.app.state.live.cursor
    database: Database = request.app.state.database
    async with database.async_unidentified_transaction() as session:
        identity = await session.run_sync(admit, request, secret, channel)
        return Apart(identity, actor_of(session.sync_session), database)


async def _of_admin(apart: Annotated[Apart, Depends(find_out)]) -> Apart:
    if apart.me.role is not Role.ADMIN:
        raise ForbiddenError("Only an administrator may do this.")
    return apart


AdminApart = Annotated[Apart, Depends(_of_admin)]
