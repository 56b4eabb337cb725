"""What a process remembers for a moment."""

from deskbell.kernel.remembering import Lately


def test_a_fact_holds_until_it_is_old_or_forgotten() -> None:
    asked: list[bool] = []

    def find_out(*, is_so: bool) -> bool:
        asked.append(is_so)
        return is_so

    lately = Lately(60)
    assert not lately.holds("it rains")
    lately.learn("it rains", lambda: find_out(is_so=True))
    lately.learn("it rains", lambda: find_out(is_so=False))
    assert (lately.holds("it rains"), asked) == (True, [True])
    lately.forget("it rains")
    assert not lately.holds("it rains")
    lately.learn("it rains", lambda: find_out(is_so=False))
    assert (lately.holds("it rains"), asked) == (False, [True, False])


def test_what_is_held_for_no_time_is_not_even_found_out() -> None:
    lately = Lately()
    lately.learn("it rains", lambda: 1 / 0 > 0)
    assert not lately.holds("it rains")


def test_an_old_fact_is_none() -> None:
    lately = Lately(1e-9)
    lately.learn("it rains", lambda: True)
    assert not lately.holds("it rains")
