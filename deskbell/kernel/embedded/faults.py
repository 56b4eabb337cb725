"""What can go wrong around a server, said in one line: from the operating system's errors and from PostgreSQL's log."""

import errno
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskbell.kernel.errors import SetupError

# Early visitors are told that "the database system is starting up"; that is no fault.
_GRAVE = re.compile(r"\b(?:FATAL|PANIC|ERROR|error):\s+(?!the database system is )(.+)")
_LEVEL = re.compile(r"\b(?:[A-Z]+\d?|error):\s+(.+)")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP})


@contextmanager
def told_plainly(data_dir: Path) -> Iterator[None]:
    """Turn an operating system error into a SetupError that names the place and the remedy."""
    try:
        yield
    except OSError as error:
        raise SetupError(_in_words(error, data_dir)) from error
    except subprocess.TimeoutExpired as error:
        raise SetupError("The machine is too busy to start the database. Try again in a while.") from error


def _in_words(error: OSError, data_dir: Path) -> str:
    place = error.filename or data_dir
    if error.errno in _FULL:
        return disk_is_full(data_dir)
    if error.errno in _FORBIDDEN:
        return (
            f"Permission denied: {place}. Give it to the user who runs Deskbell, "
            "or choose another folder with DESKBELL_DATA_DIR."
        )
    if error.errno in _IN_THE_WAY:
        return f"{place} is in the way of Deskbell's data: move it, or choose another folder with DESKBELL_DATA_DIR."
    return f"The embedded PostgreSQL cannot start: {place}: {error.strerror or error}."


def disk_is_full(data_dir: Path) -> str:
    """The one wording for a full disk, whoever noticed it."""
    return f"The disk that holds {data_dir} is full. Free some space, then start again."


def from_postgres(doing: str, output: str, data_dir: Path) -> SetupError:
    """The error that explains why `doing` failed, from what PostgreSQL wrote about it."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return SetupError(disk_is_full(data_dir))
    return SetupError(f"{doing} failed: {meaningful_line(output) or 'it gave no reason'}")


def meaningful_line(output: str) -> str:
    """The first line of a log that says what is wrong (others follow from it), else its last line; without prefix."""
    before = ""
    for line in output.splitlines():
        if grave := _GRAVE.search(line):
            # "configuration file … contains errors" follows the line that names the parameter.
            return _message(before) if "contains errors" in line else grave[1].strip()
        before = line
    return last_line(output)


def last_line(output: str) -> str:
    """The last line of a log, without its prefix."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return _message(lines[-1]) if lines else ""


def _message(line: str) -> str:
    found = _LEVEL.search(line)
    return found[1] if found else line
