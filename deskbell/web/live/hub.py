"""The poller: one in each process, and only while somebody listens. It holds no connection between its looks.

Each look is a short reading transaction of the system on the reading lane, which finds its way back by itself when the
database was restarted. What it found goes to every listener, who are all of the desk and may know of every ticket.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from time import monotonic
from typing import Final

import structlog
from sqlalchemy import Text, text

from deskbell.accounts.login import Identity, become_to_read
from deskbell.audit.feed import Follower, Found, glance, look, since
from deskbell.composing.presence import Presence, present
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.lanes.statements import Statement
from deskbell.web.live import messages
from deskbell.web.live.listeners import Listener, Listeners

INTERVAL: Final = 0.3
"""Seconds between looks."""
LONGEST_PAUSE: Final = 5.0
"""Seconds between looks while the database does not answer."""
RECHECK: Final = 50.0
"""Seconds after which a session is looked up again, where nothing was heard of its end before."""

_SYSTEM: Final = Actor.system(Channel.WEB, act="live feed")
_BE_SYSTEM: Final = Statement(
    text(
        "select set_config('role', 'deskbell_system', true) as a, set_config('deskbell.actor', '', true) as b,"
        " set_config('deskbell.channel', 'web', true) as c"
    ).columns(a=Text, b=Text, c=Text),
    prepared=True,
)

log = structlog.get_logger("deskbell.web.live")


class Hub:
    """Looks for what is new and tells all who listen."""

    def __init__(self, database: Database, interval: float = INTERVAL) -> None:
        """Nothing happens before somebody listens."""
        self._database, self._interval = database, interval
        self._listeners = Listeners()
        self._follower: Follower | None = None
        self._presence: Presence = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def cursor(self) -> int | None:
        """A place in the log behind which nothing is missing from a page that is read from now on, if one is known."""
        return (self._follower.cursor or None) if self._follower else None

    def __len__(self) -> int:
        """Count the streams."""
        return len(self._listeners)

    async def join(self, identity: Identity, secret: str, after: int | None) -> Listener:
        """Let somebody listen, from a place in the log on. Raises UnavailableError."""
        listener = Listener(identity, secret, monotonic())
        if self._is_closed:
            listener.end()
            return listener
        self._listeners.add(listener)
        try:
            listener.send(await self._catch_up(after))
        except BaseException:
            self.leave(listener)
            raise
        if not self._is_following:
            self._task = asyncio.create_task(self._follow())
        return listener

    def leave(self, listener: Listener) -> None:
        """Let somebody go."""
        self._listeners.remove(listener)

    def close(self) -> None:
        """End all streams now, and begin no other."""
        self._is_closed = True
        self._let_go()
        if self._task is not None:
            self._task.cancel()

    async def _catch_up(self, after: int | None) -> list[bytes]:
        """Return what has become visible since `after`. What becomes visible later, the poller tells."""
        async with self._reading() as reading:
            if self._follower is None:
                self._follower = Follower.begin(await glance(reading))
            cursor = self.cursor
            found = Found(many=True) if after is None or cursor is None else await since(reading, after)
            if not self._is_following:
                self._presence = await present(reading)
        return [messages.presence(self._presence, whole=True), *messages.messages(found, cursor)]

    @property
    def _is_following(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _follow(self) -> None:
        pause = self._interval
        while len(self._listeners) and not self._is_closed:
            try:
                await self._turn()
                pause = self._interval
            except Exception as error:  # noqa: BLE001 - nobody who listens is left behind in silence
                pause = min(pause * 2, LONGEST_PAUSE)
                log.warning("live feed", problem=repr(error), pause=round(pause, 1))
                if pause == LONGEST_PAUSE:
                    self._let_go()
            await asyncio.sleep(pause)

    def _let_go(self) -> None:
        """End all streams: browsers say so, and come back for what they have missed."""
        for listener in self._listeners:
            listener.end()
            self._listeners.remove(listener)

    async def _turn(self) -> None:
        """Look once. What may fail comes first: once the follower has taken entries, they are told."""
        await self._check()
        async with self._reading() as reading:
            there = await present(reading)
        assert self._follower is not None  # noqa: S101 - whoever listens has made it
        found = await look(self._reading, self._follower)
        told = messages.messages(found, self.cursor)
        if changed := messages.difference(self._presence, there):
            self._presence = there
            told.append(messages.presence(changed))
        concerned = messages.concerned(found.entries)
        for listener in self._listeners:
            if found.many or messages.ANYBODY in concerned or listener.identity.user_id in concerned:
                listener.checked = -inf
            listener.send(told)

    async def _check(self) -> None:
        """End the streams of those who are no longer who they were."""
        due = monotonic() - RECHECK
        for listener in self._listeners:
            if listener.checked < due:
                async with self._database.reading() as reading:
                    holder = await become_to_read(reading, listener.secret, channel=Channel.WEB.value, act="")
                if holder is None or holder.identity.role is not listener.identity.role:
                    listener.end(messages.ENDED)
                    self._listeners.remove(listener)
                listener.checked = monotonic()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Reading]:
        async with self._database.reading() as reading:
            reading.expect(_BE_SYSTEM, {}, lambda _: None)
            reading.actor = _SYSTEM
            yield reading
