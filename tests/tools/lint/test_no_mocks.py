"""Tests try the real thing."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_mock_is_found(lint: Lint) -> None:
    code = """
    from unittest import mock
    from unittest.mock import patch
    import unittest.mock
    """
    assert lint("no-mocks", "tests/mail/test_outbound.py", code) == [1, 2, 3]


def test_monkeypatched_own_code_is_found(lint: Lint) -> None:
    code = """
    from deskbell.mail import outbound
    def test_x(monkeypatch):
        monkeypatch.setattr("deskbell.mail.outbound.send", print)
        monkeypatch.setattr(outbound, "send", print)
        monkeypatch.setattr(outbound.Sender, "send", print)
    """
    assert lint("no-mocks", "tests/mail/test_outbound.py", code) == [3, 4, 5]


def test_the_environment_may_be_patched(lint: Lint) -> None:
    code = """
    def test_x(monkeypatch):
        monkeypatch.setenv("DESKBELL_WEB_PORT", "0")
        monkeypatch.setattr("sys.argv", ["deskbell"])
    """
    assert lint("no-mocks", "tests/cli/test_app.py", code) == []
