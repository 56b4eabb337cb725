"""Times as people write them: `2026-01-31`, `-7d`, `today`. Each is an interval: `created:2026-01-31` is that day.

Days, months and years begin at midnight in the time zone of who asks; a day has 23 or 25 hours where the clocks change.
Hours, days and weeks before or after now are exact (a day has 24 hours), months and years go by the calendar.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from deskbell.kernel.errors import InvalidError

FORMS: Final = ("2026-01-31", "2026-01", "2026", "2026-01-31T14:05", "-7d", "today", "now")
UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
MONTHS: Final = {"mo": 1, "y": 12}
DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999
_MOMENT: Final = timedelta(microseconds=1)
"""How long an instant is: the shortest time that PostgreSQL tells from another."""

_RELATIVE = re.compile(r"(?P<sign>[+-])(?P<count>[0-9]{1,6})(?P<unit>mo|[mhdwy])")
_CALENDAR = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?")
_CLOCK = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?P<seconds>:[0-9]{2})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


class NoSuchTimeError(InvalidError, ValueError):
    """There is no such day or time."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` up to, not including, `end`; both in UTC. `is_instant`: nobody would name its length."""

    start: datetime
    end: datetime
    is_instant: bool = False


def read_interval(text: str, now: datetime, zone: tzinfo) -> Interval | None:
    """Read a time; None where it is none. Raises NoSuchTimeError for a day or a year that there is not."""
    wanted = text.strip().lower()
    if wanted == "now":
        return _instant(now)
    if wanted in DAYS:
        return _day(now.astimezone(zone).date() + timedelta(days=DAYS[wanted]), zone)
    if relative := _RELATIVE.fullmatch(wanted):
        return _instant(_moved(now, zone, int(relative["sign"] + relative["count"]), relative["unit"]))
    if clock := _CLOCK.fullmatch(wanted):
        length = timedelta(seconds=1) if clock["seconds"] else timedelta(minutes=1)
        start = _at(text, zone)
        return Interval(start, start + length)
    if calendar := _CALENDAR.fullmatch(wanted):
        return _calendar(int(calendar["year"]), calendar["month"], calendar["day"], zone)
    return None


def zone_of(name: str) -> tzinfo:
    """Return the time zone of this name, or UTC where this machine knows none of it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, no name at all, the name of a folder
        return UTC


def _calendar(year: int, month: str | None, day: str | None, zone: tzinfo) -> Interval:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NoSuchTimeError(f"Years go from {FIRST_YEAR} to {LAST_YEAR}.")
    if month is None:
        return Interval(_midnight(date(year, 1, 1), zone), _midnight(date(year + 1, 1, 1), zone))
    if not 1 <= int(month) <= 12:  # noqa: PLR2004 - months of a year
        raise NoSuchTimeError("Months go from 01 to 12.")
    first, days = date(year, int(month), 1), monthrange(year, int(month))[1]
    if day is None:
        return Interval(_midnight(first, zone), _midnight(first + timedelta(days=days), zone))
    if not 1 <= int(day) <= days:
        raise NoSuchTimeError(f"{first:%Y-%m} has {days} days.")
    return _day(first.replace(day=int(day)), zone)


def _day(day: date, zone: tzinfo) -> Interval:
    return Interval(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Where the clocks skip midnight, the moment at which they do; where it comes twice, the first one."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _at(text: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip().upper())
    except ValueError as error:
        raise NoSuchTimeError from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise NoSuchTimeError(f"Years go from {FIRST_YEAR} to {LAST_YEAR}.")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _moved(now: datetime, zone: tzinfo, count: int, unit: str) -> datetime:
    try:
        moment = _by_calendar(now, zone, count * MONTHS[unit]) if unit in MONTHS else now + count * UNITS[unit]
    except OverflowError:
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise NoSuchTimeError(f"That is too far away: years go from {FIRST_YEAR} to {LAST_YEAR}.")
    return moment.astimezone(UTC)


def _by_calendar(now: datetime, zone: tzinfo, months: int) -> datetime | None:
    """Go by months; the 31st becomes the last day of a shorter month. None outside the calendar."""
    local = now.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


def _instant(moment: datetime) -> Interval:
    start = moment.astimezone(UTC)
    return Interval(start, start + _MOMENT, is_instant=True)
