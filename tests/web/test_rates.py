"""What is left of an allowance, request by request, and who shares one."""

import math
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.web.rates import Limit, network_of


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Hands:
    return Hands()


def test_so_many_may_come_at_once_and_then_as_many_a_period(clock: Hands) -> None:
    limit = Limit("search", "20/second", clock)
    taken = [limit.take("a") for _ in range(21)]
    assert [one.left for one in taken] == [*range(19, -1, -1), 0]
    assert [one.wait for one in taken] == [0] * 20 + [1]
    clock.time += 0.05
    assert [limit.take("a").wait for _ in range(2)] == [0, 1]
    clock.time += 1
    assert [limit.take("a").wait > 0 for _ in range(21)] == [False] * 20 + [True]


def test_who_was_refused_has_lost_nothing_by_asking(clock: Hands) -> None:
    limit = Limit("bulk", "2/minute", clock)
    assert [limit.take("a").wait for _ in range(100)] == [0, 0] + [30] * 98
    clock.time += 30
    assert limit.take("a").wait == 0


def test_others_are_not_held_up(clock: Hands) -> None:
    limit = Limit("x", "1/minute", clock)
    assert [limit.take(who).wait for who in ("a", "b", "a")] == [0, 0, 60]


def test_the_headers_say_what_is_left(clock: Hands) -> None:
    limit = Limit("figures", "5/second", clock)
    assert limit.take("a").headers == [
        (b"ratelimit-policy", b'"figures";q=5;w=1'),
        (b"ratelimit", b'"figures";r=4;t=1'),
    ]


@given(
    amount=st.integers(1, 50),
    seconds=st.integers(1, 90),
    pauses=st.lists(st.floats(0, 200, allow_nan=False), max_size=150),
)
def test_nobody_gets_more_than_twice_the_rate_in_any_period_and_waiting_helps(
    amount: int, seconds: int, pauses: list[float]
) -> None:
    clock = Hands()
    limit = Limit("x", f"{amount}/{seconds}second", clock)
    let_in = list[float]()
    for pause in pauses:
        clock.time += pause
        taken = limit.take("a")
        if taken.wait == 0:
            let_in.append(clock.time)
            assert 0 <= taken.left < amount
            continue
        assert limit.wait("a") <= taken.wait
        clock.time += taken.wait
        assert limit.wait("a") == 0
    for begin in let_in:
        assert sum(begin <= moment < begin + seconds for moment in let_in) <= 2 * amount


def test_however_many_come_little_is_remembered(clock: Hands) -> None:
    limit = Limit("refused", "1/minute", clock, remembered=50)
    for number in range(1000):
        limit.take(number)
    assert len(limit._whole) <= 50
    assert limit.take(999).wait == 60


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.1:4711", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "[2001:db8::2]:4711", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("nonsense", "other nonsense", True),
    ],
)
def test_who_shares_a_network_shares_an_allowance(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def test_counting_costs_microseconds() -> None:
    limit = Limit("request", "1000000/second")
    best = math.inf
    for _ in range(5):
        began = perf_counter()
        for number in range(1000):
            limit.take((number, True))
        best = min(best, perf_counter() - began)
    assert best / 1000 < 20e-6
