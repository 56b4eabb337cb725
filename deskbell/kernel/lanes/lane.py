"""The lanes: short transactions in the fewest round trips, on libpq's pipeline mode.

What is sent up to a Sync is one transaction by itself (PostgreSQL manual, 32.5), so neither BEGIN nor COMMIT is sent,
and the Sync travels with the last statement. What `set_config(..., true)` sets ends with it.

Who has sent their last statement lets the next reader ask behind them, where that statement is a quick one: a backend
that finds its next statement waiting need not go to sleep, and fewer of them wake up whoever reads.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from weakref import WeakSet

from sqlalchemy.util import greenlet_spawn

from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect_async
from deskbell.kernel.errors import UnavailableError
from deskbell.kernel.lanes.line import Line
from deskbell.kernel.lanes.pipelining import PipelinedSession
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.settings import DatabaseSettings

_BUSY: Final = "All connections to the database are in use. Try again in a moment."
_ENOUGH: Final = 4
"""Connections with quick statements: one process of Python keeps hardly more of them busy."""
_DEPTH: Final = 4
"""Readers on one of them, the one behind the other."""
_QUICK: Final = 0.02
"""Seconds that a statement may have taken the last time, for somebody else to wait behind it."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """Somebody who waits for a place, or, with something quick to ask, for a line to join."""

    future: asyncio.Future[Line | None]
    is_quick: bool

    @property
    def is_given(self) -> bool:
        """Whether they have got it."""
        return self.future.done() and not self.future.cancelled() and self.future.exception() is None

    def give(self, line: Line | None) -> None:
        """Give them a line that they have joined, or, with None, a place."""
        self.future.set_result(line)

    def give_up(self) -> None:
        """Tell them that there is nothing."""
        if not self.future.done():
            self.future.set_exception(UnavailableError(_BUSY))


class Lane:
    """Connections: as many as the pool keeps, made when needed, the last used one first."""

    def __init__(
        self, address: Address, parameters: Mapping[str, str], settings: DatabaseSettings, *, writes: bool = False
    ) -> None:
        """`parameters` are server parameters of each connection."""
        self._address, self._settings = address, settings
        self._options = address.options(parameters if writes else {**parameters, "default_transaction_read_only": "on"})
        self._free, _ = settings.pool_sizes()
        self._waiting: deque[_Turn] = deque()
        self._idle: list[Line] = []
        self._joinable: list[Line] = []
        """Those in use whose users have all sent their last, quick statement."""
        self._quick: WeakSet[Statement] = WeakSet()
        self._is_closed = False

    async def run(self, work: Callable[[PipelinedSession], T], role: str, **options: Any) -> T:  # noqa: ANN401 - a session's
        """Call `work` in a pipelined session and commit. Raises NotPipelinedError, and what psycopg raises."""
        line = await self.take()
        try:
            return await greenlet_spawn(_in_transaction, work, PipelinedSession(line, role, **options))
        except BaseException:
            line.die()  # which rolls back
            raise
        finally:
            self.leave(line, is_holder=True)

    async def take(self, *, is_quick: bool = False, may_be_idle: bool = True) -> Line:
        """Return a line, to be held until everything is sent: an idle or a new one; wait where all are taken.

        Who has something quick to ask joins others who have, once there are enough lines for that.
        """
        if is_quick and (len(self._joinable) >= _ENOUGH or not self._free) and (line := self._shortest()):
            return _joined(line)
        if self._free:
            self._free -= 1
        elif (line := await self._turn(is_quick=is_quick)) is not None:
            return line
        try:
            line = (self._usable() if may_be_idle else None) or await self._connect()
        except BaseException:
            self._pass_on()
            raise
        line.users, line.is_held = 1, True
        return line

    def let_in(self, line: Line) -> None:
        """Let others join a line whose holder has sent everything, and waits for an answer that comes soon."""
        line.is_held = False
        self._settle(line)

    def leave(self, line: Line, *, is_holder: bool) -> None:
        """Take a line back from one of its users. It is closed where the last one leaves before they were answered."""
        if is_holder:
            line.is_held = False
        line.users -= 1
        self._settle(line)
        if line.users:
            return
        if self._is_closed or line.is_waiting:
            line.die()
        elif not line.is_dead:
            line.end()
            self._idle.append(line)
        self._pass_on()

    def is_quick(self, statement: Statement) -> bool:
        """Whether somebody may wait behind a statement."""
        return statement in self._quick

    def learn(self, statement: Statement, took: float) -> None:
        """Remember how long a statement took, in seconds."""
        if took > _QUICK:
            self._quick.discard(statement)
        elif statement.prepared:
            self._quick.add(statement)

    def close(self) -> None:
        """Close the connections; those in use are closed when they are given back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().die()

    async def _connect(self) -> Line:
        """Open a connection. Raises psycopg.OperationalError."""
        connection = await connect_async(
            self._address, options=self._options, connect_timeout=self._settings.connect_timeout, autocommit=True
        )
        return Line(connection, self._settings.command_timeout)

    def _usable(self) -> Line | None:
        """Return an idle line. One that the server has closed is known to be dead by now, or soon enough."""
        while self._idle:
            line = self._idle.pop()
            if line.is_fit_for_use(self._settings.pool_recycle):
                return line
            line.die()
        return None

    def _shortest(self) -> Line | None:
        """Return the line to join with the fewest users."""
        line = min(self._joinable, key=_users, default=None)
        if line is None or line.users >= _DEPTH or not line.is_fit:
            return None
        self._joinable.remove(line)
        return line

    def _settle(self, line: Line) -> None:
        """Let others join a line from now on, whoever waits first, or nobody."""
        if line in self._joinable:
            self._joinable.remove(line)
        if line.users and not line.is_held and line.is_fit and not self._is_closed:
            if line.users < _DEPTH and (turn := self._next_turn(is_quick=True)):
                turn.give(_joined(line))
            else:
                self._joinable.append(line)

    async def _turn(self, *, is_quick: bool) -> Line | None:
        """Wait for a place, which is then taken already (None), or for a line, which is joined already.

        Asyncio's own means for that take three times as long.
        """
        loop = asyncio.get_running_loop()
        turn = _Turn(loop.create_future(), is_quick)
        timer = loop.call_later(self._settings.pool_timeout, turn.give_up)
        self._waiting.append(turn)
        try:
            return await turn.future
        except BaseException:
            if turn.is_given:  # just when whoever waited was cancelled
                line = turn.future.result()
                self._pass_on() if line is None else self.leave(line, is_holder=True)
            raise
        finally:
            timer.cancel()

    def _pass_on(self) -> None:
        """Give a place to whoever has waited longest, or keep it free."""
        if turn := self._next_turn():
            turn.give(None)
        else:
            self._free += 1

    def _next_turn(self, *, is_quick: bool = False) -> _Turn | None:
        """Return who has waited longest, of those with something quick to ask where that is wanted."""
        while self._waiting and self._waiting[0].future.done():
            self._waiting.popleft()
        if not is_quick:
            return self._waiting.popleft() if self._waiting else None
        turn = next((turn for turn in self._waiting if turn.is_quick and not turn.future.done()), None)
        if turn is not None:
            self._waiting.remove(turn)
        return turn


def _joined(line: Line) -> Line:
    line.users += 1
    line.is_held = True
    return line


def _users(line: Line) -> int:
    return line.users


def _in_transaction(work: Callable[[PipelinedSession], T], session: PipelinedSession) -> T:
    with session:
        done = work(session)
        session.finish()
        return done
