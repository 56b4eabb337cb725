"""What makes files on a disk dependable: names that survive a power failure, locks, and errors that can be told."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deskbell.kernel.errors import UnavailableError


@contextmanager
def clear_errors() -> Iterator[None]:
    """Say what is wrong with the disk without telling a stranger where it is mounted."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            what = "The disk for attachments is full, nothing was kept. Free some space on the server and try again."
        else:
            what = f"The storage for attachments does not work ({error.strerror or error}): have its folder checked."
        raise UnavailableError(what) from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power failure. See fsync(2)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold a lock on a file or folder, among all processes that ask for it. See flock(2).

    Some network file systems have none for folders: there it is the grace periods alone that keep writers apart.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
