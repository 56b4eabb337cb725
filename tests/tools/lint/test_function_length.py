"""Functions fit on a screen."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_method_of_61_lines_is_found(lint: Lint) -> None:
    code = "class A:\n    async def f(self):\n" + "        x = 1\n" * 60
    assert lint("function-length", "deskbell/tickets/actions.py", code) == [2]


def test_a_function_of_60_lines_passes(lint: Lint) -> None:
    assert lint("function-length", "deskbell/tickets/actions.py", "def f():\n" + "    x = 1\n" * 59) == []


def test_a_migration_may_be_long(lint: Lint) -> None:
    version = "deskbell/migrations/versions/2026-01-31-1200_tickets.py"
    assert lint("function-length", version, "def upgrade():\n" + "    x = 1\n" * 61) == []
