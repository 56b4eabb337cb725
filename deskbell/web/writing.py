"""Writing for a handler that solves no dependencies: a `Transaction` that changes worlds once, not each time."""

from collections.abc import Callable
from functools import partial

from fastapi import Request, Response
from sqlalchemy.orm import Session

from deskbell.accounts.login import SomebodyElseError, expect_to_become
from deskbell.kernel.actor import Channel
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import Database
from deskbell.kernel.lanes.pipelining import NotPipelinedError, PipelinedSession
from deskbell.web.csrf import check_csrf
from deskbell.web.dependencies import _act, _presented, admit, welcome
from deskbell.web.idempotency import claim, keep_answer, read_attempt
from deskbell.web.reading import Readers

Make = Callable[[Session], Response]


async def write(request: Request, make: Make, *, pipelined: bool = False) -> Response:
    """Call `make` in a transaction in which whoever asks acts; commit, then return what it returned.

    `pipelined`: where it runs its statements by `deskbell.kernel.lanes.pipelining.run` it takes fewer round trips;
    where it turns out that it does not, it is called again. Raises AlreadyAnsweredError, which the route answers, where
    the request was answered before.
    """
    secret, channel = await _presented_to_write(request)
    attempt = await read_attempt(request)
    if pipelined and attempt is None:
        try:
            return await _write_pipelined(request, make, secret, channel)
        except NotPipelinedError:
            pass
        except SomebodyElseError:
            request.app.state.readers.forget(secret)

    def work(session: Session) -> Response:
        identity = admit(session, request, secret, channel)
        row_id = None if attempt is None else claim(session, identity.user_id, attempt)
        response = make(session)
        if row_id is not None:
            keep_answer(session, row_id, response)
        return response

    database: Database = request.app.state.database
    return await database.run(work)


async def _write_pipelined(request: Request, make: Make, secret: str, channel: Channel) -> Response:
    """Do so as whom the secret stood for when it last came: that it still does is found out with the first answer."""
    readers: Readers = request.app.state.readers
    act = _act(request)
    seen = await readers.meet(secret, channel, act)

    def work(session: PipelinedSession) -> Response:
        expect_to_become(session, secret, seen.holder, channel=channel.value, act=act)
        try:
            welcome(request, seen.holder.identity, channel, hash_token(secret))
        except Exception:
            session.finish()  # whoever it is not is told nothing else
            raise
        return make(session)

    database: Database = request.app.state.database
    return await database.run_pipelined(seen.acting(channel, act), work)


async def check_may_write(request: Request) -> None:
    """Refuse who may not write. Raises UnauthenticatedError or ForbiddenError."""
    secret, channel = await _presented_to_write(request)
    database: Database = request.app.state.database
    await database.run(partial(admit, request=request, secret=secret, channel=channel))


async def _presented_to_write(request: Request) -> tuple[str, Channel]:
    secret, channel = _presented(request)
    if channel is Channel.WEB:
        await check_csrf(request, request.app.state.key, secret)
    return secret, channel
