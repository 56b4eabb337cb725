"""A desk: one data directory, everything that is started in it, and an end that leaves no server behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

import deskbell
from deskbell.kernel.embedded import EmbeddedPostgres, Server
from deskbell.kernel.embedded.postmaster import Postmaster, running, shut_down
from deskbell.kernel.embedded.waiting import deadline_in

PASSWORD = "it's a sécret"
SYSTEM_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
HOLDER = """
import os, sys
from pathlib import Path
from deskbell.kernel.embedded import EmbeddedPostgres
if user := int(sys.argv[3]):  # after the imports: Python itself may lie where only root comes
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
postgres = EmbeddedPostgres(Path(sys.argv[1]), superuser_password=sys.argv[2], options={"fsync": "off"})
postgres.start()
print("started", flush=True)
sys.stdin.readline()
postgres.stop()
"""


@dataclass
class Desk:
    """`data_dir` and ways to use the server in it."""

    data_dir: Path
    bin_dir: Path | None = None
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def postgres(self, **changed: Any) -> EmbeddedPostgres:
        usual: dict[str, Any] = {"superuser_password": PASSWORD, "bin_dir": self.bin_dir, "options": {"fsync": "off"}}
        return EmbeddedPostgres(self.data_dir, **(usual | changed))

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def running(self) -> Postmaster | None:
        return running(self.cluster)

    @property
    def pid(self) -> int:
        assert self.running, "the server should be running"
        return self.running.pid

    def python(self, script: str, *, user: int = 0) -> subprocess.Popen[str]:
        """Another process, in a group of its own, that is told the data directory, the password and whom to become."""
        process = subprocess.Popen(
            [sys.executable, "-c", script, self.data_dir, PASSWORD, str(user)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(Path(deskbell.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def holder(self, *, user: int = 0) -> subprocess.Popen[str]:
        """Another process that holds a share in the server."""
        process = self.python(HOLDER, user=user)
        started(process)
        return process

    def clear(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes.clear()
        shut_down(self.cluster, deadline_in(10))


def started(process: subprocess.Popen[str]) -> None:
    """Wait until a holder says that it has started."""
    assert process.stdout
    assert process.stdout.readline() == "started\n", process.communicate()[1]


def connect(server: Server, password: str = PASSWORD) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host=str(server.socket_dir),
        port=server.port,
        user=server.superuser,
        password=password,
        dbname="postgres",
        autocommit=True,
    )


def ask(server: Server, question: str) -> str:
    """The first column of the first row of the last statement, as text."""
    with connect(server) as connection:
        *_, last = connection.execute(question.encode()).results()
        row = last.fetchone()
    assert row
    return str(row[0])


@contextmanager
def desk_in_temporary_folder() -> Iterator[Desk]:
    """Not in tmp_path: every other pytest of root that begins closes the folder above it to the server's user."""
    with tempfile.TemporaryDirectory(prefix="deskbell-test-") as folder:
        desk = Desk(Path(folder) / "desk")
        try:
            yield desk
        finally:
            desk.clear()


@pytest.fixture
def new_desk() -> Iterator[Desk]:
    """A desk without a database, with the programs of the wheel."""
    with desk_in_temporary_folder() as desk:
        yield desk


@pytest.fixture(scope="session")
def wheel_desk() -> Iterator[Desk]:
    """A desk whose database was made by the wheel's programs. One for all tests, as making it is the slow part."""
    with desk_in_temporary_folder() as desk:
        with desk.postgres():
            pass
        yield desk


@pytest.fixture(scope="session")
def system_desk() -> Iterator[Desk]:
    """The same with the system's PostgreSQL 15."""
    if not SYSTEM_PROGRAMS.is_dir():
        pytest.skip(f"there is no PostgreSQL 15 in {SYSTEM_PROGRAMS}")
    with desk_in_temporary_folder() as desk:
        desk.bin_dir = SYSTEM_PROGRAMS
        with desk.postgres():
            pass
        yield desk


@pytest.fixture
def desk(wheel_desk: Desk) -> Iterator[Desk]:
    """A desk with a database that is not running. Data that a test adds stay there."""
    yield wheel_desk
    wheel_desk.clear()


@pytest.fixture(params=["wheel_desk", "system_desk"])
def any_desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The same, with either version."""
    desk: Desk = request.getfixturevalue(request.param)
    yield desk
    desk.clear()
