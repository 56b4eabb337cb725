"""One read-only transaction on a lane; see `deskbell.kernel.lanes.reading.Reading`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg

from deskbell.kernel.actor import Actor
from deskbell.kernel.faults import translated
from deskbell.kernel.lanes.answers import Answer
from deskbell.kernel.lanes.lane import Lane
from deskbell.kernel.lanes.line import Exchange, Line, Result, Then
from deskbell.kernel.lanes.reading import NO_VALUES, Check, Rows
from deskbell.kernel.lanes.statements import Statement


@dataclass(frozen=True, slots=True)
class _Question:
    """A statement with its parameters, the role whose plan of it is kept, and what its rows are checked by."""

    statement: Statement
    parameters: list[bytes | None]
    role: str
    check: Check | None = None


class LaneReading:
    """A transaction in which nobody acts at first: until then PostgreSQL refuses every table.

    It takes a line when it first asks.
    """

    def __init__(self, lane: Lane) -> None:
        """Read on a lane."""
        self.actor: Actor | None = None
        self._lane = lane
        self._line: Line | None = None
        self._is_holder = self._may_retry = False
        self._asked: Exchange | None = None
        self._expected: _Question | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End. What the database says becomes an error that a person can be told."""
        self._leave()
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
        self._expected = _Question(statement, statement.parameters(values), "", check)

    async def settle(self) -> None:
        """Run what is expected."""
        if self._expected is not None:
            question, self._expected = self._expected, None
            await self._answers([question], last=True)

    async def _answers(self, questions: list[_Question], *, last: bool) -> list[Rows]:
        is_quick = last and self._lane.is_quick(questions[-1].statement)
        line = self._line
        if line is None:
            line = self._hold(await self._lane.take(is_quick=is_quick))
            self._may_retry = line.is_used
        try:
            return await self._ask(line, questions, last=last, is_quick=is_quick)
        except psycopg.Error as error:
            if not (self._may_retry and line.is_gone(error)):
                raise
        self._leave()
        line = self._hold(await self._lane.take(may_be_idle=False))
        return await self._ask(line, questions, last=last, is_quick=is_quick)

    async def _ask(self, line: Line, questions: list[_Question], *, last: bool, is_quick: bool) -> list[Rows]:
        """Send all questions, then read all answers, so that none is left behind; what is checked goes first."""
        final = questions[-1]
        for question in questions:
            then = Then.MORE if question is not final else Then.END if last else Then.ANSWER
            line.ask(question.statement, question.parameters, question.role, then)
        self._asked = asked = line.asked()
        if is_quick:
            self._is_holder = False
            self._lane.let_in(line)
        results = await line.answers(asked)
        found = [_rows(question, result) for question, result in zip(questions, results, strict=False)]
        self._may_retry = False
        if last:
            self._lane.learn(final.statement, asked.took)
        return found

    def _hold(self, line: Line) -> Line:
        self._line, self._is_holder = line, True
        return line

    def _leave(self) -> None:
        """Give the line back. Who leaves before the answer takes it along: nobody else is to be told that."""
        line, self._line = self._line, None
        if line is not None:
            if self._asked is not None and self._asked.due:
                line.die()
            self._lane.leave(line, is_holder=self._is_holder)


def _rows(question: _Question, result: Result) -> Rows:
    """Read an answer. When the connection breaks there is one error for all that was still due."""
    if isinstance(result, psycopg.Error):
        raise result
    rows = Answer(result, question.statement.decoders)
    if question.check is not None:
        question.check(rows)
    return rows
