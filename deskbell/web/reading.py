"""Reading for a GET: as whoever asks, and in fewer round trips than a `Transaction`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fastapi import Request

from deskbell.accounts.login import Holder, SomebodyElseError, become_to_read, expect_to_become
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import Database
from deskbell.kernel.lanes.reading import Reading
from deskbell.web.dependencies import _act, _presented, actor_for, welcome
from deskbell.web.rates import UnknownSecretError

T = TypeVar("T")
What = Callable[[Reading], Awaitable[T]]
_REMEMBERED: Final = 10_000
_ACTS: Final = 100


async def read(request: Request, what: What[T]) -> T:
    """Call `what` in a read-only transaction in which whoever asks acts.

    Who asks is looked up each time. But `what` begins at once, as whom the secret stood for when it last came: where it
    no longer stands for them, what was read is dropped, and `what` is called again.
    """
    readers: Readers = request.app.state.readers
    return await readers.read(request, what)


async def nothing(_: Reading) -> None:
    """Read nothing: see only whether somebody may."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Whom a secret stood for, and as what they acted, by channel and act: of those there are few."""

    holder: Holder
    actors: dict[tuple[Channel, str], Actor] = field(default_factory=dict)

    def acting(self, channel: Channel, act: str) -> Actor:
        """Return whom they act as."""
        if (known := self.actors.get((channel, act))) is not None:
            return known
        if len(self.actors) >= _ACTS:
            self.actors.clear()
        actor = self.actors[channel, act] = actor_for(self.holder.identity, channel, act)
        return actor


@dataclass(slots=True)
class Readers:
    """Reads from a database, and remembers whom secrets stood for, by their hashes."""

    database: Database
    _seen: dict[bytes, Seen] = field(default_factory=dict)

    async def read(self, request: Request, what: What[T]) -> T:
        """See the function."""
        secret, channel = _presented(request)
        by, act = hash_token(secret), _act(request)
        seen = self._seen.get(by)
        if seen is not None:
            try:
                async with self.database.reading() as reading:
                    expect_to_become(reading, secret, seen.holder, channel=channel.value, act=act)
                    reading.actor = seen.acting(channel, act)
                    try:
                        welcome(request, seen.holder.identity, channel, by)
                        return await what(reading)
                    finally:
                        await reading.settle()
            except SomebodyElseError:
                self.forget(secret)
        async with self.database.reading() as reading:
            seen = await self._meet(reading, secret, channel, act)
            reading.actor = seen.acting(channel, act)
            welcome(request, seen.holder.identity, channel, by)
            return await what(reading)

    async def meet(self, secret: str, channel: Channel, act: str) -> Seen:
        """Return whom a secret stands for, or stood for when it last came. Raises UnknownSecretError."""
        seen = self._seen.get(hash_token(secret))
        if seen is not None:
            return seen
        async with self.database.reading() as reading:
            return await self._meet(reading, secret, channel, act)

    def has_seen(self, by: bytes) -> bool:
        """Whether the secret with this hash stood for somebody when it last came."""
        return by in self._seen

    def forget(self, secret: str) -> None:
        """Expect nobody in particular of a secret."""
        self._seen.pop(hash_token(secret), None)

    async def _meet(self, reading: Reading, secret: str, channel: Channel, act: str) -> Seen:
        holder = await become_to_read(reading, secret, channel=channel.value, act=act)
        if holder is None:
            raise UnknownSecretError
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        seen = self._seen[hash_token(secret)] = Seen(holder)
        return seen
