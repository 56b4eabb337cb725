"""Two locks that let several processes share one server; the kernel takes both back from a process that is killed.

The turn is held by one process while it decides about starting or stopping; the lease by every user of the server.
Neither survives `exec` (Python opens files close-on-exec) nor `fork`, so no child keeps a server from being stopped.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deskbell.kernel.embedded.waiting import ticks
from deskbell.kernel.errors import SetupError

_open_files: set[int] = set()


def _close_in_child() -> None:
    for descriptor in _open_files:
        os.close(descriptor)
    _open_files.clear()


os.register_at_fork(after_in_child=_close_in_child)


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    _open_files.add(descriptor)
    if os.geteuid() == 0:  # root may look after the folder of an ordinary user, who must be able to lock it again
        folder = path.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def _close(descriptor: int) -> None:
    _open_files.discard(descriptor)
    os.close(descriptor)


@contextmanager
def turn(path: Path, deadline: float) -> Iterator[None]:
    """Be alone in deciding what happens to the server; SetupError if somebody else decides beyond `deadline`."""
    descriptor = _open(path)
    try:
        for _ in ticks(deadline):
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
        else:
            raise SetupError(
                f"Another Deskbell process has been starting or stopping the database in {path.parent} for too long. "
                "Wait for it or end it, then start again."
            )
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        _close(descriptor)


class Lease:
    """One process's share in a running server. Take it and give it back only while holding the turn."""

    def __init__(self, path: Path) -> None:
        """`path` is the file that all sharers lock."""
        self._path = path
        self._descriptor: int | None = None
        self._process = 0

    @property
    def held(self) -> bool:
        """Whether this process holds it (a forked child does not hold its parent's)."""
        return self._descriptor is not None and self._process == os.getpid()

    def take(self) -> None:
        """Hold the lease until it is given back or this process ends, however it ends."""
        if not self.held:
            self._descriptor, self._process = _open(self._path), os.getpid()
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def give_back(self) -> None:
        """Hold it no longer."""
        if self.held and self._descriptor is not None:
            _close(self._descriptor)
        self._descriptor = None

    def is_free(self) -> bool:
        """Whether nobody at all holds it."""
        descriptor = _open(self._path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            _close(descriptor)
