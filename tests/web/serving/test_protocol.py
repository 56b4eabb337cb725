"""Requests and answers over a real socket: what has no end is cut off before anybody has logged in."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import repeat

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

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
async def listening(protocol: type[Protocol] = Protocol, app: ASGIApp = count) -> AsyncIterator[int]:
    """Serve on a free port, and yield it."""
    server = uvicorn.Server(uvicorn.Config(app, http=protocol, lifespan="off", log_config=None))
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


async def test_who_does_not_finish_a_later_head_does_not_keep_a_connection_either() -> None:
    async with listening(Impatient) as port:
        told = await answer(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
    assert told.startswith(b"HTTP/1.1 2")
    assert b"HTTP/1.1 408 " in told


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


async def test_head_and_body_leave_together() -> None:
    """Otherwise each answer wakes up its reader twice."""
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(20):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.read(65536)).endswith(b"\r\n\r\n0")
        writer.close()


async def test_the_head_of_a_stream_does_not_wait_for_its_first_piece() -> None:
    """A page that listens for changes must know that it does, though nothing changes."""
    more = asyncio.Event()

    async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await more.wait()
        await send({"type": "http.response.body", "body": b"changed"})

    async with listening(app=stream) as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        more.set()
        assert b"changed" in await reader.readuntil(b"0\r\n\r\n")
        writer.close()


async def test_a_slow_reader_holds_up_the_writer_instead_of_filling_the_memory() -> None:
    written = 0

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal written
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while written < 2000:
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
            written += 1

    async with listening(app=endless) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        before = -1
        while written != before:
            before = written
            await asyncio.sleep(0.2)
        assert 0 < written < 1000
        writer.transport.abort()
