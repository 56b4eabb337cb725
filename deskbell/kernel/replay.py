"""How far a primary has written its log and a standby has replayed it: what may be compared, and how.

A commit that was acknowledged lies before the primary's position; what a standby has replayed can be seen there.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_SHORTEST, _LONGEST, _GROWTH = 0.002, 0.05, 1.5
"""Between two looks at whether a replica has caught up: seconds, and by what they grow."""

# Where a page or a file of the log has just begun, the position is behind its header, 24 or 40 bytes long, which is
# nothing that a standby could replay: it stays at the beginning.
POSITION: Final = """
select current_database() as database, system_identifier as system, timeline_id as timeline,
       cast(lsn - cast(case when offset_in_file = 40 then 40
                            when offset_in_file % cast(current_setting('wal_block_size') as int) = 24 then 24
                            else 0 end as numeric) as text) as lsn
  from pg_control_system(), pg_control_checkpoint(),
       (select lsn, (lsn - '0/0') % pg_size_bytes(current_setting('wal_segment_size')) as offset_in_file
          from (select pg_current_wal_insert_lsn() as lsn offset 0) log) place
"""
STATE: Final = """
select current_database() as database, system_identifier as system, timeline_id as timeline,
       pg_is_in_recovery() as in_recovery, cast(pg_last_wal_replay_lsn() as text) as replayed,
       case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() <> 'not paused' end as is_paused
  from pg_control_system(), pg_control_checkpoint()
"""
NO_STANDBY: Final = "is not a standby, but a server that may be written to"
_POSITION, _STATE = text(POSITION), text(STATE)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a primary had written: all that was committed there lies before. `lsn` is a number of bytes."""

    database: str
    system: int
    timeline: int
    lsn: int


def position_of(session: Session) -> Position:
    """Return where the primary is, in a session of it."""
    return position_from(session.execute(_POSITION).one()._asdict())


def position_from(row: Row) -> Position:
    """Read what `POSITION` says."""
    return Position(row["database"], row["system"], row["timeline"], bytes_of(row["lsn"]))


def bytes_of(lsn: str | None) -> int:
    """Return the number of bytes that a pg_lsn stands for; None, where nothing was replayed yet, is 0."""
    high, _, low = (lsn or "0/0").partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def unfit(state: Row, position: Position) -> str | None:
    """Return why a server that said this (`STATE`) cannot answer, whatever it has replayed."""
    if not state["in_recovery"]:
        return NO_STANDBY
    if (state["database"], state["system"]) != (position.database, position.system):
        return "is a copy of another database"
    if state["timeline"] != position.timeline:
        return "does not follow the primary since that was replaced, or not yet"
    return "has been told to pause (pg_wal_replay_pause)" if state["is_paused"] else None


class UnfitError(Exception):
    """Not for people: a replica cannot answer, and why."""


def await_position(
    ask: Callable[[], Row], position: Position, deadline: float, pause: Callable[[float], object]
) -> None:
    """Return when a replica, which is asked for its `STATE`, has replayed the position.

    Raises UnfitError at the deadline, on the monotonic clock.
    """
    between = _SHORTEST
    while True:
        state = ask()
        if reason := unfit(state, position):
            raise UnfitError(reason)
        if bytes_of(state["replayed"]) >= position.lsn:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise UnfitError("lies too far behind")
        pause(min(between, left))
        between = min(between * _GROWTH, _LONGEST)


def state_of(session: Session) -> Row:
    """Return what a replica says of itself, in a session of it. What is read next is at least as new."""
    return session.execute(_STATE).one()._asdict()
