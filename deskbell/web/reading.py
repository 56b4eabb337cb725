"""Reading for a GET: as whoever asks, and in fewer round trips than a `Transaction`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fastapi import Request

from deskbell.accounts.login import Identity, SomebodyElseError, become_to_read, expect_to_become
from deskbell.kernel.actor import Channel
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import Database
from deskbell.kernel.reading import Reading
from deskbell.web.dependencies import _act, _presented, actor_for, check_scopes, known

T = TypeVar("T")
What = Callable[[Reading], Awaitable[T]]
_REMEMBERED: Final = 10_000


async def read(request: Request, what: What[T]) -> T:
    """Call `what` in a read-only transaction in which whoever asks acts.

    Who asks is looked up each time. But `what` begins at once, as whom the secret stood for when it last came: where it
    no longer stands for them, what was read is dropped, and `what` is called again.
    """
    readers: Readers = request.app.state.readers
    return await readers.read(request, what)


async def nothing(_: Reading) -> None:
    """Read nothing: see only whether somebody may."""


@dataclass(slots=True)
class Readers:
    """Reads from a database, and remembers whom secrets stood for, by their hashes."""

    database: Database
    _seen: dict[bytes, Identity] = field(default_factory=dict)

    async def read(self, request: Request, what: What[T]) -> T:
        """See the function."""
        secret, channel = _presented(request)
        by = hash_token(secret)
        expected = self._seen.get(by)
        if expected is not None:
            try:
                return await self._as_expected(request, what, expected, secret, channel)
            except SomebodyElseError:
                self._seen.pop(by, None)
        async with self.database.reading() as reading:
            identity = known(await become_to_read(reading, secret, channel=channel.value, act=_act(request)))
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[by] = identity
            self._begin(request, reading, identity, channel)
            return await what(reading)

    async def _as_expected(
        self, request: Request, what: What[T], expected: Identity, secret: str, channel: Channel
    ) -> T:
        async with self.database.reading() as reading:
            expect_to_become(reading, secret, expected, channel=channel.value, act=_act(request))
            try:
                self._begin(request, reading, expected, channel)
                return await what(reading)
            finally:
                await reading.settle()

    @staticmethod
    def _begin(request: Request, reading: Reading, identity: Identity, channel: Channel) -> None:
        reading.actor = actor_for(identity, channel, _act(request))
        request.state.user_id = identity.user_id
        check_scopes(identity, request.method)
