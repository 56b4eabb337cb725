"""Fetching the mailboxes' mail, wherever jobs run: one worker at a time for each, and a thread for each folder."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final

import psycopg
import structlog

from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect_async
from deskbell.kernel.database import Database
from deskbell.mail.sources.servers import Account, accounts
from deskbell.mail.sources.threads import aside
from deskbell.worker.waiting import reason_of, wait_for
from deskbell.worker.watching import ACTOR, DEFAULT_PACE, FetchPace, FolderWatch

_LOCKS: Final = 0x6D61696C
"""The first half of our advisory locks, "mail"; the second is the mailbox's id."""
_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.mail")


async def run_fetching(
    database: Database,
    *,
    address: Address,
    stop: asyncio.Event,
    pace: FetchPace = DEFAULT_PACE,
) -> None:
    """Fetch the mailboxes' mail until `stop` is set. Which there are, and how to reach them, is looked up ever again.

    `address` is the application role's way to the same database, for a connection that holds the locks: of several
    workers one fetches a mailbox, another takes over when that is gone. Nothing is lost where two do for a moment.
    """
    while not stop.is_set():
        try:
            async with _locks(address) as locks:
                await Mailboxes(database, locks, pace).run(stop)
        except Exception as error:  # noqa: BLE001 - logged, and begun again
            _log.warning("fetching_restarts", reason=reason_of(error))
            await wait_for(stop, timedelta(seconds=pace.first_wait))


class Locks:
    """Which mailboxes are this worker's, held by a connection: they are free when it is gone."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """See `_locks`."""
        self._connection = connection

    async def take(self, mailbox_id: int) -> bool:
        """Take a mailbox that nobody has. Raises psycopg.Error when the database is away."""
        return await self._ask("select pg_try_advisory_lock(%s, %s)", mailbox_id)

    async def give(self, mailbox_id: int) -> None:
        """Let others have it."""
        await self._ask("select pg_advisory_unlock(%s, %s)", mailbox_id)

    async def check(self) -> None:
        """Raise psycopg.Error where they are lost."""
        await self._connection.execute("select 1")

    async def _ask(self, query: Any, mailbox_id: int) -> bool:  # noqa: ANN401 - a LiteralString, which 3.11 cannot pass on
        cursor = await self._connection.execute(query, (_LOCKS, mailbox_id % 2**31))
        [row] = await cursor.fetchall()
        return bool(row[0])


class Mailboxes:
    """The mailboxes that this worker fetches."""

    def __init__(self, database: Database, locks: Locks, pace: FetchPace) -> None:
        """Nothing happens before `run`."""
        self._database, self._locks, self._pace = database, locks, pace
        self._ours: dict[int, tuple[Account, list[FolderWatch]]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch until `stop` is set. Raises, with nothing fetched any more, when the database is away."""
        _ = self._database.engine  # made once, here, rather than by several threads at a time
        try:
            while not stop.is_set():
                await self._look()
                await wait_for(stop, timedelta(seconds=self._pace.look))
        finally:
            await self._end([*self._ours])

    async def _look(self) -> None:
        """Begin with mailboxes that are new, end with those that are not there any more, or are reached otherwise."""
        await self._locks.check()
        async with self._database.async_transaction(ACTOR) as session:
            wanted = {each.mailbox_id: each for each in await session.run_sync(accounts)}
        await self._end([known for known, (account, _) in self._ours.items() if wanted.get(known) != account])
        for mailbox_id, account in wanted.items():
            if mailbox_id not in self._ours and await self._locks.take(mailbox_id):
                watches = [FolderWatch(self._database, account, *folder, self._pace) for folder in account.folders]
                self._ours[mailbox_id] = account, watches
                for watch in watches:
                    watch.start()

    async def _end(self, mailbox_ids: Iterable[int]) -> None:
        ending = {mailbox_id: self._ours.pop(mailbox_id)[1] for mailbox_id in mailbox_ids}
        watches = [watch for each in ending.values() for watch in each]
        for watch in watches:
            watch.stop()
        if watches:
            await aside(lambda: _join(watches, self._pace.grace))
        with suppress(psycopg.Error):  # then they are lost already
            for mailbox_id in ending:
                await self._locks.give(mailbox_id)


@asynccontextmanager
async def _locks(address: Address) -> AsyncIterator[Locks]:
    """Raises psycopg.Error when the database is away."""
    connection = await connect_async(address, connect_timeout=5, autocommit=True)
    async with connection:
        yield Locks(connection)


def _join(watches: list[FolderWatch], seconds: float) -> None:
    """Wait for threads to end, but not longer: one that a server keeps waiting writes nothing any more."""
    end = time.monotonic() + seconds
    for watch in watches:
        watch.join(max(end - time.monotonic(), 0))
