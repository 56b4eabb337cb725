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

from deskbell.kernel.lanes.statements import Statement

Result = PGresult | psycopg.Error
_SHUTTING_DOWN: Final = "57P"
"""How the codes begin with which a server takes its leave."""
_NO_SUCH_STATEMENT: Final = "26000"
_CLOSED: Final = "the connection was closed"
_KEPT: Final = 40
"""Prepared statements of a connection, the last used ones: a plan may take 200 kB."""


class Then(Enum):
    """What follows a statement: another one at once, its answer, or its answer and the end of the transaction."""

    MORE = "more"
    ANSWER = "answer"
    END = "end"


class Exchange:
    """What one reader asks a line for, and the answers, in order; for what was not run, the error that prevented it."""

    __slots__ = ("began", "due", "found", "took", "waiter")

    def __init__(self) -> None:
        """Begin."""
        self.due = 0
        self.found: list[Result] = []
        self.waiter: asyncio.Future[None] | None = None
        self.began = self.took = 0.0

    def end(self) -> None:
        """Wake up who waits."""
        self.due = 0
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class Line:
    """A connection in a running event loop. Its socket is always watched: when the server goes, so does this.

    Several readers may use it, one behind the other: who has sent all that they send lets the next one ask. `users` are
    those, and `is_held` says whether one of them has something to send yet; both are kept by the lane.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any], patience: float) -> None:
        """Take over an idle connection, which is closed where an answer takes longer than `patience` seconds."""
        self._patience = patience
        self._watch: asyncio.TimerHandle | None = None
        self.loop = asyncio.get_running_loop()
        self.is_dead = self.is_used = False
        self._since = monotonic()
        self._connection, self._pgconn = connection, connection.pgconn  # the one closes with the other
        self._socket = self._pgconn.socket
        self.users, self.is_held = 0, False
        self._due: deque[Exchange | None] = deque()
        """What the server has still to say, in order, and what it is an answer in, if it is one."""
        self._asking = Exchange()
        self._unanswered = 0
        self._last_answer = 0.0
        self._is_answered = False  # the first of them, but the end of the answer has not been read
        self._is_open = False  # the transaction
        self._is_fit = True
        self._failure: psycopg.Error | None = None
        self._names: OrderedDict[tuple[Statement, str], bytes] = OrderedDict()
        self._prepared_so_far = 0
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self.loop.add_reader(self._socket, self._on_readable)

    @property
    def is_waiting(self) -> bool:
        """Whether answers are due that somebody asked for."""
        return self._unanswered > 0

    @property
    def is_fit(self) -> bool:
        """Whether it is alive, and no statement has failed on it."""
        return self._is_fit and not self.is_dead

    def is_fit_for_use(self, recycle: float) -> bool:
        """Whether it is so, of this event loop, and at most `recycle` seconds old."""
        is_here = self.loop is asyncio.get_running_loop()
        return self.is_fit and is_here and monotonic() - self._since < recycle

    def ask(self, statement: Statement, parameters: list[bytes | None], role: str, then: Then) -> None:
        """Send a statement. A plan that is kept contains the row policies of one role."""
        if self.is_dead:
            return
        self.is_used = self._is_open = True
        try:
            self._send(statement, parameters, role, then)
        except psycopg.Error as error:
            self.die(error)

    def asked(self) -> Exchange:
        """Return what was asked since the last call: from here on somebody else may ask."""
        exchange, self._asking = self._asking, Exchange()
        return exchange

    async def answers(self, exchange: Exchange) -> list[Result]:
        """Wait for the answers. For what was not run they are the error that prevented it."""
        if exchange.due and not self.is_dead:
            exchange.waiter = self.loop.create_future()
            if self._watch is None:
                self._watch = self.loop.call_later(self._patience, self._look)
            await exchange.waiter
        return exchange.found or [psycopg.OperationalError(_CLOSED)]

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
        """Whether the error says nothing but that the connection is of no use: lost, or the server about to leave.

        Or that whoever asked before failed just when they were about to prepare the statement.
        """
        state = error.sqlstate or ""
        return self.is_dead or state.startswith(_SHUTTING_DOWN) or (state == _NO_SUCH_STATEMENT and not self._is_fit)

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
        if self._watch is not None:
            self._watch.cancel()
        if not self.loop.is_closed():
            self.loop.remove_reader(self._socket)
            self.loop.remove_writer(self._socket)
        self._pgconn.finish()
        for exchange in {self._asking, *filter(None, self._due)}:
            exchange.found.append(reason or psycopg.OperationalError(_CLOSED))
            exchange.end()
        self._unanswered = 0

    def _look(self) -> None:
        """See whether an answer takes too long: once in a while, as a timer for each answer costs more than asking."""
        self._watch = None
        waiting = next(filter(None, self._due), None)
        if waiting is None:
            return
        left = waiting.began + self._patience - monotonic()
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        else:
            self.die(psycopg.OperationalError("no answer in time"))

    def _send(self, statement: Statement, parameters: list[bytes | None], role: str, then: Then) -> None:
        if statement.prepared:
            self._pgconn.send_query_prepared(self._prepared(statement, role), parameters)
        else:
            self._pgconn.send_query_params(statement.sql, parameters)
        self._expect_answer()
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
        if len(self._names) >= _KEPT:
            _, old = self._names.popitem(last=False)
            self._pgconn.send_query_params(b"DEALLOCATE " + old, None)
            self._due.append(None)
        self._prepared_so_far += 1
        name = b"s%d" % self._prepared_so_far  # never given twice: behind an error neither of the two is run
        self._pgconn.send_prepare(name, statement.sql)
        self._due.append(None)
        self._names[key] = name
        return name

    def _end(self, *, is_answer: bool = False) -> None:
        self._pgconn.pipeline_sync()
        if is_answer:
            self._expect_answer()
        else:
            self._due.append(None)
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
            exchange, was_refused = self._due.popleft(), self._is_answered
            self._is_answered, self._failure = False, None
            if exchange is not None and not was_refused:
                self._answer(exchange, result)
            return
        self._is_answered = True
        if result.status == ExecStatus.FATAL_ERROR:
            self._failure = error_from_result(result)
            self._is_fit = False  # for what was to be prepared or forgotten behind the error was not
        exchange = self._due[0]
        if exchange is not None:
            is_good = result.status in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
            self._answer(exchange, result if is_good else self._failure or psycopg.OperationalError("not run"))

    def _expect_answer(self) -> None:
        if not self._asking.due:
            self._asking.began = monotonic()
        self._due.append(self._asking)
        self._asking.due += 1
        self._unanswered += 1

    def _answer(self, exchange: Exchange, result: Result) -> None:
        exchange.found.append(result)
        exchange.due -= 1
        self._unanswered -= 1
        if not exchange.due:
            now = monotonic()
            exchange.took, self._last_answer = now - max(exchange.began, self._last_answer), now
            exchange.end()
