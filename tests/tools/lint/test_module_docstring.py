"""Modules say what belongs in them."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_module_without_docstring_is_found(lint: Lint) -> None:
    assert lint("module-docstring", "deskbell/tickets/rules.py", "import re") == [1]
    assert lint("module-docstring", "deskbell/tickets/__init__.py", "") == [1]


def test_a_module_with_one_passes(lint: Lint) -> None:
    assert lint("module-docstring", "deskbell/tickets/rules.py", "'''What a ticket may do.'''") == []


def test_an_empty_init_of_tests_passes(lint: Lint) -> None:
    assert lint("module-docstring", "tests/tickets/__init__.py", "") == []
