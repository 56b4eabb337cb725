"""Periods with a name, what they are compared with, and how they are told."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from deskbell.reports import PERIODS, Period

DAY = timedelta(days=1)


def period(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last) + DAY)


@pytest.mark.parametrize(
    ("name", "today", "expected"),
    [
        ("7d", "2026-03-03", period("2026-02-25", "2026-03-03")),
        ("30d", "2026-03-03", period("2026-02-02", "2026-03-03")),
        ("90d", "2026-03-31", period("2026-01-01", "2026-03-31")),
        ("12m", "2026-03-03", period("2025-03-04", "2026-03-03")),
        ("12m", "2024-02-28", period("2023-03-01", "2024-02-28")),
        ("12m", "2024-02-29", period("2023-03-01", "2024-02-29")),
        ("month", "2026-03-01", period("2026-03-01", "2026-03-01")),
        ("last-month", "2026-01-31", period("2025-12-01", "2025-12-31")),
    ],
)
def test_a_period_ends_today_or_with_the_month(name: str, today: str, expected: Period) -> None:
    assert PERIODS[name](date.fromisoformat(today)) == expected


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (period("2026-02-25", "2026-03-03"), period("2026-02-18", "2026-02-24")),
        (period("2026-03-01", "2026-03-31"), period("2026-02-01", "2026-02-28")),
        (period("2026-03-01", "2026-03-30"), period("2026-02-01", "2026-02-28")),
        (period("2026-03-01", "2026-03-03"), period("2026-02-01", "2026-02-03")),
        (period("2026-02-01", "2026-02-28"), period("2026-01-01", "2026-01-31")),
        (period("0001-01-02", "0001-01-03"), period("0001-01-01", "0001-01-01")),
    ],
)
def test_a_month_is_compared_with_the_month_before_and_days_with_as_many(now: Period, before: Period) -> None:
    assert now.before() == before


@pytest.mark.parametrize(("days", "length"), [(1, 1), (100, 1), (101, 7), (800, 7), (801, 31), (3660, 31)])
def test_the_parts_of_a_period_are_all_of_it(days: int, length: int) -> None:
    start = date(2024, 1, 17)
    whole = Period(start, start + days * DAY)
    parts = whole.parts()
    assert (parts[0].start, parts[-1].end) == (whole.start, whole.end)
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert max(part.days for part in parts) == length
    if length == 7:
        assert {part.start.weekday() for part in parts[1:]} == {0}
    if length == 31:
        assert {part.start.day for part in parts[1:]} == {1}
