"""What follows from a ticket's columns and the time: properties that are the same in Python and in SQL.

Durations are exact: 7 days are 168 hours, also where the clocks change in between and whatever the session's time zone
is. `..._at(now)` is told the time; the others take the time of this machine in Python and that of the database in SQL.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import TIMESTAMP, ColumnElement, Double, and_, cast, extract, func, literal
from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property

from deskbell.kernel.clock import SystemClock
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapped

OVERDUE_HOURS: Final = 7 * 24
ESCALATION_HOURS: Final = 24
_DONE: Final = frozenset({"resolved", "closed"})
_SECONDS_OF_AN_HOUR: Final = 3600.0
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
_AGE: Final = 10_000 * 8766
"""Hours: more than lies between the first and the last time of Python, so that a longer span says nothing more."""
_AGE_BACK: Final = 6_000 * 8766
"""The same, back from now: PostgreSQL's times begin in 4714 BC."""


class DerivedFromTimes:
    """Mixed into `Ticket`. What was deleted is neither overdue nor to be escalated."""

    if TYPE_CHECKING:
        status: Mapped[StrEnum]
        created_at: Mapped[datetime]
        first_responded_at: Mapped[datetime | None]
        resolved_at: Mapped[datetime | None]
        deleted_at: Mapped[datetime | None]

    @hybrid_method
    def is_overdue_at(self, now: datetime) -> bool:
        """Whether it is neither resolved nor closed, and older than 7 days at the aware time `now`."""
        return self.status not in _DONE and self._is_before(_bound(now, OVERDUE_HOURS))

    @is_overdue_at.expression
    @classmethod
    def _is_overdue_at(cls, now: datetime) -> ColumnElement[bool]:
        return and_(cls.resolved_at.is_(None), cls._was_made_before(_moment(_bound(now, OVERDUE_HOURS))))

    @hybrid_property
    def is_overdue(self) -> bool:
        """Whether it is neither resolved nor closed, and older than 7 days."""
        return self.is_overdue_at(SystemClock().now())

    @is_overdue.inplace.expression
    @classmethod
    def _is_overdue(cls) -> ColumnElement[bool]:
        return and_(cls.resolved_at.is_(None), cls._was_made_before(_ago(OVERDUE_HOURS)))

    @hybrid_method
    def is_priority_escalation_needed_at(self, now: datetime, hours: float = ESCALATION_HOURS) -> bool:
        """Whether it is still open, and older than `hours` at the aware time `now`."""
        return self.status == "open" and self._is_before(_bound(now, hours))

    @is_priority_escalation_needed_at.expression
    @classmethod
    def _is_priority_escalation_needed_at(cls, now: datetime, hours: float = ESCALATION_HOURS) -> ColumnElement[bool]:
        return and_(cls.status == "open", cls._was_made_before(_moment(_bound(now, hours))))

    @hybrid_method
    def is_priority_escalation_needed(self, hours: float = ESCALATION_HOURS) -> bool:
        """Whether it is still open, and older than `hours`: a finite number, fractions and negative ones included."""
        return self.is_priority_escalation_needed_at(SystemClock().now(), hours)

    @is_priority_escalation_needed.expression
    @classmethod
    def _is_priority_escalation_needed(cls, hours: float = ESCALATION_HOURS) -> ColumnElement[bool]:
        return and_(cls.status == "open", cls._was_made_before(_ago(hours)))

    @hybrid_property
    def response_time_hours(self) -> float | None:
        """Hours from its creation to the first public answer by staff; None where there was none yet."""
        if self.first_responded_at is None:
            return None
        # In UTC: Python takes two times of one zone by what their clocks show, with an hour too many in spring.
        taken = self.first_responded_at.astimezone(UTC) - self.created_at.astimezone(UTC)
        return taken.total_seconds() / _SECONDS_OF_AN_HOUR

    @response_time_hours.inplace.expression
    @classmethod
    def _response_time_hours(cls) -> ColumnElement[float | None]:
        seconds = cast(extract("epoch", cls.first_responded_at - cls.created_at), Double)
        hours: ColumnElement[Any] = seconds / literal(_SECONDS_OF_AN_HOUR, Double)
        return hours

    def _is_before(self, bound: datetime) -> bool:
        """A ticket that was never stored has no time of creation, and is not old."""
        made: datetime | None = self.created_at
        return made is not None and made < bound and self.deleted_at is None

    @classmethod
    def _was_made_before(cls, bound: ColumnElement[datetime]) -> ColumnElement[bool]:
        return and_(cls.created_at < bound, cls.deleted_at.is_(None))


def _finite(hours: float) -> float:
    if not isfinite(hours):
        raise InvalidError(f"{hours} is no number of hours.", field="hours")
    return min(max(hours, -_AGE), _AGE)


def _bound(now: datetime, hours: float) -> datetime:
    """Return the time `hours` before `now`, or the first or last one that there is."""
    if now.utcoffset() is None:
        raise InvalidError(f"{now.isoformat()} has no time zone: give an aware time.", field="now")
    span = timedelta(hours=_finite(hours))
    try:
        return now.astimezone(UTC) - span
    except OverflowError:
        return _FIRST if span > timedelta(0) else _LAST


def _moment(value: datetime) -> ColumnElement[datetime]:
    return literal(value, TIMESTAMP(timezone=True))


def _ago(hours: float) -> ColumnElement[datetime]:
    """Not `now()`, which is the start of the transaction; in seconds, as a day of an interval may have 23 hours."""
    seconds = literal(min(_finite(hours), _AGE_BACK) * _SECONDS_OF_AN_HOUR, Double)
    return func.statement_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
