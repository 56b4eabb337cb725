"""A desk served by the real command in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
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


def deskbell(
    folder: Path, *arguments: str, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command on the desk in `folder`, or on that of the settings."""
    variables = _environment(folder, settings or {})
    return subprocess.run(
        [_program(), *arguments], env=variables, capture_output=True, text=True, timeout=120, check=True
    )


@contextmanager
def serving(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Run `deskbell serve` on a free port until the block ends; how it ends is the caller's."""
    command, variables = [_program(), "serve", "--port", "0"], _environment(folder, settings or {})
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
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


def _environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    one_person_asks_all_day = {"DESKBELL_WEB_REQUEST_RATE": "off"}
    here = {"DESKBELL_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    return {**one_person_asks_all_day, **os.environ, **here, **settings}
