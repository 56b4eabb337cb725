"""A session whose statements are sent as they are run, and waited for when somebody looks at what they found.

A use case that runs its statements by `run` takes two round trips in it, instead of one for each of them, for BEGIN and
for COMMIT (PostgreSQL manual, 32.5: pipeline mode). What needs more of a session than that gets a `NotPipelinedError`
before anything is kept, and is to be called again in an ordinary session.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import psycopg
from psycopg.pq.abc import PGresult
from sqlalchemy.engine import IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from deskbell.kernel.lanes.answers import Answer
from deskbell.kernel.lanes.line import Line, Then
from deskbell.kernel.lanes.reading import Check
from deskbell.kernel.lanes.statements import Row, Statement


class NotPipelinedError(Exception):
    """Not for people: nothing was kept, and an ordinary session can do it."""


class PipelinedSession(Session):
    """A transaction on one line. `run` and what needs no statement is all that it can do."""

    def __init__(self, line: Line, role: str, **options: Any) -> None:  # noqa: ANN401 - a session's
        """`role` is the database role of who acts."""
        super().__init__(**options)
        self._line, self._role = line, role
        self._sent: list[Statement] = []
        self._found: list[PGresult] = []
        self._check: Check | None = None
        self._is_ending = False

    def get_bind(self, *_: object, **__: object) -> NoReturn:
        """Refuse: what asks for a connection has more to do than this can."""
        raise NotPipelinedError

    def expect(self, statement: Statement, values: Mapping[str, Any], check: Check) -> None:
        """Run a statement first of all. `check` raises where its rows are not as they were expected."""
        self._line.ask(statement, statement.parameters(values), "", Then.MORE)
        self._sent.append(statement)
        self._check = check

    def send(self, statement: Statement, values: Mapping[str, Any], *, last: bool) -> Result[Any]:
        """Send a statement; see `run`."""
        self._line.ask(statement, statement.parameters(values), self._role, Then.MORE)
        self._sent.append(statement)
        return IteratorResult(SimpleResultMetaData(statement.names), self._rows(len(self._sent) - 1, last=last))

    def finish(self) -> None:
        """Commit, where the last statement has not, and wait until that is done."""
        if not self._is_ending:
            self._settle(end=True)

    def _rows(self, place: int, *, last: bool) -> Iterator[Row]:
        if place >= len(self._found):
            self._settle(end=last)
        answer = Answer(self._found[place], self._sent[place].decoders)
        yield from (answer.row(index) for index in range(len(answer)))

    def _settle(self, *, end: bool) -> None:
        """Wait for all that was sent. Raises what the database says of the first statement that failed."""
        self._is_ending = end
        line = self._line
        line.have_answered(end=end)
        for result in await_only(line.answers(line.asked())):
            if isinstance(result, psycopg.Error):
                self._give_up(result)
            self._found.append(result)
            if self._check is not None:
                check, self._check = self._check, None
                check(Answer(result, self._sent[0].decoders))

    def _give_up(self, error: psycopg.Error) -> NoReturn:
        """Raise the error, but for that of a connection that was gone before anything could be kept."""
        if self._line.is_gone(error) and not self._is_ending:
            raise NotPipelinedError from error
        raise error


def run(session: Session, statement: Statement, values: Mapping[str, Any], *, last: bool = False) -> Result[Any]:
    """Run a statement in any session, with these values of its open parameters.

    `last`: nothing is written after it, so that a pipelined session may commit while it answers.
    """
    if isinstance(session, PipelinedSession):
        return session.send(statement, values, last=last)
    return session.execute(statement.textual, statement.by_position(values))
