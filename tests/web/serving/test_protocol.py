"""The head of a request over a real socket: what has no end is cut off before anybody has logged in."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import repeat

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from deskbell.web.protocol import HEAD_BYTES, Protocol

pytestmark = pytest.mark.anyio
CLOSE = b"Host: x\r\nConnection: close\r\n"


class Impatient(Protocol):
    """Waits for a moment only."""

    patience = 0.05


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@asynccontextmanager
async def listening(protocol: type[Protocol] = Protocol) -> AsyncIterator[int]:
    """Serve on a free port, and yield it."""
    server = uvicorn.Server(uvicorn.Config(count, http=protocol, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = server.config
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        try:
            yield listener.getsockname()[1]
        finally:
            await server.shutdown(sockets=[listener])


async def answer(port: int, request: bytes, rest: Iterable[bytes] = ()) -> bytes:
    """Send as much as is taken, and return the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(60):
            for piece in rest:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
    except ConnectionError:
        return b"cut"
    finally:
        writer.close()


HEADS = {
    "address": (b"GET /", b"a"),
    "one header": (b"GET / HTTP/1.1\r\nA: ", b"a"),
    "many headers": (b"GET / HTTP/1.1\r\n", b"A: b\r\n"),
    "trailers": (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"A: b\r\n"),
}


@pytest.mark.parametrize("kind", HEADS)
async def test_a_head_without_end_is_cut_off(kind: str) -> None:
    begin, more = HEADS[kind]
    async with listening() as port:
        cut = await answer(port, begin, repeat(more * 1000))
    assert cut in {b"cut", b""} or cut.startswith(b"HTTP/1.1 431 ")


async def test_who_sends_too_much_is_told() -> None:
    begin, more = HEADS["one header"]
    async with listening() as port:
        told = await answer(port, begin + more * HEAD_BYTES)
    assert told.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


async def test_who_sends_nothing_does_not_keep_a_connection() -> None:
    async with listening(Impatient) as port:
        for begin in (b"", b"GET / HT"):
            assert (await answer(port, begin)).startswith(b"HTTP/1.1 408 ")


async def test_large_bodies_and_many_requests_pass() -> None:
    size = 3_000_000
    plain = b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    pieces = (b"%x\r\n" % 1000 + b"x" * 1000 + b"\r\n") * (size // 1000)
    chunked = b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    largest = b"GET / HTTP/1.1\r\n" + CLOSE + b"A: " + b"a" * (HEAD_BYTES - 1000) + b"\r\n\r\n"
    many = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5000 + b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n"
    async with listening() as port:
        for request in (plain, chunked):
            assert (await answer(port, request)).endswith(b"\r\n\r\n3000000")
        assert (await answer(port, largest)).startswith(b"HTTP/1.1 200 ")
        assert (await answer(port, many)).count(b"HTTP/1.1 200 ") == 5001
