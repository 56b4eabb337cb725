"""A server that lets others wait, and how many transactions wait meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg

from deskbell.kernel.address import Address


@dataclass
class SlowServer:
    """Says nothing to whoever connects until it may, and then hangs up."""

    port: int = 0
    is_waited_for: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def slow_server() -> AsyncIterator[SlowServer]:
    slow = SlowServer()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        slow.is_waited_for.set()
        await slow.may_go_on.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        slow.port = server.sockets[0].getsockname()[1]
        try:
            yield slow
        finally:
            slow.may_go_on.set()


def waiting_transactions(owner: Address) -> int:
    """Count the transactions that are open and do nothing; the application itself is not shown them."""
    counted = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in tr%'"
    with psycopg.connect(owner.dsn) as connection:
        [[number]] = connection.execute(counted).fetchall()
    return int(number)
