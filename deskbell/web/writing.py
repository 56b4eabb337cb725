"""Writing for a handler that solves no dependencies: a `Transaction` that changes worlds once, not each time."""

from collections.abc import Callable
from functools import partial

from fastapi import Request, Response
from sqlalchemy.orm import Session

from deskbell.accounts.login import Identity
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import Database
from deskbell.web.csrf import check_csrf
from deskbell.web.dependencies import _presented, admit
from deskbell.web.idempotency import claim, keep_answer, read_attempt


async def write(request: Request, make: Callable[[Session], Response]) -> Response:
    """Call `make` in a transaction in which whoever asks acts; commit, then return what it returned.

    Raises AlreadyAnsweredError, which the route answers, where the request was answered before.
    """
    become = await _presented_to_write(request)
    attempt = await read_attempt(request)

    def work(session: Session) -> Response:
        identity = become(session)
        row_id = None if attempt is None else claim(session, identity.user_id, attempt)
        response = make(session)
        if row_id is not None:
            keep_answer(session, row_id, response)
        return response

    database: Database = request.app.state.database
    return await database.run(work)


async def check_may_write(request: Request) -> None:
    """Refuse who may not write. Raises UnauthenticatedError or ForbiddenError."""
    database: Database = request.app.state.database
    await database.run(await _presented_to_write(request))


async def _presented_to_write(request: Request) -> Callable[[Session], Identity]:
    """Return how to become who asks."""
    secret, channel = _presented(request)
    if channel is Channel.WEB:
        await check_csrf(request, request.app.state.key, secret)
    return partial(admit, request=request, secret=secret, channel=channel)
