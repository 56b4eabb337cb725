"""A desk served by the real command in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Site:
    """A running desk. Its administrator's password is known after the first start alone."""

    url: str
    email: str
    password: str
    process: subprocess.Popen[str]


def deskbell(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the desk in `folder`."""
    command = [_program(), *arguments]
    return subprocess.run(command, env=_environment(folder), capture_output=True, text=True, timeout=60, check=True)


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """Run `deskbell serve` on a free port until the block ends; how it ends is the caller's."""
    command = [_program(), "serve", "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=_environment(folder), stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if "ready" in line:
                break
        url, password = re.search(r"http://\S+:\d+", said), re.search(r"^\s+password\s+(\S+)$", said, re.MULTILINE)
        assert url, said
        try:
            yield Site(url[0], "admin@deskbell.localhost", password[1] if password else "", process)
        finally:
            if process.poll() is None:
                process.kill()


def _program() -> str:
    return str(Path(sys.executable).with_name("deskbell"))


def _environment(folder: Path) -> dict[str, str]:
    one_person_asks_all_day = {"DESKBELL_WEB_REQUEST_RATE": "off"}
    return {**one_person_asks_all_day, **os.environ, "DESKBELL_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
