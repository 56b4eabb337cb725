"""How far behind each replica is: for administrators. It asks the servers themselves, not the pools."""

import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect
from deskbell.kernel.database import Database
from deskbell.kernel.errors import SetupError, UnavailableError
from deskbell.kernel.faults import translated
from deskbell.kernel.replay import (
    NO_STANDBY,
    POSITION,
    STATE,
    Position,
    Row,
    UnfitError,
    await_position,
    bytes_of,
    position_from,
)
from deskbell.kernel.replicas import PATIENCE

_NOW: Final = "select extract(epoch from clock_timestamp())::float as now"
_LAST_COMMIT: Final = "select extract(epoch from pg_last_xact_replay_timestamp())::float as at"


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """A replica as it is just now. `problem` says why it is not asked for figures; None: it is.

    `lag_bytes` and `lag_seconds` are how much of the primary's log it had not replayed when it was asked, and how long
    that took it since, or how old the last change is that it knows. `replayed` is its position (a pg_lsn). All are None
    where it was not reached, or is no standby.
    """

    name: str
    is_reachable: bool
    is_standby: bool | None = None
    replayed: str | None = None
    lag_bytes: int | None = None
    lag_seconds: float | None = None
    problem: str | None = None


def replica_states(database: Database) -> list[ReplicaState]:
    """Return how each replica is, in the order of the setting; it takes some seconds where one does not answer.

    Blocks: under asyncio call it in a thread. Raises UnavailableError where the primary does not answer.
    """
    return [_state(database, standby) for standby in database.standbys]


def _state(primary: Database, standby: Database) -> ReplicaState:
    try:
        with _connected(standby) as there:
            return _compared(there, standby.address, primary)
    except (psycopg.Error, SetupError):
        return ReplicaState(str(standby.address), is_reachable=False, problem="does not answer")


def _compared(there: psycopg.Connection[dict[str, Any]], address: Address, primary: Database) -> ReplicaState:
    if not _asked(there, STATE)["in_recovery"]:
        return ReplicaState(str(address), is_reachable=True, is_standby=False, problem=NO_STANDBY)
    position, now = _position(primary)
    began, state = time.monotonic(), _asked(there, STATE)
    problem, seconds = None, 0.0
    try:
        await_position(lambda: _asked(there, STATE), position, began + primary.replicas.max_lag, time.sleep)
        if bytes_of(state["replayed"]) < position.lsn:
            seconds = time.monotonic() - began
    except UnfitError as error:
        problem, seconds = str(error), now - (_asked(there, _LAST_COMMIT)["at"] or now)
    lag = max(position.lsn - bytes_of(state["replayed"]), 0)
    return ReplicaState(
        name=str(address),
        is_reachable=True,
        is_standby=True,
        replayed=state["replayed"],
        lag_bytes=lag,
        lag_seconds=round(max(seconds, 0.0), 3) if lag else 0.0,
        problem=problem,
    )


def _position(primary: Database) -> tuple[Position, float]:
    """Return how far the primary is, and what its clock says, in seconds."""
    try:
        with _connected(primary) as here:
            return position_from(_asked(here, POSITION)), _asked(here, _NOW)["now"]
    except psycopg.Error as error:
        raise translated(error, {}) or UnavailableError() from error


def _connected(database: Database) -> psycopg.Connection[dict[str, Any]]:
    options = database.address.options(database.server_parameters)
    return connect(database.address, options=options, connect_timeout=PATIENCE, autocommit=True, row_factory=dict_row)


def _asked(connection: psycopg.Connection[dict[str, Any]], question: str) -> Row:
    [row] = connection.execute(question.encode()).fetchall()
    return row
