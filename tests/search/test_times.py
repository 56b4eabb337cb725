"""Times in queries: each form is an interval in the time zone of who asks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.search.language.times import Interval, read_interval, zone_of

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Asia/Beirut"])
DAYS = st.dates(date(1900, 1, 2), date(2999, 12, 30))


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]  # year to minute


def read(text: str, zone: str = "UTC") -> Interval:
    interval = read_interval(text, NOW, ZoneInfo(zone))
    assert interval is not None
    return interval


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", utc(2026, 1, 1), utc(2027, 1, 1)),
        ("2026-02", utc(2026, 2, 1), utc(2026, 3, 1)),
        ("2026-12", utc(2026, 12, 1), utc(2027, 1, 1)),
        ("2026-01-31", utc(2026, 1, 31), utc(2026, 2, 1)),
        ("2026-01-31T14:05", utc(2026, 1, 31, 14, 5), utc(2026, 1, 31, 14, 6)),
        ("2026-01-31 14:05:09", utc(2026, 1, 31, 14, 5, 9), utc(2026, 1, 31, 14, 5, 10)),
        ("2026-01-31t14:05z", utc(2026, 1, 31, 14, 5), utc(2026, 1, 31, 14, 6)),
        ("2026-01-31T14:05+02:00", utc(2026, 1, 31, 12, 5), utc(2026, 1, 31, 12, 6)),
        ("today", utc(2026, 3, 31), utc(2026, 4, 1)),
        ("Yesterday", utc(2026, 3, 30), utc(2026, 3, 31)),
        ("tomorrow", utc(2026, 4, 1), utc(2026, 4, 2)),
    ],
)
def test_a_calendar_time_is_as_long_as_it_says(text: str, start: datetime, end: datetime) -> None:
    assert read(text) == Interval(start, end)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("-30m", NOW - timedelta(minutes=30)),
        ("-24h", NOW - timedelta(hours=24)),
        ("-7d", NOW - timedelta(days=7)),
        ("+2d", NOW + timedelta(days=2)),
        ("-2w", NOW - timedelta(days=14)),
        ("-1mo", utc(2026, 2, 28, 12, 30)),
        ("-3mo", utc(2025, 12, 31, 12, 30)),
        ("-1y", utc(2025, 3, 31, 12, 30)),
    ],
)
def test_a_relative_time_is_one_moment(text: str, moment: datetime) -> None:
    assert read(text) == Interval(moment, moment + timedelta(microseconds=1), is_instant=True)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(day: str, hours: int) -> None:
    interval = read(day, "Europe/Berlin")
    assert interval.end - interval.start == timedelta(hours=hours)
    assert interval.start.astimezone(BERLIN).isoformat().startswith(f"{day}T00:00")


def test_a_day_begins_when_midnight_is_skipped_at_the_moment_of_the_skip() -> None:
    assert read("2026-03-29", "Asia/Beirut").start == utc(2026, 3, 28, 22)


def test_today_is_the_day_where_the_person_is() -> None:
    assert read("today", "Pacific/Kiritimati").start == utc(2026, 3, 31, 10)  # their 1 April, which began at UTC+14


def test_months_back_keep_the_local_time_of_day_across_a_change_of_clocks() -> None:
    assert read("-2mo", "Europe/Berlin").start == utc(2026, 1, 31, 13, 30)


@given(DAYS, ZONES)
def test_days_follow_each_other_without_a_gap(day: date, zone: str) -> None:
    assert read(f"{day}", zone).end == read(f"{day + timedelta(days=1)}", zone).start


@given(DAYS, ZONES)
def test_a_month_is_its_days(day: date, zone: str) -> None:
    month = read(f"{day:%Y-%m}", zone)
    assert month.start == read(f"{day:%Y-%m}-01", zone).start
    assert month.start <= read(f"{day}", zone).start < month.end


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-02-29", "2026-02 has 28 days"),
        ("2026-13", "Months go from 01 to 12"),
        ("2026-00-10", "Months go from 01 to 12"),
        ("2026-01-00", "2026-01 has 31 days"),
        ("0000", "Years go from 1900 to 2999"),
        ("9999-12-31", "Years go from 1900 to 2999"),
        ("2026-01-31T25:00", "no such day or time"),
        ("2026-01-31T10:00+99:00", "no such day or time"),
        ("0001-01-01T00:00+14:00", "Years go from 1900 to 2999"),
        ("-999999y", "too far away"),
        ("-999999mo", "too far away"),
        ("+999999w", "too far away"),
    ],
)
def test_a_time_that_there_is_not_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(text)


@given(st.text() | st.from_regex(r"[+-]?[0-9]{1,8}([-T:][0-9]{1,3}){0,4}(mo|[mhdwyZ])?", fullmatch=True), ZONES)
def test_any_text_is_a_time_or_none_or_refused(text: str, zone: str) -> None:
    try:
        interval = read_interval(text, NOW, ZoneInfo(zone))
    except ValueError:
        return
    assert interval is None or interval.start < interval.end


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../etc/passwd", "Europe", "\0", "x" * 300])
def test_a_zone_that_is_not_known_is_utc(name: str) -> None:
    assert zone_of(name) is UTC
    assert zone_of("Europe/Berlin") is BERLIN
