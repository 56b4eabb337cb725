"""Readings on their way into the access log: kept in a bounded buffer, written in batches by a thread of its own.

Nobody who reads waits for it. An entry is in the log about a second later; the end of the process writes what is left.
A process that is killed loses that second; nothing else is lost without a line that says how much.
"""

import json
import logging
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from threading import Event, Lock, Thread
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from sqlalchemy import text

from deskbell.audit.models import AccessKind
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.clock import Clock
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ConflictError, UnavailableError
from deskbell.kernel.remembering import once_for_short
from deskbell.kernel.text import clean, one_line

QUERY_LENGTH: Final = 500
BATCH: Final = 1000
_NOT_ASKED: Final = frozenset({"cursor", "limit"})
_PASSING: Final = (UnavailableError, ConflictError)
"""What goes away by itself: a server that starts again, a lock."""
_log = logging.getLogger("deskbell.access")


class Reading(NamedTuple):
    """One reading, as cheap to note as can be: what is to be found out is found out when it is written.

    `secret` is the hash of the token or the session's secret, `number` that of a ticket.
    `query` is text, or the query of a URL as it came.
    """

    at: datetime
    user_id: int | None
    secret: bytes | None
    role: str
    channel: str
    act: str
    kind: str
    number: str | None = None
    record_id: int | None = None
    query: str | bytes = ""
    shown: int | None = None
    address: str = ""
    request_id: str = ""


_RECORD: Final = text("select deskbell_record_access(cast(:entries as jsonb))")
_WRITER: Final = Actor.system(Channel.JOB, act="record access")


class AccessRecorder:
    """Takes readings from any thread, and writes them."""

    def __init__(self, database: Database, *, clock: Clock, room: int, every: float = 1.0) -> None:
        """Keep at most `room` readings, and write `every` so many seconds where there are some."""
        self.clock = clock
        self._database, self._room, self._every = database, room, every
        self._waiting: deque[Reading] = deque()
        self._some, self._closing = Event(), Event()
        self._starting, self._writing = Lock(), Lock()
        self._thread: Thread | None = None
        self._lost = 0
        self._is_away = False

    def add(self, reading: Reading) -> None:
        """Note a reading. Where there is no room it is lost, and counted."""
        if len(self._waiting) >= self._room:
            self._lost += 1
            return
        self._waiting.append(reading)
        if not self._some.is_set():
            self._some.set()
            if self._thread is None:
                self._start()

    def flush(self) -> None:
        """Write what there is. Where the database is away it is kept for the next time."""
        with self._writing:
            self._some.clear()
            while batch := self._taken():
                try:
                    self._write(batch)
                except _PASSING as error:
                    self._waiting.extendleft(reversed(batch))
                    self._keep_waiting(error)
                    return
            self._is_away = False
            self._tell_lost()

    def close(self) -> None:
        """Write what is left; what cannot be written now is lost, and said to be. Readings may come again after it."""
        self._closing.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()
        if self._waiting or self._lost:
            _log.error("access log: %d entries were lost: the database is away", len(self._waiting) + self._lost)
            self._waiting.clear()
            self._lost = 0
        self._closing.clear()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = Thread(target=self._run, name="deskbell-access-log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._some.wait()
            if self._closing.wait(self._every):
                return  # whoever closes writes the rest
            self.flush()

    def _taken(self) -> list[Reading]:
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _write(self, batch: list[Reading]) -> None:
        """Write a batch; where something in it is refused, each by itself, so that only that is lost."""
        try:
            self._send(batch)
        except _PASSING:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one, the others are written
            if len(batch) == 1:
                _log.exception("access log: an entry was refused")
                self._lost += 1
                return
            for each in batch:
                self._write([each])

    def _send(self, batch: list[Reading]) -> None:
        entries = json.dumps([_entry(reading) for reading in batch])
        with self._database.transaction(_WRITER) as session:
            session.execute(_RECORD, {"entries": entries})

    def _keep_waiting(self, error: Exception) -> None:
        self._some.set()
        if not self._is_away:
            self._is_away = True
            _log.warning("access log: %d entries wait for the database: %s", len(self._waiting), error)

    def _tell_lost(self) -> None:
        """Say how many were lost, in the log of the process and, where they are missed, in the access log itself."""
        lost, self._lost = self._lost, 0
        if lost:
            _log.error("access log: %d entries were lost: there was no room for them", lost)
            told = Reading(self.clock.now(), None, None, "system", Channel.JOB, "", AccessKind.LOST, shown=lost)
            try:
                self._send([told])
            except _PASSING:
                self._lost += lost


def _entry(reading: Reading) -> tuple[Any, ...]:
    """Return what `deskbell_record_access` takes. Whoever asks chooses much of it, so it is made fit for the table."""
    at, user_id, secret, role, channel, act, kind, number, record_id, query, shown, address, request_id = reading
    return (
        at.isoformat(),
        user_id,
        None if secret is None else secret.hex(),
        role,
        channel,
        _act(act),
        kind,
        None if number is None else _number(number),
        record_id,
        asked(query) if query else "",
        shown,
        _address(address),
        request_id[:64],
    )


@lru_cache
def _act(act: str) -> str:
    return one_line(act, 200)


@lru_cache
def _address(address: str) -> str:
    return one_line(address, 64)


@once_for_short(64)
def _number(number: str) -> str:
    return clean(number).strip().upper()


@once_for_short(QUERY_LENGTH)
def asked(query: str | bytes) -> str:
    """Return a query as people write it, cut to what is kept: of a URL `q` first, then the other parameters."""
    if not query:
        return ""
    written = query if isinstance(query, str) else " ".join(_parameters(query))
    return one_line(clean(written[: 4 * QUERY_LENGTH]), QUERY_LENGTH)


def _parameters(query: bytes) -> Iterator[str]:
    pairs = parse_qsl(query[:8000].decode("latin-1"), errors="replace")
    yield from (value for name, value in pairs if name == "q")
    yield from (f"{name}={value}" for name, value in pairs if name != "q" and name not in _NOT_ASKED)
