"""`python -m tools.check lint types tests -- -k reply`: run the checks side by side, keep apart what they say.

The tests start first, as they take longest; their output is held back until the others have reported and then follows
as it comes, so that pytest's closing line is the last one.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO

PROGRAMS = Path(sys.executable).parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The tests start Python a hundred times: without its bytecode each start would compile all that it imports."""
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "lint": {
        "ruff check": ("ruff", "check", "--output-format", "concise"),
        "ruff format": ("ruff", "format", "--check", "--output-format", "concise"),
        "own lint rules": ("python", "-m", "tools.lint"),
    },
    "types": {
        "mypy": ("mypy",),
        "import contracts": ("lint-imports", "--no-cache"),
    },
    "tests": {
        "pytest": ("python", "-m", "pytest", "-n", "2", "--dist", "worksteal"),
    },
}


@dataclass(frozen=True)
class Result:
    """What a check printed, and its exit code."""

    name: str
    output: str
    code: int

    @property
    def failed(self) -> bool:
        """Whether it found fault."""
        return self.code != 0


def run(name: str, command: Sequence[str]) -> Result:
    """Run one check to its end."""
    pipe = subprocess.PIPE
    done = subprocess.run(
        _program(command), check=False, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    )
    return Result(name, done.stdout, done.returncode)


def _program(command: Sequence[str]) -> list[str]:
    return [str(PROGRAMS / command[0]), *command[1:]]


class Held:
    """A running check whose output waits until it is released."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            _program(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT
        )
        self._output: SimpleQueue[bytes] = SimpleQueue()
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                self._output.put(chunk)
        self._output.put(b"")

    def release(self) -> Result:
        """Print what it has said, then what it says, until it ends."""
        while chunk := self._output.get():
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        return Result(self.name, "", self._process.wait())


def main(groups: Sequence[str], pytest_arguments: Sequence[str] = ()) -> int:
    """Run the groups; the exit code is 1 when any check failed."""
    colour = ("--color=yes",) if sys.stdout.isatty() else ()
    tests = [Held(name, (*command, *colour, *pytest_arguments)) for name, command in _checks("tests", groups)]
    results = []
    for name, command in _checks("lint", groups) + _checks("types", groups):
        results.append(result := run(name, command))
        sys.stdout.write(f"{'FAILED' if result.failed else 'ok'}: {name}\n{result.output if result.failed else ''}")
        sys.stdout.flush()
    results += [held.release() for held in tests]
    failed = [result.name for result in results if result.failed]
    if failed:
        sys.stderr.write(f"Failed: {', '.join(failed)}. What was found stands above.\n")
    return 1 if failed else 0


def _checks(group: str, wanted: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    return list(GROUPS[group].items()) if group in wanted else []


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Groups stand before `--`, arguments for pytest behind it."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


if __name__ == "__main__":
    try:
        sys.exit(main(*_split(sys.argv[1:])))
    except KeyboardInterrupt:
        sys.exit(130)  # the checks were in the same process group and have heard it too
