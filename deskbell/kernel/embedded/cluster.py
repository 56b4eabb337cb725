"""The cluster, PostgreSQL's folder of data: made once and whole, and refused when these programs cannot read it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deskbell.kernel.embedded.account import Account
from deskbell.kernel.embedded.faults import from_postgres
from deskbell.kernel.embedded.parameters import HEADER
from deskbell.kernel.embedded.programs import Programs
from deskbell.kernel.errors import SetupError

SUPERUSER = "postgres"

_UNFINISHED = "postgres.init-"
_BUILTIN_LOCALES = 17
_GOOD_LOCALE = "C.UTF-8"


def exists(cluster: Path) -> bool:
    """Whether there is a cluster; SetupError when the folder holds something else."""
    if has_data(cluster):
        return True
    if cluster.is_dir() and any(cluster.iterdir()):
        raise SetupError(
            f"{cluster} is not empty, but no PostgreSQL data either. "
            "Move it away, or choose another folder with DESKBELL_DATA_DIR."
        )
    return False


def has_data(cluster: Path) -> bool:
    """Whether a cluster lies here, whatever else may."""
    return (cluster / "PG_VERSION").is_file()


def check(cluster: Path, programs: Programs) -> None:
    """SetupError when the cluster is not Deskbell's, or was made by another version than that of the programs."""
    made_by = (cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
    have = programs.major_version
    if made_by != str(have):
        raise SetupError(
            f"{cluster} was made by PostgreSQL {made_by}, but {programs.bin_dir} holds version {have}. "
            f"{_way_out(made_by, have)}"
        )
    with (cluster / "postgresql.conf").open(encoding="utf-8", errors="replace") as parameters:
        if not parameters.readline().startswith(HEADER):
            raise SetupError(
                f"{cluster} holds a PostgreSQL database that Deskbell did not make. "
                "Choose another folder with DESKBELL_DATA_DIR, or use that server with DESKBELL_DATABASE_URL."
            )


def _way_out(made_by: str, have: int) -> str:
    programs = f"point DESKBELL_POSTGRES_BIN_DIR at the programs of PostgreSQL {made_by}"
    if made_by.isdecimal() and int(made_by) > have:
        return f"Use the newer Deskbell again, or {programs}."
    return f"To go on as before, {programs}; to move on, save the data with pg_dump and restore them in a new folder."


def create(
    cluster: Path, account: Account, *, programs: Programs, password: str, durable: bool, timeout: float
) -> Path:
    """Make the cluster in a folder beside its place and return that, for `settle` when it is complete."""
    if not password or not password.isprintable():
        raise SetupError("The password of the database's superuser must be one line of printable characters.")
    workshop = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=cluster.parent))
    new, password_file = workshop / "cluster", workshop / "password"
    try:
        new.mkdir(mode=0o700)
        password_file.touch(mode=0o600, exist_ok=False)
        password_file.write_text(f"{password}\n", encoding="utf-8")
        for path in (workshop, new, password_file):
            account.give(path)
        choices = _choices(programs, durable=durable)
        _initdb(account, [programs.initdb, "--pgdata", new, f"--pwfile={password_file}", *choices], timeout, cluster)
        password_file.unlink()
    except BaseException:  # nothing may stay of it, least of all the password
        shutil.rmtree(workshop, ignore_errors=True)
        raise
    return new


def settle(new: Path, cluster: Path) -> None:
    """Put a complete cluster in its place, at one stroke, and see that it stays there."""
    new.rename(cluster)
    folder = os.open(cluster.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    sweep(cluster.parent)


def sweep(data_dir: Path) -> None:
    """Remove what interrupted attempts left (with the password file)."""
    for leftover in data_dir.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _choices(programs: Programs, *, durable: bool) -> list[str]:
    builtin = ["--locale-provider=builtin", f"--builtin-locale={_GOOD_LOCALE}"]
    return [
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        "--no-instructions",
        *(builtin if programs.major_version >= _BUILTIN_LOCALES else []),
        *([] if durable else ["--no-sync"]),
    ]


def _initdb(account: Account, command: list[str | Path], timeout: float, cluster: Path) -> None:
    try:
        code, output = account.run([*command, f"--locale={_GOOD_LOCALE}"], timeout=timeout)
        if code and "invalid locale name" in output:  # this system's libc does not have it
            code, output = account.run([*command, "--locale=C"], timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"Making the database in {cluster} took more than {timeout:g} seconds. "
            "Is the disk very slow? Allow more with DESKBELL_POSTGRES_START_TIMEOUT."
        ) from error
    if code:
        raise from_postgres("Making the database", output, cluster.parent)
