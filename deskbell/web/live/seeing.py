"""Looking at a ticket marks it as seen: once the page is sent, so that nobody waits for it."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.background import BackgroundTask

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.composing.seen import mark_seen
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import Database
from deskbell.web.dependencies import actor_for

_AHEAD = ("sec-purpose", "purpose")
"""Headers that say `prefetch` where a browser fetches a page that nobody has asked to see yet (Fetch standard, 4.5)."""


def see_afterwards(request: Request, response: Response, me: Identity, ticket: Mapping[str, Any]) -> None:
    """Mark `ticket`, as it is shown, as seen by who asked, if they are of the desk and really look."""
    is_fetched_ahead = any("prefetch" in request.headers.get(name, "") for name in _AHEAD)
    if me.role is Role.CUSTOMER or is_fetched_ahead or request.method != "GET":
        return
    database: Database = request.app.state.database
    response.background = BackgroundTask(_see, database, me, ticket["number"], ticket["version"])


async def _see(database: Database, me: Identity, number: str, version: int) -> None:
    async with database.async_transaction(actor_for(me, Channel.WEB, "look at a ticket")) as session:
        await session.run_sync(mark_seen, number, version)
