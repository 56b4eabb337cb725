"""A listener in the test's own event loop, and a mail server that says to it exactly what a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import undefer

from deskbell.kernel.database import Database
from deskbell.kernel.doors import Door, Language
from deskbell.mail.inbound.models import Arrival, InboundMessage
from deskbell.mail.sources.listener import Listener, Terms, listening
from deskbell.testing.factories import SYSTEM

PATIENCE = 60
"""Seconds after which a test gives up."""
MESSAGES = text("select count(*) from inbound_messages")
ARRIVALS = text("select count(*) from inbound_arrivals")
TO_FILE = text("select count(*) from jobs.procrastinate_jobs where task_name = 'mail.file_message'")
LETTER = b"From: Kim <kim@example.test>\r\nMessage-ID: <1@example.test>\r\nSubject: My card\r\n\r\nIt is late.\r\n"


@dataclass
class Caller:
    """One connection to the listener."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *lines: str | bytes) -> None:
        """Send lines without waiting for answers."""
        for line in lines:
            self.writer.write(line.encode() + b"\r\n" if isinstance(line, str) else line)

    async def hear(self) -> str:
        """Return one answer, its last line where it has several."""
        async with asyncio.timeout(PATIENCE):
            while True:
                line = (await self.reader.readline()).decode()
                if line[3:4] != "-":
                    return line.rstrip("\r\n")

    async def say(self, line: str | bytes) -> str:
        """Send a line and return the answer."""
        self.send(line)
        return await self.hear()

    async def deliver(self, raw: bytes, *recipients: str, sender: str = "kim@example.test") -> list[str]:
        """Deliver a message; return the answers after it, or the one that came instead of the 354."""
        hears = [await self.say(f"MAIL FROM:<{sender}>")]
        hears += [await self.say(f"RCPT TO:<{each}>") for each in recipients]
        taken = sum(each.startswith("250") for each in hears[1:])
        hears.append(await self.say("DATA"))
        if not hears[-1].startswith("354"):
            return hears
        self.send(raw.replace(b"\r\n.", b"\r\n.."), b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n")
        return [await self.hear() for _ in range(taken if self.is_lmtp else 1)]

    is_lmtp: bool = True

    async def ended(self) -> bool:
        """Wait until the other side has hung up."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(65536):
                    pass
        return True

    def close(self) -> None:
        self.writer.close()


@dataclass
class Post:
    """A listener, and what it has written down."""

    listener: Listener
    database: Database
    language: Language
    callers: list[Caller] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.doors[0].rpartition(":")[2])

    async def call(self) -> Caller:
        """Connect and say nothing."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.callers.append(Caller(reader, writer, is_lmtp=self.language == "lmtp"))
        return self.callers[-1]

    async def greeted(self) -> Caller:
        """Connect and say who calls."""
        caller = await self.call()
        assert (await caller.hear()).startswith("220")
        hello = "LHLO" if caller.is_lmtp else "EHLO"
        assert (await caller.say(f"{hello} mail.example.test")).startswith("250")
        return caller

    async def messages(self) -> list[InboundMessage]:
        async with self.database.async_transaction(SYSTEM) as session:
            statement = select(InboundMessage).options(undefer(InboundMessage.raw)).order_by(InboundMessage.id)
            return list(await session.scalars(statement))

    async def arrivals(self) -> list[Arrival]:
        async with self.database.async_transaction(SYSTEM) as session:
            return list(await session.scalars(select(Arrival).order_by(Arrival.id)))

    async def count(self, statement: TextClause = MESSAGES) -> int:
        async with self.database.async_transaction(SYSTEM) as session:
            return int((await session.execute(statement)).scalar_one())


@asynccontextmanager
async def listener(database: Database, language: Language = "lmtp", **terms: Any) -> AsyncIterator[Post]:
    """Listen on a free port of this machine."""
    async with listening(Listener(database, Terms(**terms)), doors(language)) as opened:
        post = Post(opened, database, language)
        try:
            yield post
        finally:
            for caller in post.callers:
                caller.close()
    await database.aclose()


def doors(language: Language) -> Sequence[Door]:
    return (Door(language, "127.0.0.1", 0),)
