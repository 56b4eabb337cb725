"""Periods of whole days that people ask reports for, and the one each is compared with. Pure: today is handed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_DAY: Final = timedelta(days=1)
MOST_DAYS: Final = 100
MOST_WEEKS: Final = 800
"""Periods up to so many days are told by days, up to so many by weeks, longer ones by months."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` on and before `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last day that counts."""
        return self.end - _DAY

    def before(self) -> "Period":
        """Return the period to compare with: as many days directly before, or as much of the month before a month.

        A whole month is compared with the whole month before it, the first days of one with as many days.
        """
        if self.start.day == 1 and self.end <= _next_month(self.start):
            start, end = _month_before(self.start), self.start
            is_whole = self.end == _next_month(self.start)
            return Period(start, end if is_whole else min(end, start + (self.end - self.start)))
        length = min(self.end - self.start, self.start - date.min)
        return Period(self.start - length, self.start)

    def parts(self) -> list["Period"]:
        """Return the days, weeks (from Monday on) or months it is told by; the first and the last may be cut off."""
        found, start = [], self.start
        while start < self.end:
            end = min(self._part_after(start), self.end)
            found.append(Period(start, end))
            start = end
        return found

    def _part_after(self, start: date) -> date:
        if self.days <= MOST_DAYS:
            return start + _DAY
        if self.days <= MOST_WEEKS:
            return start + (7 - start.weekday()) * _DAY
        return _next_month(start)


PERIODS: Final[Mapping[str, Callable[[date], Period]]] = {
    "7d": lambda today: Period(today - 6 * _DAY, today + _DAY),
    "30d": lambda today: Period(today - 29 * _DAY, today + _DAY),
    "90d": lambda today: Period(today - 89 * _DAY, today + _DAY),
    "12m": lambda today: Period(_a_year_before(today), today + _DAY),
    "month": lambda today: Period(today.replace(day=1), today + _DAY),
    "last-month": lambda today: Period(_month_before(today), today.replace(day=1)),
}
"""Periods that have a name, all but the last up to today, by today."""


def _next_month(day: date) -> date:
    return (day.replace(day=28) + 4 * _DAY).replace(day=1)


def _month_before(day: date) -> date:
    return (day.replace(day=1) - _DAY).replace(day=1)


def _a_year_before(today: date) -> date:
    """The day after this day a year ago, so that no day of the calendar occurs twice."""
    tomorrow = today + _DAY
    return (
        tomorrow.replace(year=tomorrow.year - 1)
        if (tomorrow.month, tomorrow.day) != (2, 29)
        else date(tomorrow.year - 1, 3, 1)
    )
