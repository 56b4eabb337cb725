"""Connections to mail servers. One that has served is kept for a moment, for the next message that goes the same way.

A server takes several messages by one connection, one after another (RFC 5321, 3.3 and 4.1.1.5); what connecting, TLS
and logging in take is spared then.
"""

import asyncio
from asyncio import AbstractEventLoop, Task
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self
from weakref import WeakKeyDictionary

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from deskbell.kernel.reach import SmtpServer
from deskbell.mail.mailboxes.oauth import TOKENS, Grant
from deskbell.mail.mailboxes.trust import trusting

KEPT_FOR: Final = 3.0
"""Seconds: servers wait for minutes, so that hardly ever one has hung up."""
MOST: Final = 50
"""Messages by one connection: some servers take no more than a hundred."""
_PATIENCE: Final = 5.0
_CLOSING: Final = 421


class EndedError(Exception):
    """A kept connection is of no use any more. Of the message nothing was sent by it."""


class Line:
    """A connection for one message at a time: within `async with` one is logged in, and nothing is begun."""

    def __init__(self, server: SmtpServer, grant: Grant | None) -> None:
        """Nothing happens before it is entered."""
        self.way = (server, grant)
        self.is_kept = False
        self._messages = 0
        self._client: aiosmtplib.SMTP | None = None

    @property
    def client(self) -> aiosmtplib.SMTP:
        """What talks to the server."""
        assert self._client is not None  # noqa: S101 - entered
        return self._client

    async def __aenter__(self) -> Self:
        """Connect and log in, or ask a kept one whether it is there. Raises SMTPException, OSError, EndedError."""
        try:
            if self.is_kept:
                with self.doubted():
                    await self.client.rset(timeout=min(_PATIENCE, self.way[0].timeout))
            else:
                await self._connect()
        except BaseException:
            await self.part()
            raise
        self._messages += 1
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Keep it where the server has said how things stand, and goes on."""
        is_clear = error is None or (isinstance(error, SMTPResponseException) and error.code != _CLOSING)
        if is_clear and self.client.is_connected and self._messages < MOST:
            _keep(self)
        else:
            await self.part()

    @contextmanager
    def doubted(self) -> Iterator[None]:
        """Until the message itself is sent: raise EndedError where a kept connection is gone, or its server had enough.

        A refused sender may be either; by a new connection that is found out.
        """
        try:
            yield
        except (SMTPException, OSError) as error:
            is_about_letter = isinstance(error, SMTPRecipientRefused | SMTPDataError) and error.code != _CLOSING
            if self.is_kept and not is_about_letter:
                raise EndedError from error
            raise

    async def part(self) -> None:
        """Say good-bye; what the server thinks of that changes nothing."""
        if self._client is None:
            return
        try:
            if self._client.is_connected:
                with suppress(SMTPException, OSError):
                    await self._client.quit(timeout=_PATIENCE)
        finally:
            self._client.close()

    async def _connect(self) -> None:
        server, grant = self.way
        self._client = client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=await asyncio.to_thread(trusting, server.authority) if server.authority else None,
        )
        await client.connect()
        if grant is not None:
            await _show_token(client, server.user, grant)
        elif server.user:
            await client.login(server.user, server.password)


def line_to(server: SmtpServer, grant: Grant | None) -> Line:
    """Return a kept connection by which one gets there in the same way, else a new one. It is the caller's alone."""
    kept = _kept.get(asyncio.get_running_loop(), {})
    line = next((each for each in reversed(kept) if each.way == (server, grant)), None)
    if line is None:
        return Line(server, grant)
    kept.pop(line).cancel()
    return line


_kept: Final[WeakKeyDictionary[AbstractEventLoop, dict[Line, Task[None]]]] = WeakKeyDictionary()
"""Of each event loop the connections that wait for another message, each with the task that will close it."""


def _keep(line: Line) -> None:
    loop = asyncio.get_running_loop()
    kept = _kept.setdefault(loop, {})
    line.is_kept = True
    kept[line] = loop.create_task(_close_later(kept, line))
    kept[line].add_done_callback(lambda task: _drop(kept, line, task))


async def _close_later(kept: dict[Line, Task[None]], line: Line) -> None:
    await asyncio.sleep(KEPT_FOR)
    del kept[line]
    await line.part()


def _drop(kept: dict[Line, Task[None]], line: Line, ended: Task[None]) -> None:
    """Close one that still waits although its task has ended: the loop ends, and nobody will say good-bye."""
    if kept.get(line) is ended:
        del kept[line]
        line.client.close()


async def _show_token(client: aiosmtplib.SMTP, user: str, grant: Grant) -> None:
    """Log in with a token, the next time with another where this one is refused. Raises TokenError."""
    token = await asyncio.to_thread(TOKENS.get, grant)
    try:
        await client.auth_xoauth2(user, token.access)
    except SMTPAuthenticationError:
        TOKENS.forget(grant)
        raise
