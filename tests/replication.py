"""A real pair: a server with a migrated desk, and standbys that stream from it over its socket."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import psycopg

from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.embedded import postmaster
from deskbell.kernel.embedded.account import Account, account_for
from deskbell.kernel.embedded.log import open_log
from deskbell.kernel.embedded.parameters import write_parameters
from deskbell.kernel.embedded.programs import Programs, find_programs
from deskbell.kernel.embedded.sockets import socket_dir
from deskbell.kernel.embedded.waiting import deadline_in, ticks
from deskbell.kernel.settings import PostgresSettings
from deskbell.testing.factories import Factory
from deskbell.testing.servers import FAST, throwaway_server

_NUMBERS = count()


@dataclass
class Standby:
    """A standby of the server that `primary` is the superuser's way to; `address` is theirs to the standby."""

    folder: Path
    primary: Address
    address: Address

    @property
    def cluster(self) -> Path:
        return self.folder / "postgres"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        postmaster.clear_stale(self.cluster, Path(self.address.host))
        with open_log(self.folder / "postgres.log", account_for(self.cluster)) as log:
            postmaster.launch(self.cluster, account_for(self.cluster), find_programs(_programs()), log.fileno())
        for _ in ticks(deadline_in(60)):
            if _answers(self.address):
                return
        raise AssertionError((self.folder / "postgres.log").read_text())

    def stop(self) -> None:
        postmaster.shut_down(self.cluster, deadline_in(30))

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        found = postmaster.recorded(self.cluster)
        assert found
        for pid in [found.pid, *_children(found.pid)]:
            os.kill(pid, number)

    def kill(self) -> None:
        """End it as a loss of power does."""
        found = postmaster.recorded(self.cluster)
        assert found
        self.signal(signal.SIGKILL)
        postmaster.await_gone(found.pid, self.cluster, deadline_in(10))

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement on the standby as its superuser."""
        return execute(self.address, statement)

    def catch_up(self) -> None:
        """Wait until it has replayed all that the primary has written."""
        execute(self.primary, "select pg_switch_wal()")
        [[position]] = execute(self.primary, "select pg_current_wal_flush_lsn()::text")
        for _ in ticks(deadline_in(30)):
            if self.execute(f"select pg_last_wal_replay_lsn() >= '{position}'") == [(True,)]:
                return
        raise AssertionError("the standby does not catch up")


def execute(address: Address, statement: str) -> list[tuple[object, ...]]:
    """Run a statement as the superuser and return its rows."""
    with psycopg.connect(address.dsn, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def factory_on(database: Database) -> Factory:
    """Test data beside those of other tests, as here nothing is rolled back."""
    return Factory(database, _NUMBERS)


def let_replicas_in(cluster: Path) -> None:
    """Add to the generated pg_hba.conf what standbys need."""
    with (cluster / "pg_hba.conf").open("a") as file:
        file.write("local replication all scram-sha-256\n")


@contextmanager
def primary_server() -> Iterator[Address]:
    """The superuser's way to a migrated database, of a server that lets standbys in."""
    with tempfile.TemporaryDirectory(prefix="deskbell-test-primary-") as name:
        cluster = Path(name) / "postgres"
        with throwaway_server(Path(name), _programs()) as admin:
            let_replicas_in(cluster)
            # Otherwise what was committed is written, and sent to standbys, a fifth of a second later.
            execute(admin, "alter system set synchronous_commit = on")
            postmaster.reload(cluster)
            yield admin


@contextmanager
def standby_of(primary: Address) -> Iterator[Standby]:
    """Copy the server, and start the copy as its standby."""
    with tempfile.TemporaryDirectory(prefix="deskbell-test-standby-") as name:
        folder = Path(name)
        programs = find_programs(_programs())
        account = account_for(Path(primary.host))  # whoever owns the primary's socket
        account.give(folder)
        _copy(primary, folder / "postgres", account, programs)
        sockets = socket_dir(folder, account)
        write_parameters(folder / "postgres", account, programs=programs, socket_dir=sockets, options=FAST)
        let_replicas_in(folder / "postgres")
        standby = Standby(folder, primary, replace(primary, host=str(sockets)))
        standby.start()
        try:
            yield standby
        finally:
            standby.stop()


def _copy(primary: Address, cluster: Path, account: Account, programs: Programs) -> None:
    command: list[str | Path] = [programs.bin_dir / "pg_basebackup", "-d", primary.dsn, "-D", cluster]
    said = ""
    for _ in ticks(deadline_in(30)):  # the primary heeds its new pg_hba.conf a moment later
        code, said = account.run([*command, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"], timeout=60)
        if code == 0:
            return
    raise AssertionError(said)


def _programs() -> Path | None:
    return PostgresSettings().bin_dir


def _answers(address: Address) -> bool:
    try:
        psycopg.connect(address.dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _children(pid: int) -> list[int]:
    tasks = Path("/proc", str(pid), "task", str(pid), "children")
    return [int(child) for child in tasks.read_text().split()]
