"""A server that is killed and started again: nobody is handed a connection of the old one, in the lane or the pool."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Integer, text

from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.embedded.postmaster import running
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.roles import prepare_server
from deskbell.kernel.settings import DatabaseSettings, PostgresSettings
from deskbell.testing.servers import run_folder

pytestmark = pytest.mark.anyio
PASSWORD = "for this test alone"
SYSTEM = Actor.system(Channel.CLI)
ONE = Statement(text("select 1 as number").columns(number=Integer), prepared=True)


def start(folder: Path) -> tuple[EmbeddedPostgres, Address]:
    server = EmbeddedPostgres(folder, superuser_password=PASSWORD, bin_dir=PostgresSettings().bin_dir)
    place = server.start()
    return server, Address(str(place.socket_dir), place.port, "deskbell", place.superuser, PASSWORD)


@pytest.fixture
def folder() -> Iterator[Path]:
    with run_folder(f"restart-{os.getpid()}") as folder:
        yield folder


async def reads(database: Database) -> int:
    async with database.reading() as reading:
        rows = await reading.rows(ONE, last=True)
        found: int = rows.row(0)[0]
        return found


async def asks(database: Database) -> int:
    async with database.async_transaction(SYSTEM) as session:
        return int((await session.execute(text("select 1"))).scalar_one())


async def test_a_connection_of_a_killed_server_is_never_handed_out(folder: Path) -> None:
    server, admin = start(folder)
    prepare_server(admin, {APPLICATION: PASSWORD, READ_ONLY: PASSWORD})
    database = Database(admin.as_role(APPLICATION, PASSWORD), DatabaseSettings())
    try:
        assert (await reads(database), await asks(database)) == (1, 1)
        postmaster = running(folder / "postgres")
        assert postmaster is not None
        with psycopg.connect(admin.dsn) as connection:
            os.kill(postmaster.pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select pg_sleep(30)")  # until the backends have noticed
        server.stop()
        server, _ = start(folder)
        assert (await reads(database), await asks(database)) == (1, 1)
    finally:
        await database.aclose()
        server.stop()
