"""When a failed job is tried again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from deskbell.kernel.jobs import JobSpec, retry_delay

SPEC = JobSpec(print, retries=8, wait=timedelta(seconds=5), longest_wait=timedelta(hours=1))


def test_each_wait_is_twice_the_one_before_until_the_longest() -> None:
    waits = [retry_delay(SPEC, failures, 0.0) for failures in range(1, 10)]
    assert waits == [*(timedelta(seconds=5 * 2**n) for n in range(8)), None]
    assert retry_delay(JobSpec(print, retries=100), 90, 0.0) == timedelta(hours=1)


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_chance_shortens_a_wait_by_at_most_half(failures: int, chance: float) -> None:
    spec = JobSpec(print, retries=200)
    whole, wait = retry_delay(spec, failures, 0.0), retry_delay(spec, failures, chance)
    assert whole is not None
    assert wait is not None
    assert whole / 2 <= wait <= whole


def test_without_retries_the_first_failure_is_the_last() -> None:
    assert retry_delay(JobSpec(print, retries=0), 1, 0.0) is None
