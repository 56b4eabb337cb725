"""How the asynchronous engine's pool hands out connections: alive, without asking each time, and patiently."""

from contextlib import suppress
from select import select
from time import monotonic
from typing import Any, Final

from asyncpg import Connection
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util.queue import Empty

PATIENCE: Final = 0.5
"""Seconds to wait for one of the pool's own connections before one beyond its size is opened."""

TRUSTED: Final = 5.0
"""Seconds for which a connection that was in use is taken to be alive."""


class PatientPool(AsyncAdaptedQueuePool):
    """Opens a connection beyond its size only where none becomes free soon.

    Such a one is closed when it is given back, so at a load just above the size nearly each transaction would open one,
    which takes ten times as long as the transaction.
    """

    def _do_get(self) -> ConnectionPoolEntry:
        if self._overflow >= 0:  # as many as its size are open
            with suppress(Empty):
                return self._pool.get(block=True, timeout=PATIENCE)
        return super()._do_get()


class WatchedConnection(Connection):  # type: ignore[misc]  # asyncpg ships no types
    """A connection that knows since when it is idle, in seconds of the monotonic clock."""

    __slots__ = ("idle_since",)
    idle_since: float

    def was_in_use_just_now(self) -> bool:
        """Whether it was used a moment ago and nothing has come since: the server takes its leave in words."""
        socket = self._transport.get_extra_info("socket")
        return monotonic() - self.idle_since < TRUSTED and not select([socket.fileno()], [], [], 0)[0]


def ping_idle_connections(engine: AsyncEngine) -> None:
    """Let the engine's pool refuse connections that are closed, and ping those that were idle for a while.

    A server that goes away says so, or closes the socket: that shows without asking. What does not is a network that
    lost the connection silently. SQLAlchemy's own ping is three round trips, for each transaction.
    """
    dialect = engine.sync_engine.dialect
    ask_server = dialect.do_ping

    def ping(connection: Any) -> bool:  # noqa: ANN401 - SQLAlchemy's adapter
        watched: WatchedConnection = connection.driver_connection
        if watched.is_closed():
            raise dialect.loaded_dbapi.InterfaceError("connection is closed")
        return watched.was_in_use_just_now() or ask_server(connection)

    dialect.do_ping = ping  # type: ignore[assignment]  # of this engine alone: each has a dialect of its own
    event.listen(engine.sync_engine, "checkin", _remember_time)


def _remember_time(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter, None if invalid
    if connection is not None:
        connection.driver_connection.idle_since = monotonic()
