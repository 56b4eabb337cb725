"""The runner behind `make test`: every check runs, and its output and failure are told apart."""

import pytest

from tools import check


def test_a_check_that_fails_is_told_with_what_it_printed() -> None:
    result = check.run("a linter", ("python", "-c", "print('found'); exit(3)"))
    assert (result.failed, result.output) == (True, "found\n")


def test_a_check_that_passes_is_not_a_failure() -> None:
    assert not check.run("a linter", ("python", "-c", "pass")).failed


def test_checks_keep_their_bytecode_whatever_the_environment_says() -> None:
    program = ("python", "-c", "import os; print('PYTHONDONTWRITEBYTECODE' in os.environ)")
    assert check.run("python", program).output == "False\n"


def test_held_output_comes_when_it_is_released(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    held = check.Held("tests", ("python", "-c", "print('1 passed'); exit(1)"))
    assert capfdbinary.readouterr().out == b""
    assert held.release().code == 1
    assert capfdbinary.readouterr().out == b"1 passed\n"
