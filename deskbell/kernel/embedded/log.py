"""The server's log: one file beside the data, kept short by those who use the server."""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from deskbell.kernel.embedded.account import Account

LONGEST = 10 * 2**20
_SAFE = os.O_CREAT | os.O_NOFOLLOW


def open_log(path: Path, account: Account) -> BinaryIO:
    """The log, the account's own, to append to (so that it can be cut while the server writes)."""
    log = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | _SAFE, 0o600), "ab", buffering=0)
    account.give(log.fileno())
    return log


def size(path: Path) -> int:
    """Bytes in the log."""
    return path.stat().st_size if path.exists() else 0


def written_since(path: Path, start: int) -> str:
    """What was written behind the first `start` bytes, at most the last 64 KiB of it."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - 2**16))
        return file.read().decode("utf-8", "replace")


def shorten(path: Path, longest: int = LONGEST) -> None:
    """Empty a log longer than `longest` bytes, keeping a copy as `<name>.1`; the server writes on in the same file."""
    with suppress(FileNotFoundError, BlockingIOError):  # no log yet, or somebody else is at it
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb+") as log:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_size > longest:
                older = path.with_name(f"{path.name}.1")
                with os.fdopen(os.open(older, os.O_WRONLY | os.O_TRUNC | _SAFE, 0o600), "wb") as copy:
                    shutil.copyfileobj(log, copy, 2**20)
                log.truncate(0)
