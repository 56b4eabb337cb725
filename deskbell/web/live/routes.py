"""The stream of what is new, presence, and the marks of what somebody has seen."""

from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.composing.presence import be_present, leave
from deskbell.composing.presence_models import Doing
from deskbell.composing.seen import mark_unread
from deskbell.kernel.errors import ForbiddenError
from deskbell.web.csrf import COOKIE
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.live import messages
from deskbell.web.live.hub import Hub
from deskbell.web.live.listeners import Listener
from deskbell.web.reading import nothing, read

router = APIRouter(include_in_schema=False)

BEAT: Final = 15.0
"""Seconds of silence after which a comment is sent, so that nobody on the way takes the connection for dead."""
LEFT: Final = "left"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/workspace/live")
async def live(request: Request, after: Annotated[int | None, Query(ge=1, lt=2**63)] = None) -> Response:
    """Stream what changes. A browser that comes back says itself which event it had last."""
    await read(request, nothing)
    identity: Identity = request.state.reader.identity
    if identity.role is Role.CUSTOMER:
        raise ForbiddenError("Only the desk may do this.")
    hub: Hub = request.app.state.live
    listener = await hub.join(identity, request.cookies[COOKIE], _last_event(request) or after)
    return StreamingResponse(_stream(hub, listener), media_type="text/event-stream", headers=_HEADERS)


@router.post("/tickets/{number}/presence", dependencies=[STAFF_ONLY], status_code=204)
async def say_presence(
    session: Transaction, number: str, doing: Annotated[Doing | Literal["left"], Form()]
) -> Response:
    """Take a browser's heartbeat: who sends it looks at the ticket, writes to it, or has left it."""
    if isinstance(doing, Doing):
        await session.run_sync(be_present, number, doing)
    else:
        await session.run_sync(leave, number)
    return Response(status_code=204)


@router.post("/tickets/{number}/unread", dependencies=[STAFF_ONLY])
async def forget_seen(session: Transaction, number: str) -> Response:
    """Mark a ticket as unread, and go to the list: to look at the ticket would mark it as seen."""
    await session.run_sync(mark_unread, number)
    return RedirectResponse("/tickets", status_code=303)


def _last_event(request: Request) -> int | None:
    given = request.headers.get("last-event-id", "")
    return int(given) if given.isascii() and given.isdecimal() and 0 < int(given) < 2**63 else None


async def _stream(hub: Hub, listener: Listener) -> AsyncIterator[bytes]:
    try:
        yield messages.RETRY
        while (events := await listener.next(BEAT)) is not None:
            yield events or messages.HEARTBEAT
    finally:
        hub.leave(listener)
