"""Who listens: one listener for each open stream, with what it has still to be sent, and how many there may be."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Final

from deskbell.accounts.login import Identity
from deskbell.kernel.errors import UnavailableError
from deskbell.web.live.messages import REPLACED, everything

MOST_WAITING: Final = 64
"""Events for a browser that does not read them; beyond, it is told to look at everything."""
MOST_OF_A_BROWSER: Final = 4
"""A browser has six connections to a server with HTTP/1.1, for all its windows; the others are for pages."""
MOST_OF_A_PERSON: Final = 12
MOST: Final = 800
"""Streams of this process: other requests want a place as well."""


class Listener:
    """One stream: what waits to be sent on it."""

    def __init__(self, identity: Identity, secret: str, now: float) -> None:
        """`secret` is that of the session; `now` is when it was last known to hold, in the event loop's time."""
        self.identity, self.secret, self.checked = identity, secret, now
        self.is_over = False
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()

    def send(self, events: list[bytes]) -> None:
        """Add events; where too many wait already, one says instead that everything may have changed."""
        if self.is_over or not events:
            return
        self._waiting.extend(events)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.clear()
            self._waiting.append(everything(None))
        self._news.set()

    def end(self, *last: bytes) -> None:
        """End the stream, when it has been sent this."""
        if not self.is_over:
            self._waiting.extend(last)
            self.is_over = True
            self._news.set()

    async def next(self, patience: float) -> bytes | None:
        """Return what waits, all at once; nothing where nothing came within so many seconds, None at the end."""
        if not self._waiting and not self.is_over:
            try:
                async with asyncio.timeout(patience):
                    await self._news.wait()
            except TimeoutError:
                return b""
        self._news.clear()
        if not self._waiting:
            return None
        found = b"".join(self._waiting)
        self._waiting.clear()
        return found


class Listeners:
    """All streams of this process, the oldest first."""

    def __init__(self) -> None:
        """Begin without any."""
        self._all: dict[Listener, None] = {}

    def __len__(self) -> int:
        """Count them."""
        return len(self._all)

    def __iter__(self) -> Iterator[Listener]:
        """Yield them, those that leave meanwhile included."""
        return iter(list(self._all))

    def add(self, listener: Listener) -> None:
        """Add a listener; where somebody has too many, the oldest makes room. Raises UnavailableError."""
        if len(self._all) >= MOST:
            raise UnavailableError("Too many windows listen already. This one shows what is new when it is reloaded.")
        self._make_room([one for one in self._all if one.secret == listener.secret], MOST_OF_A_BROWSER)
        same = [one for one in self._all if one.identity.user_id == listener.identity.user_id]
        self._make_room(same, MOST_OF_A_PERSON)
        self._all[listener] = None

    def remove(self, listener: Listener) -> None:
        """Forget one that has gone."""
        self._all.pop(listener, None)

    def _make_room(self, there: list[Listener], most: int) -> None:
        for one in there[: max(len(there) - most + 1, 0)]:
            one.end(REPLACED)
            self.remove(one)
