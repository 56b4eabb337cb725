"""One connection of a lane: libpq in pipeline mode, watched by the event loop."""

import asyncio
from collections import OrderedDict, deque
from enum import Enum
from time import monotonic
from typing import Any, Final

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from deskbell.kernel.statements import Statement

Result = PGresult | psycopg.Error
_SHUTTING_DOWN: Final = "57P"
"""How the codes begin with which a server takes its leave."""
_KEPT: Final = 40
"""Prepared statements of a connection, the last used ones: a plan may take 200 kB."""


class Then(Enum):
    """What follows a statement: another one at once, its answer, or its answer and the end of the transaction."""

    MORE = "more"
    ANSWER = "answer"
    END = "end"


class Line:
    """A connection in a running event loop. Its socket is always watched: when the server goes, so does this."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Take over an idle connection."""
        self.loop = asyncio.get_running_loop()
        self.is_dead = self.is_used = False
        self._since = monotonic()
        self._connection, self._pgconn = connection, connection.pgconn  # the one closes with the other
        self._socket = self._pgconn.socket
        self._due: deque[bool] = deque()
        """What the server has still to say, in order, and whether it is an answer."""
        self._is_answered = False  # the first of them, but the end of the answer has not been read
        self._is_open = False  # the transaction
        self._is_fit = True
        self._failure: psycopg.Error | None = None
        self._answers: list[Result] = []
        self._waiter: asyncio.Future[None] | None = None
        self._names: OrderedDict[tuple[Statement, str], bytes] = OrderedDict()
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self.loop.add_reader(self._socket, self._on_readable)

    @property
    def is_waiting(self) -> bool:
        """Whether answers are due that somebody asked for."""
        return any(self._due) and not (self._is_answered and sum(self._due) == 1)

    def is_fit_for_use(self, recycle: float) -> bool:
        """Whether it is alive, of this event loop, and at most `recycle` seconds old."""
        is_here = self._is_fit and not self.is_dead and self.loop is asyncio.get_running_loop()
        return is_here and monotonic() - self._since < recycle

    def ask(self, statement: Statement, parameters: list[bytes | None], role: str, then: Then) -> None:
        """Send a statement. A plan that is kept contains the row policies of one role."""
        if self.is_dead:
            return
        self.is_used = self._is_open = True
        try:
            self._send(statement, parameters, role, then)
        except psycopg.Error as error:
            self.die(error)

    async def answers(self) -> list[Result]:
        """Return the answers to what was asked, or the errors; for what was not run, the error that prevented it."""
        if not self.is_dead:
            self._waiter = self.loop.create_future()
            await self._waiter
        found, self._answers = self._answers, []
        return found or [psycopg.OperationalError("the connection was closed")]

    def have_answered(self, *, end: bool) -> None:
        """Have the server answer what was sent so far; with `end`, that the transaction has ended is an answer too."""
        if self.is_dead:
            return
        try:
            if end:
                self._end(is_answer=True)
            else:
                self._pgconn.send_flush_request()
                self._flush()
        except psycopg.Error as error:
            self.die(error)

    def is_gone(self, error: psycopg.Error) -> bool:
        """Whether the error says nothing but that the connection is lost, or the server about to leave."""
        return self.is_dead or (error.sqlstate or "").startswith(_SHUTTING_DOWN)

    def end(self) -> None:
        """End the transaction, where the last statement has not. Nobody need wait for that."""
        if self._is_open and not self.is_dead:
            try:
                self._end()
            except psycopg.Error as error:
                self.die(error)

    def die(self, reason: psycopg.Error | None = None) -> None:
        """Close the connection; what is still due is answered with the reason."""
        if self.is_dead:
            return
        self.is_dead = True
        if not self.loop.is_closed():
            self.loop.remove_reader(self._socket)
            self.loop.remove_writer(self._socket)
        self._pgconn.finish()
        self._answers.append(reason or psycopg.OperationalError("the connection was closed"))
        self._wake()

    def _send(self, statement: Statement, parameters: list[bytes | None], role: str, then: Then) -> None:
        if statement.prepared:
            self._pgconn.send_query_prepared(self._prepared(statement, role), parameters)
        else:
            self._pgconn.send_query_params(statement.sql, parameters)
        self._due.append(True)
        if then is Then.END:
            self._end()
        elif then is Then.ANSWER:
            self._pgconn.send_flush_request()
            self._flush()

    def _prepared(self, statement: Statement, role: str) -> bytes:
        key = statement, role
        name = self._names.get(key)
        if name is not None:
            self._names.move_to_end(key)
            return name
        if len(self._names) < _KEPT:
            name = b"s%d" % len(self._names)
        else:
            _, name = self._names.popitem(last=False)
            self._pgconn.send_query_params(b"DEALLOCATE " + name, None)
            self._due.append(False)
        self._pgconn.send_prepare(name, statement.sql)
        self._due.append(False)
        self._names[key] = name
        return name

    def _end(self, *, is_answer: bool = False) -> None:
        self._pgconn.pipeline_sync()
        self._due.append(is_answer)
        self._is_open = False
        self._flush()

    def _flush(self) -> None:
        try:
            is_done = self._pgconn.flush() == 0
        except psycopg.Error as error:
            self.die(error)
            return
        if is_done:
            self.loop.remove_writer(self._socket)
        else:
            self.loop.add_writer(self._socket, self._flush)

    def _on_readable(self) -> None:
        try:
            self._pgconn.consume_input()
            while self._due and not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None and not self._is_answered:
                    break
                self._take(result)
        except psycopg.Error as error:
            self.die(error)

    def _take(self, result: PGresult | None) -> None:
        """Read what comes: an answer, the end of it (None), or the end of the transaction."""
        if result is None:
            self._due.popleft()
            self._is_answered = False
            return
        if result.status == ExecStatus.PIPELINE_SYNC:
            is_due, was_refused = self._due.popleft(), self._is_answered
            self._is_answered = False
            if is_due and not was_refused:
                self._answer(result)
            return
        self._is_answered = True
        if result.status == ExecStatus.FATAL_ERROR:
            self._failure = error_from_result(result)
            self._is_fit = False  # for what was to be prepared or forgotten behind the error was not
        if self._due[0]:
            is_good = result.status in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
            self._answer(result if is_good else self._failure or psycopg.OperationalError("not run"))

    def _answer(self, result: Result) -> None:
        self._answers.append(result)
        if not self.is_waiting:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None
