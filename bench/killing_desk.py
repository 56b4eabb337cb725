"""A desk in two processes that are killed and started again, on a PostgreSQL server that outlives them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from deskbell.accounts.actions import create_token, create_user
from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.settings import PostgresSettings, Settings
from deskbell.runtime import ensure_schema, open_desk

PROGRAM = str(Path(sys.executable).with_name("deskbell"))
PASSWORD = "for killing alone"  # noqa: S105 - the server is thrown away
KEY = "a key of a desk that is thrown away, so everybody may know it"
START = 180
"""Seconds that a process may take to answer."""


@dataclass
class Victim:
    """A process of the desk. It is alive when it says something to `hello` on `port`."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    port: int
    hello: bytes
    log: IO[bytes]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it, and do not wait."""
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=self.log, stderr=self.log)

    def await_answer(self) -> None:
        """Wait until it says something. Raises TimeoutError when it does not; starts it again where it has ended."""
        until = time.monotonic() + START
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(self.hello)
                if connection.recv(1):
                    return
            if self.process is None or self.process.poll() is not None:  # it met a database that was away
                self.start()
            time.sleep(0.05)
        raise TimeoutError(f"{self.name} does not answer")

    def kill(self) -> None:
        """Kill it, by SIGKILL."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Prey:
    """A desk that may be killed, and where it takes mail."""

    server: EmbeddedPostgres
    admin: Address
    settings: Settings
    environment: dict[str, str]
    folder: Path
    ports: dict[str, int]
    token: str = ""
    victims: list[Victim] = field(default_factory=list)

    def kill_postgres(self) -> None:
        """Kill PostgreSQL's first process, and start the server again."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.folder / "server/postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        self.server.ensure_running()


@contextmanager
def prey(smtp_port: int) -> Iterator[Prey]:
    """Make a desk with an administrator's token, not started yet; in the end everything of it goes.

    Its own mail goes to a server on `smtp_port`.
    """
    with TemporaryDirectory(prefix="deskbell-killing-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL's user passes through
        server = EmbeddedPostgres(
            folder / "server", superuser_password=PASSWORD, bin_dir=PostgresSettings().bin_dir, options={"fsync": "off"}
        )
        running = server.start()
        address = Address(str(running.socket_dir), running.port, "deskbell", running.superuser, PASSWORD)
        ports = {each: _free_port() for each in ("http", "lmtp", "smtp")}
        smtp: dict[str, Any] = {"host": "127.0.0.1", "port": smtp_port, "tls": "none", "sender": "help@example.test"}
        settings = _settings(address, folder, smtp)
        found = Prey(server, address, settings, _environment(address, folder, ports, smtp), folder, ports)
        try:
            found.token = _token(found.settings)
            with (folder / "desk.log").open("wb") as log:
                found.victims = list(_victims(found, log))
                yield found
        finally:
            for victim in found.victims:
                if victim.process is not None and victim.process.poll() is None:
                    victim.kill()
            server.stop()


def _victims(found: Prey, log: IO[bytes]) -> Iterator[Victim]:
    listen = f"lmtp://127.0.0.1:{found.ports['lmtp']} smtp://127.0.0.1:{found.ports['smtp']}"
    serve = [PROGRAM, "serve", "--no-worker", "--no-demo", "--port", str(found.ports["http"])]
    hello = b"GET /healthz HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n"
    yield Victim("the web server", serve, found.environment, found.ports["http"], hello, log)
    worker = found.environment | {"DESKBELL_MAIL_LISTEN": listen}
    yield Victim("the worker", [PROGRAM, "worker"], worker, found.ports["smtp"], b"", log)


def _environment(
    address: Address, folder: Path, ports: Mapping[str, int], smtp: Mapping[str, object]
) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DESKBELL_")}
    ours |= {"DESKBELL_DATABASE_URL": address.dsn, "DESKBELL_DATA_DIR": str(folder / "desk")}
    return (
        ours
        | {f"DESKBELL_SMTP_{name.upper()}": str(value) for name, value in smtp.items()}
        | {
            "DESKBELL_SECRET_KEY": KEY,
            "DESKBELL_WEB_REQUEST_RATE": "off",
            "DESKBELL_WEB_URL": f"http://127.0.0.1:{ports['http']}",
        }
    )


def _settings(address: Address, folder: Path, smtp: Mapping[str, object]) -> Settings:
    named = {"data_dir": folder / "desk", "secret_key": KEY, "database": {"url": address.dsn}, "smtp": smtp}
    return Settings.model_validate(named)


def _token(settings: Settings) -> str:
    with open_desk(settings) as desk:
        ensure_schema(desk, upgrade=True)
        with desk.database.transaction(Actor.system(Channel.CLI, act="bench")) as session:
            admin = create_user(session, email="ada@example.test", full_name="Ada", role=Role.ADMIN)
            return create_token(session, admin.id, name="killing")[1]


def _free_port() -> int:
    """Return a port that nobody uses, not one of those that connections get: who calls there could call itself."""
    while True:
        port = 15_000 + int.from_bytes(os.urandom(2)) % 15_000
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
