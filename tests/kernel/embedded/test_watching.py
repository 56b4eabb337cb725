"""A server that is killed while it is used comes back by itself; one that is meant to be gone does not."""

import logging
import shutil

import psycopg
import pytest
from sqlalchemy import text

from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.embedded import Server
from deskbell.kernel.embedded.waiting import deadline_in, ticks
from deskbell.kernel.settings import DatabaseSettings
from tests.kernel.embedded.conftest import PASSWORD, Desk, ask
from tests.kernel.embedded.test_starting import kill_server


def comes_back(desk: Desk, old: int) -> bool:
    """Whether another server is ready within 5 seconds."""
    return any(
        (found := desk.running) is not None and found.pid != old and found.is_ready(desk.cluster)
        for _ in ticks(deadline_in(5))
    )


def database_of(server: Server) -> Database:
    address = Address(str(server.socket_dir), server.port, "postgres", server.superuser, PASSWORD)
    return Database(address, DatabaseSettings())


def test_a_killed_server_comes_back_and_open_connections_are_replaced(
    any_desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with any_desk.postgres() as server:
        database = database_of(server)
        with database.engine.connect() as connection:
            connection.execute(text("select 1"))
        old = any_desk.pid
        kill_server(any_desk)
        assert comes_back(any_desk, old)
        with database.engine.connect() as connection:
            assert connection.execute(text("select 2")).scalar_one() == 2
        database.close()
    assert any_desk.running is None
    assert [record.levelname for record in caplog.records if "started again" in record.message] == ["WARNING"]


def test_sharers_bring_a_killed_server_back_once(desk: Desk) -> None:
    holder = desk.holder()
    with desk.postgres() as server:
        old = desk.pid
        before = server.log_file.read_text().count("ready to accept connections")
        kill_server(desk)
        assert comes_back(desk, old)
        holder.communicate("\n")
        assert ask(server, "select 1") == "1"
        assert server.log_file.read_text().count("ready to accept connections") == before + 1
    assert desk.running is None


def test_ensuring_that_the_server_runs_changes_nothing_when_it_does_or_is_not_used(desk: Desk) -> None:
    postgres = desk.postgres()
    assert not postgres.ensure_running()
    assert desk.running is None
    with postgres as server:
        old = desk.pid
        assert not postgres.ensure_running()
        assert desk.pid == old
        assert ask(server, "select 1") == "1"
    assert not postgres.ensure_running()
    assert desk.running is None


def test_a_server_whose_data_are_gone_is_not_made_anew(new_desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    postgres = new_desk.postgres()
    postgres.start()
    kill_server(new_desk)
    shutil.rmtree(new_desk.data_dir)
    assert not postgres.ensure_running()
    postgres.stop()
    assert not new_desk.cluster.exists()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_server_that_cannot_come_back_is_complained_about_and_tried_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with desk.postgres():
        version = desk.cluster / "PG_VERSION"
        right = version.read_text()
        version.write_text("99\n")
        try:
            old = desk.pid
            kill_server(desk)
            assert any("made by PostgreSQL 99" in caplog.text for _ in ticks(deadline_in(5)))
        finally:
            version.write_text(right)
        assert comes_back(desk, old)
    assert caplog.text.count("made by PostgreSQL 99") == 1


def test_stopping_while_it_comes_back_leaves_nothing_running(desk: Desk) -> None:
    postgres = desk.postgres()
    server = postgres.start()
    kill_server(desk)
    postgres.stop()
    assert desk.running is None
    with pytest.raises(psycopg.OperationalError):
        ask(server, "select 1")
