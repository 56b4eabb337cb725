"""What surrounds every request, as plain ASGI: its id, security headers, one line of log, a limit to its size.

No BaseHTTPMiddleware: that runs the application in another task, which breaks context variables and streams.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import getrandbits
from time import perf_counter
from typing import Any, Final

import structlog
from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskbell.web.access import note
from deskbell.web.headers import header_of
from deskbell.web.problems import unexpected

AnswerError = Callable[[Request, Exception], Awaitable[Response | None]]

log = structlog.get_logger("deskbell.web")

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"private, no-cache"),
)
"""In lower case and bytes, as ASGI has them: they go with every answer."""
_NAMES: Final = frozenset(name for name, _ in _HEADERS)
_STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")
_BODIES: Final = (b"content-length", b"transfer-encoding")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Envelope:
    """Gives a request its id, its answer the security headers, and an answer to what nobody expected.

    `X-Request-ID` is taken from the request where it is 1 to 64 harmless characters, and made otherwise. A header that
    the answer has already is left as it is. HSTS is sent over TLS alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        """`app` is what is surrounded."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            await self.app(scope, receive, answer.send)
        except ClientDisconnect:
            log.info("client left", path=scope["path"], request_id=answer.request_id)
        except Exception as error:
            response = await unexpected(Request(scope), error)
            if answer.status is not None:  # too late for another answer; the server cuts the connection
                raise
            await response(scope, receive, answer.send)
        finally:
            answer.write_log()
            note(scope, answer.status)


class _Answer:
    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self._send = scope, send
        self.began = perf_counter()
        self.status: int | None = None
        given = header_of(scope, b"x-request-id")
        is_good = given and _REQUEST_ID.fullmatch(given)
        self.request_id = given if is_good else f"{getrandbits(64):016x}"  # told apart is enough: it need not be secret
        self.state: dict[str, Any] = scope.setdefault("state", {})
        self.state["request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[tuple[bytes, bytes]] = message["headers"]
            there = _NAMES.intersection([name for name, _ in headers])
            headers.append((b"x-request-id", self.request_id.encode()))
            headers += [header for header in _HEADERS if header[0] not in there] if there else _HEADERS
            if (rate := self.state.get("rate")) is not None:
                headers += rate.headers
            if self.scope.get("scheme") == "https" and all(name != _STRICT_TRANSPORT[0] for name, _ in headers):
                headers.append(_STRICT_TRANSPORT)
        await self._send(message)

    def write_log(self) -> None:
        log.info(
            "request",
            method=self.scope["method"],
            path=self.scope["path"],
            status=self.status,
            milliseconds=round((perf_counter() - self.began) * 1000, 1),
            request_id=self.request_id,
            user_id=self.state.get("user_id"),
        )


class Shortcut:
    """Leads to routes that are asked for all day, past what only other routes need: layers, forms, files, other routes.

    They stand in the application's router as well, and their errors are answered as its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Sequence[BaseRoute],
        answer_error: AnswerError,
        *,
        method: str = "GET",
        within: Callable[[ASGIApp], ASGIApp],
    ) -> None:
        """`answer_error` returns the answer to an exception, None to one that is left to what is around.

        `app` answers all other requests, `within` puts around the routes what they do need.
        """
        self.app = app
        self.routes = routes
        self.method = method
        self.answer_error = answer_error
        self._taken = within(self._go)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["method"] == self.method:
            for route in self.routes:
                match, child_scope = route.matches(scope)
                if match is Match.FULL:
                    scope.update(child_scope)
                    await self._taken(scope, receive, send)
                    return
        await self.app(scope, receive, send)

    async def _go(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: Route = scope["route"]
        try:
            await route.app(scope, receive, send)
        except Exception as error:
            response = await self.answer_error(Request(scope), error)
            if response is None:
                raise
            await response(scope, receive, send)


class BodyLimit:
    """Answers 413 to a body that is too large: at once where its length is announced, else as soon as it shows.

    Answers 408 when a body is announced and no piece of it comes within `patience` seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit_of: Callable[[Headers], int],
        patience: float = 60,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """`limit_of` returns the most bytes allowed for a request with these headers; `limits` are those of paths."""
        self.app = app
        self.limit_of = limit_of
        self.limits = limits or {}
        self.patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not any(name in _BODIES for name, _ in scope["headers"]):  # there is no body (RFC 9112, 6.3)
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path, announced = scope["path"].removeprefix(scope.get("root_path", "")), headers.get("content-length", "")
        limit = self.limits.get(path) or self.limit_of(headers)
        seen = int(announced) if announced.isascii() and announced.isdigit() else 0
        more = True

        async def limited() -> Message:
            nonlocal seen, more
            if seen > limit:
                raise HTTPException(413)
            message = await self._next(receive) if more else await receive()
            more = message.get("more_body", False)
            if not announced:
                seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, limited, send)

    async def _next(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self.patience):
                return await receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
