"""The API beneath a path of the host: as ASGI, and as WSGI on an event loop of its own."""

import asyncio
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskbell.integrations.answers import answer_to
from deskbell.integrations.hosting import Host
from deskbell.kernel.errors import DeskbellError, InvalidError
from deskbell.runtime import Desk
from deskbell.web.app import create_app

Build = Callable[[Desk], ASGIApp]
_TASK = "deskbell.task"
_PREFIX = re.compile(r"(/[\w.~-]+)+")


def api_of(desk: Desk) -> ASGIApp:
    """Build the API on an open desk."""
    return create_app(
        database=desk.database,
        resources=desk.resources,
        key=desk.key,
        settings=desk.settings.web,
        migrator=desk.migrator,
        access=desk.access,
    )


def checked_prefix(prefix: str) -> str:
    """Return a path to mount at. Raises ValueError unless it is like `/helpdesk`."""
    if not _PREFIX.fullmatch(prefix):
        message = f"mount at a path like '/helpdesk', which begins with a slash and ends without one, not at {prefix!r}"
        raise ValueError(message)
    return prefix


class LengthRequiredError(InvalidError):
    """This server needs to know how long a body is before it comes. Send Content-Length."""

    code = "length_required"
    status = 411


class MountedApp:
    """An ASGI application that is built when the desk is open. Its `Location` headers begin with where it is mounted.

    All requests must come from one event loop, which asyncpg's connections belong to.
    """

    def __init__(self, host: Host, build: Build = api_of) -> None:
        """`build` makes the application."""
        self._host, self._build = host, build
        self._built: tuple[Desk, ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            app = await self._app()
        except DeskbellError as error:
            body, status, headers = answer_to(error, scope["path"])
            app = Response(body, status, headers)
        root_path = scope.get("root_path", "").rstrip("/")

        async def send_from_here(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "").startswith("/"):
                    headers["location"] = root_path + headers["location"]
            await send(message)

        await app(scope, receive, send_from_here)

    async def _app(self) -> ASGIApp:
        desk = self._host.opened
        if desk is None:
            desk = await to_thread.run_sync(lambda: self._host.desk)
        if self._built is None or self._built[0] is not desk:
            self._built = desk, self._build(desk)
        return self._built[1]


class WsgiApi:
    """The API as a WSGI application. Requests run side by side on the host's loop, whichever threads they come from."""

    def __init__(self, host: Host) -> None:
        """Nothing is opened yet: a server may fork before the first request."""
        self._host, self._api = host, MountedApp(host)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        from a2wsgi import ASGIMiddleware  # noqa: PLC0415 - comes with the extras of the synchronous hosts alone

        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
            return _problem(start_response, LengthRequiredError(), environ)
        try:
            loop, tidy = self._host.loop, tidied(environ)
        except DeskbellError as error:
            return _problem(start_response, error, environ)
        adapter = ASGIMiddleware(self._run, loop=loop)  # type: ignore[arg-type]  # its types are its own
        return _Body(adapter(tidy, start_response), tidy, loop)  # type: ignore[arg-type]

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        environ = scope["wsgi_environ"]
        environ[_TASK] = asyncio.current_task()
        scope["client"] = (environ.get("REMOTE_ADDR", ""), int(environ.get("REMOTE_PORT") or 0))
        await self._api(scope, receive, send)


class _Body:
    """An answer's body. When the server closes it early the request ends, rather than wait for a client that left."""

    def __init__(self, chunks: Generator[bytes], environ: WSGIEnvironment, loop: asyncio.AbstractEventLoop) -> None:
        self._chunks, self._environ, self._loop = chunks, environ, loop

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._chunks.close()
        task = self._environ.get(_TASK)
        if task is not None:
            with suppress(RuntimeError):  # the loop has ended, and the task with it
                self._loop.call_soon_threadsafe(task.cancel)


def tidied(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return a copy whose path is UTF-8 and whose query is ASCII, whatever was sent. PEP 3333 has both as Latin-1."""
    paths = {
        name: environ.get(name, "").encode("latin-1").decode(errors="replace").encode().decode("latin-1")
        for name in ("SCRIPT_NAME", "PATH_INFO")
    }
    query = quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe="".join(map(chr, range(33, 127))))
    return {**environ, **paths, "QUERY_STRING": query}


def dispatching(prefix: str, inner: WSGIApplication, outer: WSGIApplication) -> WSGIApplication:
    """Send what is asked for beneath `prefix` to `inner`, the rest to `outer`."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path != prefix and not path.startswith(f"{prefix}/"):
            return outer(environ, start_response)
        script = environ.get("SCRIPT_NAME", "") + prefix
        return inner({**environ, "SCRIPT_NAME": script, "PATH_INFO": path[len(prefix) :]}, start_response)

    return application


def _problem(start_response: StartResponse, error: DeskbellError, environ: WSGIEnvironment) -> list[bytes]:
    body, status, headers = answer_to(error, environ.get("PATH_INFO", ""))
    start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
    return [body.encode()]
