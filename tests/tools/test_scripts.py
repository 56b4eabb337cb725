"""The shell scripts behind the Makefile, on machines that lack something."""

import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A folder to use as PATH: neither Python nor Chromium nor apt-get is in it."""
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")
    return tmp_path


def run(script: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": str(path), **environment}
    return subprocess.run([TOOLS / script], env=variables, capture_output=True, text=True, check=False)


def program(folder: Path, name: str, code: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{code}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_without_a_python_the_message_says_what_to_do(bare_machine: Path) -> None:
    done = run("python.sh", bare_machine)
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr


def test_a_python_that_is_too_old_is_passed_over(bare_machine: Path) -> None:
    program(bare_machine, "python3", "exit 1")
    program(bare_machine, "python3.12", """case "$2" in *executable*) echo /opt/python3.12;; esac""")
    assert run("python.sh", bare_machine).stdout == "/opt/python3.12\n"


def test_the_chosen_python_comes_first(bare_machine: Path) -> None:
    program(bare_machine, "python3", "echo usual")
    program(bare_machine, "mine", """case "$2" in *executable*) echo mine;; esac""")
    assert run("python.sh", bare_machine, PYTHON="mine").stdout == "mine\n"


def test_without_a_chromium_the_tests_are_skipped_and_say_so(bare_machine: Path) -> None:
    done = run("chromium.sh", bare_machine)
    assert (done.returncode, done.stdout) == (0, "")
    assert "skipped" in done.stderr


def test_without_a_chromium_ci_fails(bare_machine: Path) -> None:
    assert run("chromium.sh", bare_machine, CI="true").returncode == 1


def test_a_chromium_is_found_under_each_of_its_names(bare_machine: Path) -> None:
    program(bare_machine, "google-chrome", "exit 0")
    assert run("chromium.sh", bare_machine, CI="true").stdout == f"{bare_machine}/google-chrome\n"
