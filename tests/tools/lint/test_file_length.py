"""Files stay readable."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_file_of_501_lines_is_found(lint: Lint) -> None:
    assert lint("file-length", "deskbell/tickets/actions.py", "x = 1\n" * 501) == [1]


def test_a_file_of_500_lines_passes(lint: Lint) -> None:
    assert lint("file-length", "deskbell/tickets/actions.py", "x = 1\n" * 500) == []
