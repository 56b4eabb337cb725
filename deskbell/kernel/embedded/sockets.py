"""Where the server's socket lies: beside the data if the path is short enough, else in the temporary folder."""

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from deskbell.kernel.embedded.access import let_pass
from deskbell.kernel.embedded.account import Account
from deskbell.kernel.embedded.parameters import PORT

_LONGEST = 107 if sys.platform == "linux" else 103  # bytes of sockaddr_un.sun_path, less the closing zero


def socket_dir(data_dir: Path, account: Account) -> Path:
    """A private folder (0700, the account's own) for the socket. Made when missing.

    In the temporary folder its name follows from `data_dir`; if a stranger has planted something there, a fresh one is
    taken instead. Whoever joins the server reads the place from postmaster.pid.
    """
    beside = data_dir / "run"
    if fits(beside):
        beside.mkdir(mode=0o700, exist_ok=True)
        _make_private(beside, account)
        return beside
    return _beneath_temporary(data_dir, account)


def fits(folder: Path) -> bool:
    """Whether the operating system can address a socket in this folder."""
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _LONGEST


def _beneath_temporary(data_dir: Path, account: Account) -> Path:
    name = f"deskbell-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"
    root = next((r for r in map(Path, (tempfile.gettempdir(), "/tmp")) if fits(r / f"{name}-12345678")), Path("/tmp"))  # noqa: S108 - private folders are made in it
    let_pass(account, root.resolve())
    folder = root / name
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_private(folder, account):
            folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
    _make_private(folder, account)
    return folder


def _make_private(folder: Path, account: Account) -> None:
    """By its descriptor, so that a link in its place changes nothing elsewhere."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchmod(descriptor, 0o700)
        account.give(descriptor)
    finally:
        os.close(descriptor)


def _is_private(folder: Path, account: Account) -> bool:
    status = folder.lstat()
    ours = status.st_uid in {account.uid, os.geteuid()}
    return stat.S_ISDIR(status.st_mode) and ours and not status.st_mode & 0o077
