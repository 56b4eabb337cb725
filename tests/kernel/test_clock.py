"""What time it is, and what a test says it is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from deskbell.kernel.clock import Clock, FixedClock, SystemClock

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_system_clock_tells_aware_utc_and_goes_forward() -> None:
    clock: Clock = SystemClock()
    before = datetime.now(UTC)
    now = clock.now()
    assert now.tzinfo is UTC
    assert before <= now <= clock.now()


def test_a_fixed_clock_stands_still_until_it_is_told_to_go_on() -> None:
    clock = FixedClock(NEW_YEAR)
    as_clock: Clock = clock
    assert as_clock.now() == clock.now() == NEW_YEAR
    assert clock.advance(timedelta(hours=1)) == clock.now() == NEW_YEAR + timedelta(hours=1)
    assert clock.advance(timedelta(hours=-1)) == NEW_YEAR


def test_a_fixed_clock_tells_utc_wherever_it_was_set() -> None:
    clock = FixedClock(NEW_YEAR.astimezone(timezone(timedelta(hours=9))))
    assert clock.now().tzinfo is UTC
    assert clock.now() == NEW_YEAR


def test_a_time_without_zone_sets_no_clock() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        FixedClock(NEW_YEAR.replace(tzinfo=None))
