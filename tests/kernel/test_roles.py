"""The roles and databases of a server: made once, by several at once, and never taken away from somebody else."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.address import Address
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.errors import SetupError
from deskbell.kernel.roles import can_log_in, prepare_server
from deskbell.kernel.settings import PostgresSettings
from deskbell.testing.servers import FAST, SUPERUSER_PASSWORD

OURS = {APPLICATION: "ours", READ_ONLY: "ours too"}
THEIRS = {APPLICATION: "theirs", READ_ONLY: "theirs too"}


@pytest.fixture
def bare() -> Iterator[Address]:
    """The superuser's way to a database that is not there yet, on a server without roles."""
    with tempfile.TemporaryDirectory(prefix="deskbell-test-") as folder:
        bin_dir = PostgresSettings().bin_dir
        server = EmbeddedPostgres(
            Path(folder) / "desk", superuser_password=SUPERUSER_PASSWORD, bin_dir=bin_dir, options=FAST
        )
        with server as running:
            yield Address(str(running.socket_dir), running.port, "desk", running.superuser, SUPERUSER_PASSWORD)


def gets_in(admin: Address, passwords: dict[str, str]) -> list[bool]:
    return [can_log_in(admin.as_role(role, password)) for role, password in passwords.items()]


def test_another_key_does_not_lock_out_who_was_there_first(bare: Address) -> None:
    prepare_server(bare, OURS)
    with pytest.raises(SetupError, match=r"another DESKBELL_SECRET_KEY .*password.*`deskbell db adopt`") as raised:
        prepare_server(bare.to_database("second"), THEIRS)
    assert "\n" not in raised.value.message
    assert gets_in(bare, OURS) == [True, True]
    prepare_server(bare, OURS)
    prepare_server(bare, THEIRS, adopt=True)
    assert gets_in(bare, THEIRS) == [True, True]
    assert gets_in(bare, OURS) == [False, False]


def test_roles_that_cannot_log_in_yet_get_their_passwords(bare: Address) -> None:
    prepare_server(bare, {})
    assert gets_in(bare, OURS) == [False, False]
    prepare_server(bare, OURS)
    assert gets_in(bare, OURS) == [True, True]


def test_a_database_that_is_closed_to_the_public_lets_deskbell_in(bare: Address) -> None:
    with psycopg.connect(bare.to_database("postgres").dsn, autocommit=True) as connection:
        connection.execute("create database desk")
        connection.execute("revoke all on database desk from public")
    prepare_server(bare, OURS)
    assert gets_in(bare, OURS) == [True, True]


def test_processes_that_prepare_a_server_at_once_all_end_well(bare: Address) -> None:
    together = Barrier(4)

    def prepare(name: str) -> None:
        together.wait()
        prepare_server(bare.to_database(name), OURS)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(prepare, ("desk", "desk", "second", "third"))) == [None] * 4
    assert gets_in(bare, OURS) == [True, True]


def test_letters_are_lowered_alike_whatever_the_servers_locale(bare: Address) -> None:
    """A server whose locale is C lowers no letter beyond z: two spellings of an address would be two users."""
    with psycopg.connect(bare.to_database("postgres").dsn, autocommit=True) as connection:
        connection.execute("create database plain template template0 locale 'C' locale_provider libc")
        connection.execute("alter database template0 is_template false")
        connection.execute("drop database template0")
        connection.execute("alter database plain rename to template0")
    prepare_server(bare, {})
    with psycopg.connect(bare.dsn) as connection:
        assert connection.execute("select lower('ÄÉŁ'), 'B' < 'a'").fetchone() == ("äéł", True)
