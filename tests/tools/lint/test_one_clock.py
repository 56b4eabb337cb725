"""The clock is read in one place and knows its time zone."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_naive_time_is_found_everywhere(lint: Lint) -> None:
    code = """
    from datetime import datetime as dt
    dt.utcnow()
    dt.now()
    """
    assert lint("one-clock", "deskbell/kernel/clock.py", code) == [2, 3]
    assert lint("one-clock", "tests/kernel/test_clock.py", code) == [2, 3]


def test_a_slice_that_reads_the_clock_is_found(lint: Lint) -> None:
    code = """
    import datetime, time
    from time import time as now
    datetime.datetime.now(datetime.UTC)
    datetime.date.today()
    time.time()
    now()
    """
    assert lint("one-clock", "deskbell/sla/rules.py", code) == [3, 4, 5, 6]


def test_durations_and_the_clock_itself_are_free(lint: Lint) -> None:
    assert lint("one-clock", "deskbell/cli/app.py", "import time\ntime.monotonic()") == []
    code = "from datetime import UTC, datetime\ndatetime.now(UTC)"
    assert lint("one-clock", "deskbell/kernel/clock.py", code) == []
    assert lint("one-clock", "tests/tickets/test_actions.py", code) == []
