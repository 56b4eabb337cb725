"""A server for measuring: embedded, migrated, as durable as in production (fsync is on)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.address import Address
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.roles import prepare_server
from deskbell.kernel.settings import PostgresSettings
from deskbell.migrations.runner import Migrator
from deskbell.testing.servers import clone

PASSWORD = "for measuring alone"  # noqa: S105 - the server is thrown away


@contextmanager
def measured_server() -> Iterator[Address]:
    """Start a server; yield the superuser's way to a migrated template database."""
    with TemporaryDirectory(prefix="deskbell-bench-") as folder:
        server = EmbeddedPostgres(Path(folder), superuser_password=PASSWORD, bin_dir=PostgresSettings().bin_dir)
        running = server.start()
        try:
            address = Address(str(running.socket_dir), running.port, "template_bench", running.superuser, PASSWORD)
            prepare_server(address, {APPLICATION: PASSWORD, READ_ONLY: PASSWORD})
            Migrator(address).upgrade()
            with psycopg.connect(address.dsn, autocommit=True) as connection:
                connection.execute("select deskbell_make_partitions(1)")
            yield address
        finally:
            server.stop()


@contextmanager
def measured_database(template: Address, name: str) -> Iterator[tuple[Address, Address]]:
    """Copy the template; yield the superuser's and the application's way to the copy."""
    with clone(template, name) as address:
        yield address, address.as_role(APPLICATION, PASSWORD)
