"""Passwords of the database that change while Deskbell runs: files that others write, and the roles' own."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Integer, text

from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect
from deskbell.kernel.credentials import FileSecret, Logins
from deskbell.kernel.database import Database
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.errors import SetupError
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.roles import can_log_in, prepare_server
from deskbell.kernel.settings import DatabaseSettings, PostgresSettings
from deskbell.testing.servers import FAST, SUPERUSER_PASSWORD, run_folder
from deskbell.worker.queue import _connected

KEY = b"for this test alone, and not for any other"
SYSTEM = Actor.system(Channel.CLI)
CUT = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s"
WHO = "select session_user::text"
ONE = Statement(text("select 1 as number").columns(number=Integer), prepared=True)


@pytest.fixture(scope="module")
def superuser() -> Iterator[Address]:
    with run_folder("credentials") as folder:
        server = EmbeddedPostgres(
            folder / "desk", superuser_password=SUPERUSER_PASSWORD, bin_dir=PostgresSettings().bin_dir, options=FAST
        )
        with server as running:
            admin = Address(str(running.socket_dir), running.port, "desk", running.superuser, SUPERUSER_PASSWORD)
            prepare_server(admin, Logins(KEY, admin).passwords())
            yield admin


@pytest.fixture
def admin(superuser: Address) -> Address:
    """The superuser's way in, the roles having their first passwords."""
    with connect(superuser, autocommit=True) as connection:
        connection.execute(f"comment on role {APPLICATION} is 'what an administrator wrote'")
        for role, password in Logins(KEY, superuser).passwords().items():
            connection.execute(f"alter role {role} password '{password}'".encode())
    return superuser


def cut_off(admin: Address) -> None:
    """End the connections of the application, as the server does when it restarts."""
    with connect(admin, autocommit=True) as connection:
        connection.execute(CUT, (APPLICATION,))


def test_the_first_generation_is_what_it_always_was(admin: Address) -> None:
    """A desk that was made before there were generations goes on as it is."""
    logins = Logins(KEY, admin)
    logins.look()
    assert logins.generation == 1
    assert can_log_in(logins.way_in(APPLICATION))


def test_the_old_passwords_are_worthless_at_once(admin: Address) -> None:
    logins = Logins(KEY, admin)
    before = logins.passwords()
    assert logins.rotate() == 2
    assert [can_log_in(admin.as_role(role, password)) for role, password in before.items()] == [False, False]
    assert [can_log_in(admin.as_role(role, password)) for role, password in logins.passwords().items()] == [True, True]
    assert len({*before.values(), *logins.passwords().values()}) == 4


@pytest.mark.anyio
async def test_who_is_running_elsewhere_finds_the_new_password_by_every_way_in(admin: Address) -> None:
    """Several machines, each with its own memory of the generation, and connections that were cut."""
    elsewhere = Logins(KEY, admin)
    database = Database(elsewhere.way_in(APPLICATION), DatabaseSettings())

    async def all_ways() -> list[object]:
        with database.engine.connect() as connection:
            found = [connection.scalar(text(WHO))]
        async with database.async_engine.connect() as asynchronous:
            found.append(await asynchronous.scalar(text(WHO)))
        async with database.reading() as reading:
            found.append((await reading.rows(ONE, last=True)).row(0)[0])
        async with await psycopg.AsyncConnection.connect(database.address.settled().dsn) as plain:
            found.append(plain.info.user)
        return found

    try:
        for _ in range(3):
            assert await all_ways() == [APPLICATION, APPLICATION, 1, APPLICATION]
            Logins(KEY, admin).rotate()
            cut_off(admin)
        assert elsewhere.generation == 3
    finally:
        await database.aclose()


@pytest.mark.anyio
async def test_many_that_are_refused_at_once_look_once(admin: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Logins(KEY, admin)
    looks = list[int]()
    look = elsewhere.look

    def counted() -> None:
        looks.append(1)
        look()

    monkeypatch.setattr(elsewhere, "look", counted)
    Logins(KEY, admin).rotate()
    database = Database(elsewhere.way_in(APPLICATION), DatabaseSettings(pool_size=8))

    async def ask() -> object:
        async with database.async_engine.connect() as connection:
            return await connection.scalar(text(WHO))

    try:
        assert await asyncio.gather(*(ask() for _ in range(8))) == [APPLICATION] * 8
    finally:
        await database.aclose()
    assert len(looks) == 1


def test_a_database_that_is_still_to_be_made_goes_by_the_servers_generation(admin: Address) -> None:
    Logins(KEY, admin).rotate()
    second = Logins(KEY, admin.to_database("not_there_yet"))
    second.look()
    assert second.generation == 2


def test_two_that_rotate_at_once_are_two_generations(admin: Address) -> None:
    first, second = Logins(KEY, admin), Logins(KEY, admin)
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(Logins.rotate, (first, second))) == [2, 3]
    for logins in (first, second):
        assert can_log_in(logins.way_in(READ_ONLY))


def test_another_key_is_refused_after_looking(admin: Address) -> None:
    stranger = Logins(KEY[::-1], admin)
    Logins(KEY, admin).rotate()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(stranger.way_in(APPLICATION))


@pytest.mark.anyio
async def test_a_worker_joins_again_with_the_new_password(admin: Address) -> None:
    elsewhere = Logins(KEY, admin)
    Logins(KEY, admin).rotate()
    async with await _connected(elsewhere.way_in(APPLICATION)) as connection:
        assert connection.info.user == APPLICATION


def test_a_file_is_read_for_each_connection(admin: Address, tmp_path: Path) -> None:
    file = tmp_path / "password"
    with connect(admin, autocommit=True) as connection:
        connection.execute("drop role if exists setup")
        connection.execute("create role setup login password 'one'")
        way_in = admin.as_role("setup", "in the URL, and not used").with_secret(FileSecret(file))
        file.write_text("one\n")
        connect(way_in).close()
        connection.execute("alter role setup password 'two  '")
        with pytest.raises(psycopg.OperationalError):
            connect(way_in)
        file.write_text("two  \r\n")
        connect(way_in).close()
        assert "two" not in repr(way_in)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), (b"", "holds no password"), (b"\n", "holds no"), (b"\xff", "UTF-8")]
)
def test_a_file_without_a_password_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SetupError, match=said) as raised:
        FileSecret(file).current()
    assert str(file) in raised.value.message
