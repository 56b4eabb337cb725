"""The user whom the server runs as. PostgreSQL refuses root, so root lends it an unprivileged system user."""

import logging
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deskbell.kernel.errors import SetupError

logger = logging.getLogger(__name__)

_OWN_USER = "deskbell"
_LOANS = ("postgres", "nobody")
_WAYS_TO_CREATE = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/false"),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/bin/false"),  # BusyBox
)
# Whatever else is in the environment (secrets, PGDATA, LANG) is none of the server's business.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """A user of this machine; `groups` are the numbers of all its groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    @property
    def is_lent(self) -> bool:
        """Whether it is another user than the one this process runs as."""
        return self.uid != os.geteuid()

    def give(self, file: Path | int) -> None:
        """Make this user the owner of a path or an open file, if it is not."""
        if self.is_lent:
            os.chown(file, self.uid, self.gid, follow_symlinks=isinstance(file, int))

    def run(self, command: Sequence[str | Path], *, timeout: float, stderr: int = subprocess.PIPE) -> tuple[int, str]:
        """Run a program as this user, in a session of its own: (exit code, what it wrote on both outputs, in English).

        The session keeps Ctrl-C on the terminal from the program. With `stderr` a file descriptor takes the errors.
        """
        done = subprocess.run(  # noqa: S603 - the programs are PostgreSQL's and the shell, without words of a stranger
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            check=False,
            timeout=timeout,
            encoding="utf-8",
            errors="replace",
            cwd="/",
            env=environment(),
            start_new_session=True,
            umask=0o077,
            user=self.uid if self.is_lent else None,
            group=self.gid if self.is_lent else None,
            extra_groups=self.groups if self.is_lent else None,
        )
        return done.returncode, done.stdout + (done.stderr or "")


def environment() -> Mapping[str, str]:
    """The few variables that PostgreSQL's programs may see."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"LC_ALL": "C"}


def account_for(cluster: Path) -> Account:
    """The user to run the server of `cluster` as: this process's; for root, the owner of the data, else one lent."""
    made = cluster.exists()
    owner = (cluster if made else cluster.parent).stat().st_uid
    if os.geteuid() == 0:
        if made and owner == 0:
            raise SetupError(
                f"{cluster} belongs to root, as whom PostgreSQL refuses to run. "
                f"Give it away: chown -R {_lent_by_root().name} {cluster}"
            )
        return _numbered(owner) if owner else _lent_by_root()
    if made and owner != os.geteuid():
        raise SetupError(
            f"{cluster} belongs to the user {_numbered(owner).name}. Run Deskbell as that user, "
            "or choose another folder with DESKBELL_DATA_DIR."
        )
    return _numbered(os.geteuid())


def _lent_by_root() -> Account:
    account = _named(_OWN_USER) or _created() or next(filter(None, map(_named, _LOANS)), None)
    if account is None:
        raise SetupError(
            "PostgreSQL refuses to run as root, and there is no other user for it. "
            f"Create one: useradd --system {_OWN_USER}"
        )
    return account


def _created() -> Account | None:
    for program, *options in _WAYS_TO_CREATE:
        if path := shutil.which(program):
            subprocess.run([path, *options, _OWN_USER], check=False, capture_output=True)  # noqa: S603 - all constants
            if account := _named(_OWN_USER):  # ours, or that of a process which was faster
                logger.info("Created the system user %s for PostgreSQL to run as.", _OWN_USER)
                return account
    return None


def _named(name: str) -> Account | None:
    try:
        return _from_entry(pwd.getpwnam(name))
    except KeyError:
        return None


def _numbered(uid: int) -> Account:
    try:
        return _from_entry(pwd.getpwuid(uid))
    except KeyError:  # a container may run as a number without a name
        return Account(str(uid), uid, os.getegid() or uid, (os.getegid() or uid,))


def _from_entry(entry: pwd.struct_passwd) -> Account:
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, tuple(groups))
