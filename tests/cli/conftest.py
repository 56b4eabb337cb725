"""A terminal to type at: commands run in this process, on a database of the test's own."""

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deskbell.cli import app
from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.address import Address
from deskbell.kernel.crypto import derive, load_master_key
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.roles import prepare_server
from deskbell.kernel.settings import PostgresSettings
from deskbell.migrations.runner import Migrator
from deskbell.testing.servers import FAST, TEMPLATE, clone, make_partitions

PROGRAM = (sys.executable, "-c", "from deskbell.cli.app import main; main()")


@dataclass(frozen=True)
class Result:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Terminal:
    """`run` types a command; `address` is the superuser's way to the database behind it."""

    address: Address
    data_dir: Path
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, *arguments: str | Path, stdin: str | None = None) -> Result:
        self.capfd.readouterr()
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        code = app.run([str(argument) for argument in arguments])
        captured = self.capfd.readouterr()
        return Result(code, captured.out, captured.err)

    def ok(self, *arguments: str | Path, stdin: str | None = None) -> Result:
        """Type a command that must succeed."""
        result = self.run(*arguments, stdin=stdin)
        assert result.code == 0, result.err
        return result

    def start(self, *arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start the program as a process of its own."""
        process = start_program(*arguments, env=env)
        self.processes.append(process)
        return process


def start_program(
    *arguments: str | Path, env: dict[str, str] | None = None, program: Sequence[str] = PROGRAM
) -> subprocess.Popen[str]:
    """Start the program as a process of its own, without a terminal."""
    return subprocess.Popen(
        [*program, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",  # a test may ask for another encoding
        env={**os.environ, **(env or {})},
    )


@pytest.fixture(scope="session")
def own_server() -> Iterator[tuple[Address, Path]]:
    """The superuser's way to a migrated template database, and the data directory whose key its passwords come from.

    Not the server of the other tests: opening a desk gives the roles the passwords that its own key makes.
    """
    with tempfile.TemporaryDirectory(prefix="deskbell-test-cli-") as folder:
        data_dir = Path(folder) / "desk"
        key = load_master_key(data_dir)
        password = derive(key, "role:superuser")
        server = EmbeddedPostgres(
            data_dir, superuser_password=password, bin_dir=PostgresSettings().bin_dir, options=FAST
        )
        running = server.start()
        try:
            admin = Address(str(running.socket_dir), running.port, TEMPLATE, running.superuser, password)
            prepare_server(admin, {role: derive(key, f"role:{role}") for role in (APPLICATION, READ_ONLY)})
            Migrator(admin).upgrade()
            make_partitions(admin)
            yield admin, data_dir
        finally:
            server.stop()


def name_of(text: str) -> str:
    """A database's name that no other process and no other test has."""
    return f"cli_{os.getpid()}_{abs(hash(text)) % 10**8}"


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("DESKBELL_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def opened(
    address: Address, data_dir: Path, environment: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    """Point the environment at a database, and end in the end what was started."""
    environment.setenv("DESKBELL_DATA_DIR", str(data_dir))
    environment.setenv("DESKBELL_DATABASE_URL", address.dsn)
    terminal = Terminal(address, data_dir, environment, capfd)
    yield terminal
    for process in terminal.processes:
        process.kill()
        process.communicate()


@pytest.fixture
def terminal(
    own_server: tuple[Address, Path],
    clean_environment: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> Iterator[Terminal]:
    """A terminal on a database of the test's own, in which nobody is."""
    with clone(own_server[0], name_of(request.node.nodeid)) as address:
        yield from opened(address, own_server[1], clean_environment, capfd)


@pytest.fixture(scope="session")
def empty_database(own_server: tuple[Address, Path]) -> Iterator[Address]:
    """A database in which nobody is, shared by the tests that leave it so."""
    with clone(own_server[0], name_of("empty")) as address:
        yield address


@pytest.fixture
def bystander(
    empty_database: Address,
    own_server: tuple[Address, Path],
    clean_environment: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Terminal]:
    """A terminal for commands that change nothing: faster, as the database is shared."""
    yield from opened(empty_database, own_server[1], clean_environment, capfd)


@pytest.fixture
def ticket(terminal: Terminal) -> str:
    """The number of a ticket that Kim opened; Sam is an agent."""
    terminal.ok("user", "create", "sam@example.test", "--role", "agent", "--name", "Sam Agent")
    terminal.ok("ticket", "open", "--requester", "kim@example.test", "-m", "My card has not arrived.")
    number: str = terminal.ok("ticket", "list", "--json").json["tickets"][0]["number"]
    return number
