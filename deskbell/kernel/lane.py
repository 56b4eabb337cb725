"""The lanes: short transactions in the fewest round trips, on libpq's pipeline mode.

What is sent up to a Sync is one transaction by itself (PostgreSQL manual, 32.5), so neither BEGIN nor COMMIT is sent,
and the Sync travels with the last statement. What `set_config(..., true)` sets ends with it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import psycopg
from sqlalchemy.util import greenlet_spawn

from deskbell.kernel.actor import Actor
from deskbell.kernel.address import Address
from deskbell.kernel.answers import Answer
from deskbell.kernel.connecting import connect_async
from deskbell.kernel.errors import UnavailableError
from deskbell.kernel.faults import translated
from deskbell.kernel.line import Line, Result, Then
from deskbell.kernel.pipelining import PipelinedSession
from deskbell.kernel.reading import NO_VALUES, Check, Rows
from deskbell.kernel.settings import DatabaseSettings
from deskbell.kernel.statements import Statement

_BUSY: Final = "All connections to the database are in use. Try again in a moment."
T = TypeVar("T")


class Lane:
    """Connections: as many as the pool keeps, or half of them to write, made when needed, the last used one first."""

    def __init__(
        self, address: Address, parameters: Mapping[str, str], settings: DatabaseSettings, *, writes: bool = False
    ) -> None:
        """`parameters` are server parameters of each connection."""
        self._address, self._settings = address, settings
        self._options = address.options(parameters if writes else {**parameters, "default_transaction_read_only": "on"})
        size, _ = settings.pool_sizes()
        self._free = (size + 2) // 2 if writes else size  # writers wait for the same disk: more gain nothing
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: list[Line] = []
        self._is_closed = False

    def transaction(self) -> "LaneReading":
        """Return a transaction, to be entered, in which nobody acts yet: until then PostgreSQL refuses every table."""
        return LaneReading(self, self._settings.command_timeout)

    async def run(self, work: Callable[[PipelinedSession], T], role: str, **options: Any) -> T:  # noqa: ANN401 - a session's
        """Call `work` in a pipelined session and commit. Raises NotPipelinedError, and what psycopg raises."""
        line = await self.take()
        try:
            session = PipelinedSession(line, role, patience=self._settings.command_timeout, **options)
            return await greenlet_spawn(_in_transaction, work, session)
        except BaseException:
            line.die()  # which rolls back
            raise
        finally:
            self.put_back(line)

    async def take(self) -> Line:
        """Return a connection, a new one where none is idle; wait for a place where all are taken."""
        if self._free:
            self._free -= 1
        else:
            await self._turn()
        try:
            return self._usable() or await self.connect()
        except BaseException:
            self._pass_on()
            raise

    def put_back(self, line: Line) -> None:
        """Take a connection back. It is closed where an answer is still due: whoever waited has gone."""
        if self._is_closed or line.is_waiting:
            line.die()
        elif not line.is_dead:
            line.end()
            self._idle.append(line)
        self._pass_on()

    async def connect(self) -> Line:
        """Open a connection. Raises psycopg.OperationalError."""
        return Line(
            await connect_async(
                self._address,
                options=self._options,
                connect_timeout=self._settings.connect_timeout,
                autocommit=True,
            )
        )

    def close(self) -> None:
        """Close the connections; those in use are closed when they are given back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().die()

    async def _turn(self) -> None:
        """Wait for a place, which is then taken already: asyncio's own means for that take three times as long."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        timer = loop.call_later(self._settings.pool_timeout, _give_up, turn)
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on()  # the place came just when whoever waited was cancelled
            raise
        finally:
            timer.cancel()

    def _pass_on(self) -> None:
        """Give a place to whoever has waited longest, or keep it free."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _usable(self) -> Line | None:
        """Return an idle connection. One that the server has closed is known to be dead by now, or soon enough."""
        while self._idle:
            line = self._idle.pop()
            if line.is_fit_for_use(self._settings.pool_recycle):
                return line
            line.die()
        return None


def _in_transaction(work: Callable[[PipelinedSession], T], session: PipelinedSession) -> T:
    with session:
        done = work(session)
        session.finish()
        return done


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(UnavailableError(_BUSY))


@dataclass(frozen=True, slots=True)
class _Question:
    """A statement with its parameters, and the role whose plan of it is kept."""

    statement: Statement
    parameters: list[bytes | None]
    role: str


class LaneReading:
    """A transaction on the lane; see `deskbell.kernel.reading.Reading`."""

    line: Line

    def __init__(self, lane: Lane, patience: float) -> None:
        """`patience` is in seconds, for each answer."""
        self.actor: Actor | None = None
        self._lane, self._patience = lane, patience
        self._may_retry = False
        self._expected: _Question | None = None
        self._check: Check | None = None

    async def __aenter__(self) -> Self:
        """Begin. Raises UnavailableError."""
        try:
            self.line = await self._lane.take()
        except psycopg.Error as error:
            raise translated(error, {}) or error from error
        self._may_retry = self.line.is_used
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End. What the database says becomes an error that a person can be told."""
        self._lane.put_back(self.line)
        if isinstance(error, psycopg.Error) and (known := translated(error, {})):
            raise known from error

    async def rows(self, statement: Statement, values: Mapping[str, Any] = NO_VALUES, *, last: bool = False) -> Rows:
        """Run a statement. A connection that turns out to be dead before it has said anything is replaced."""
        role = "" if self.actor is None else self.actor.role
        question = _Question(statement, statement.parameters(values), role)
        if self._expected is None:
            return (await self._answers([question], last=last))[0]
        questions, self._expected = [self._expected, question], None
        return (await self._answers(questions, last=last))[1]

    def expect(self, statement: Statement, values: Mapping[str, Any], check: Check) -> None:
        """Run a statement in the round trip of the next one."""
        self._expected, self._check = _Question(statement, statement.parameters(values), ""), check

    async def settle(self) -> None:
        """Run what is expected."""
        if self._expected is not None:
            question, self._expected = self._expected, None
            await self._answers([question], last=True)

    async def _answers(self, questions: list[_Question], *, last: bool) -> list[Rows]:
        try:
            return await self._ask(questions, last=last)
        except psycopg.OperationalError as error:
            if not (self._may_retry and self.line.is_gone(error)):
                raise
        self.line.die()
        self.line = await self._lane.connect()
        return await self._ask(questions, last=last)

    async def _ask(self, questions: list[_Question], *, last: bool) -> list[Rows]:
        """Send all questions, then read all answers, so that none is left behind; what is checked goes first."""
        line, final = self.line, questions[-1]
        for question in questions:
            then = Then.MORE if question is not final else Then.END if last else Then.ANSWER
            line.ask(question.statement, question.parameters, question.role, then)
        timer = line.loop.call_later(self._patience, line.die, psycopg.OperationalError("no answer in time"))
        try:
            results = await line.answers()
        finally:
            timer.cancel()
        if self._check is not None:
            self._check(_rows(questions[0], results[0]))
            self._check = None
        found = [_rows(question, result) for question, result in zip(questions, results, strict=False)]
        self._may_retry = False
        return found


def _rows(question: _Question, result: Result) -> Rows:
    """Read an answer. When the connection breaks there is one error for all that was still due."""
    if isinstance(result, psycopg.Error):
        raise result
    return Answer(result, question.statement.decoders)
