"""Throw-away databases: one server and one migrated template for all processes of a test run, one clone for each."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from deskbell.kernel.access import APPLICATION, OWNER, READ_ONLY
from deskbell.kernel.address import Address
from deskbell.kernel.crypto import derive
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.roles import prepare_server
from deskbell.migrations.runner import Migrator

TEMPLATE = "deskbell_template"
SUPERUSER_PASSWORD = "for tests alone"  # noqa: S105 - the server is thrown away
SECRET_KEY = "for tests alone, so that everybody may know it"  # noqa: S105 - the same
APPLICATION_PASSWORD, READ_ONLY_PASSWORD = (derive(SECRET_KEY.encode(), f"role:{r}") for r in (APPLICATION, READ_ONLY))
"""What a desk that has this key logs in with."""
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "128MB",
}

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it
_ROOM = 2 * 2**30


def scratch(memory: Path = _MEMORY, room: int = _ROOM) -> Path:
    """Return where a run keeps what it throws away: in `memory` if it has `room` (bytes), unless `TMPDIR` says where.

    A clone of a database is some thousand small files: on many a disk those take ten times as long.
    """
    if "TMPDIR" not in os.environ and os.access(memory, os.W_OK | os.X_OK):
        found = os.statvfs(memory)
        if found.f_bavail * found.f_frsize >= room and not found.f_flag & os.ST_NOEXEC:
            return memory
    return Path(tempfile.gettempdir())


@contextmanager
def run_folder(run: str) -> Iterator[Path]:
    """Yield a folder that all processes of a test run share; the last one to leave removes it.

    Not beneath pytest's own folder: for root, each new run of pytest closes that to everybody else, and the server does
    not run as root.
    """
    folder = scratch() / f"deskbell-test-{run}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "users.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        try:
            yield folder
        finally:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            except BlockingIOError:  # others are still at it
                pass


@contextmanager
def throwaway_server(folder: Path, bin_dir: Path | None = None) -> Iterator[Address]:
    """Start or join the run's server in `folder`; yield the superuser's way to its template database, migrated."""
    server = EmbeddedPostgres(folder, superuser_password=SUPERUSER_PASSWORD, bin_dir=bin_dir, options=FAST)
    running = server.start()
    try:
        admin = Address(str(running.socket_dir), running.port, TEMPLATE, running.superuser, SUPERUSER_PASSWORD)
        ready = folder / "template.ready"
        with _one_at_a_time(folder / "template.lock"):
            if not ready.exists():  # a template that somebody is connected to cannot be cloned by others
                prepare_server(admin, {APPLICATION: APPLICATION_PASSWORD, READ_ONLY: READ_ONLY_PASSWORD})
                Migrator(admin).upgrade()
                make_partitions(admin)
                ready.touch()
        yield admin
    finally:
        server.stop()


def make_partitions(admin: Address) -> None:
    """Make this month's and the next month's partition of the audit log."""
    with psycopg.connect(admin.dsn, autocommit=True) as connection:
        connection.execute("select deskbell_make_partitions(1)")


@contextmanager
def clone(template: Address, name: str) -> Iterator[Address]:
    """Copy a database, which takes some 80 ms, and drop the copy in the end."""
    identifiers = sql.Identifier(name), sql.Identifier(template.database), sql.Identifier(OWNER)
    with psycopg.connect(template.to_database("postgres").dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(identifiers[0]))
        connection.execute(sql.SQL("create database {} template {}").format(*identifiers[:2]))
        connection.execute(
            sql.SQL("grant create, temporary on database {} to {}").format(identifiers[0], identifiers[2])
        )
        connection.execute(sql.SQL("grant temporary on database {} to public").format(identifiers[0]))
        try:
            yield template.to_database(name)
        finally:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(identifiers[0]))


@contextmanager
def empty_database(server: Address, name: str) -> Iterator[Address]:
    """Make a database without a schema, for tests of migrations, and drop it in the end."""
    address = server.to_database(name)
    prepare_server(address, {})
    try:
        yield address
    finally:
        with psycopg.connect(server.to_database("postgres").dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def as_application(address: Address) -> Address:
    """Return the application role's way to the same database."""
    return address.as_role(APPLICATION, APPLICATION_PASSWORD)


def environment(address: Address, data_dir: Path) -> dict[str, str]:
    """Return the settings with which another process opens a desk on a database of this server."""
    return {
        "DESKBELL_DATABASE_URL": address.dsn,
        "DESKBELL_DATA_DIR": str(data_dir),
        "DESKBELL_SECRET_KEY": SECRET_KEY,
    }


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
