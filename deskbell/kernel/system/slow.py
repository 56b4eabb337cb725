"""Which statements take the database's time: from `pg_stat_statements`, this database's and Deskbell's alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.kernel.errors import ConflictError
from deskbell.kernel.system.rows import rows_of

_MISSING: Final = {
    "not_loaded": (
        "This server does not count statements: add pg_stat_statements to its shared_preload_libraries, restart it, "
        "and run `deskbell db upgrade`."
    ),
    "not_created": (
        "The extension is missing from this database: run `create extension pg_stat_statements` there, as a role that "
        "may, and `grant pg_read_all_stats to deskbell_owner`."
    ),
    "outdated": "The extension is too old: run `alter extension pg_stat_statements update` as the role that owns it.",
    "not_allowed": (
        "Deskbell may not read the statistics: run `grant pg_read_all_stats to deskbell_owner`, and on PostgreSQL 15 "
        "`alter role deskbell_owner inherit`, as a role that may; the extension's schema must be open to it as well."
    ),
}
_MAY_NOT_RESET: Final = (
    "Deskbell may not reset the statistics here: grant EXECUTE on pg_stat_statements_reset to deskbell_owner, as the "
    "role that owns the extension."
)


class Sort(StrEnum):
    """Which statements come first. The total time says what is worth making faster."""

    TOTAL = "total"
    MEAN = "mean"
    MAX = "max"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class SlowStatement:
    """A statement with `$1` for its values. Times are in milliseconds, of all roles that ran it.

    `share` is its part of the time of all of Deskbell's statements, `cache_hit_ratio` the part of pages that were in
    memory: both from 0 to 1, None where there was nothing.
    """

    id: str
    statement: str
    roles: list[str]
    calls: int
    total_ms: float
    mean_ms: float
    max_ms: float
    row_count: int
    share: float | None
    cache_hit_ratio: float | None


@dataclass(frozen=True, slots=True)
class SlowStatements:
    """What is known of statements since `since`; `advice` says in a sentence what to do where nothing can be known.

    `forgotten`: how often the least used had to make room for new ones.
    """

    advice: str | None
    since: datetime | None
    forgotten: int | None
    statements: tuple[SlowStatement, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    state: str
    since: datetime | None
    forgotten: int | None


def slow_statements(session: Session, *, sort: Sort = Sort.TOTAL, limit: int = 20) -> SlowStatements:
    """Return Deskbell's statements in this database that took most. One statement, or two where they are counted.

    Raises ForbiddenError for everybody but administrators and the system.
    """
    source = _source(session)
    if source.state != "ready":
        return SlowStatements(_MISSING[source.state], None, None, ())
    found = rows_of(session, SlowStatement, "deskbell_slow_statements", sort=sort.value, most=limit)
    return SlowStatements(None, source.since, source.forgotten, found)


def forget_statements(session: Session) -> None:
    """Begin to count Deskbell's statements in this database anew: an operation of who acts. It cannot be rolled back.

    Raises ConflictError that says what is missing where that is not possible.
    """
    source = _source(session)
    if source.state != "ready":
        raise ConflictError(_MISSING[source.state])
    if not session.scalar(text("select deskbell_forget_statements()")):
        raise ConflictError(_MAY_NOT_RESET)


def _source(session: Session) -> _Source:
    [source] = rows_of(session, _Source, "deskbell_statement_source")
    return source
