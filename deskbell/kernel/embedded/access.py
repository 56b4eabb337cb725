"""What root opens for the server's user on its way to the data and the programs: as little as needed, and logged."""

import logging
import os
import shutil
import stat
import subprocess
from pathlib import Path

from deskbell.kernel.embedded.account import Account

logger = logging.getLogger(__name__)


def let_pass(account: Account, folder: Path) -> None:
    """Let the account reach what lies in `folder`: the right to pass through it and each folder above, no more."""
    if account.is_lent:
        for step in reversed([folder, *folder.parents]):
            if not _may_pass(account, step):
                _let_through(account, step)


def let_read(account: Account, tree: Path) -> None:
    """Let everybody read the files of `tree` that are no secret (a strict umask may have kept them from others)."""
    if account.is_lent:
        for path in (tree, *tree.rglob("*")):
            mode = path.lstat().st_mode
            wanted = stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
            if not stat.S_ISLNK(mode) and mode & wanted != wanted:
                path.chmod(stat.S_IMODE(mode) | wanted)


def _may_pass(account: Account, folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        bit = stat.S_IXUSR
    else:
        bit = stat.S_IXGRP if status.st_gid in account.groups else stat.S_IXOTH
    # An access control list may say otherwise than the mode: ask the system, as that user.
    return bool(status.st_mode & bit) or account.run(["/bin/sh", "-c", '[ -x "$0" ]', folder], timeout=10)[0] == 0


def _let_through(account: Account, folder: Path) -> None:
    if setfacl := shutil.which("setfacl"):
        command = [setfacl, "-m", f"u:{account.uid}:x", os.fspath(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:  # noqa: S603 - no stranger's words
            logger.warning("Let the user %s pass through %s, where PostgreSQL has its files.", account.name, folder)
            return
    folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
    logger.warning("Let all users pass through %s (o+x), where PostgreSQL has its files.", folder)
