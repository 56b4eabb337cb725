"""Fixtures of all tests: the project's own pytest plug-in, by short names, and asyncio as the only async backend."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from deskbell.accounts import passwords
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.testing.factories import Factory
from deskbell.testing.servers import scratch
from tests.replication import Standby, primary_server, standby_of

tempfile.tempdir = os.environ["TMPDIR"] = str(scratch())  # for what is started by tests, too

pytest_plugins = ["deskbell.testing.plugin", "pytester", "tests.asynchronous"]


LONG = ("web/browser", "web/serving", "integrations", "cli", "kernel", "web/api/test_fuzzing.py", "migrations", "plans")
"""Where tests start servers, processes and browsers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones: what two processes share out in the end should be short.

    Each of pytest-xdist's two begins with one half of the list (`--dist worksteal`), so either half has some of them.
    """
    here, long, short = Path(__file__).parent, list[pytest.Item](), list[pytest.Item]()
    for item in items:
        (long if item.path.relative_to(here).as_posix().startswith(LONG) else short).append(item)
    long.sort(key=lambda item: not item.path.is_relative_to(here / "web"))
    first = sum(item.path.is_relative_to(here / "web") for item in long)
    half = len(items) // 2 - first
    items[:] = [*long[:first], *short[:half], *long[first:], *short[half:]]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run asynchronous tests on the standard library's event loop; the server of the browser tests has uvloop."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash with as little work as argon2id can be told: what it costs in earnest is a test of its own."""
    hasher = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: PasswordHash((hasher,)))
        passwords._nobodys_hash.cache_clear()
        yield
    passwords._nobodys_hash.cache_clear()


@pytest.fixture(scope="session")
def server(deskbell_server: Address) -> Address:
    """The superuser's way to the migrated template database."""
    return deskbell_server


@pytest.fixture(scope="session")
def clone_address(deskbell_clone: Address) -> Address:
    """The superuser's way to this process's clone."""
    return deskbell_clone


@pytest.fixture
def database(deskbell_database: Database) -> Database:
    """The database, rolled back after the test."""
    return deskbell_database


@pytest.fixture
def factory(deskbell_factory: Factory) -> Factory:
    """Test data in `database`."""
    return deskbell_factory


@pytest.fixture
def fresh_address(deskbell_fresh_address: Address) -> Address:
    """The superuser's way to a clone for this test alone."""
    return deskbell_fresh_address


@pytest.fixture
def fresh_database(deskbell_fresh_database: Database) -> Database:
    """A database for this test alone, in which commits are real."""
    return deskbell_fresh_database


@pytest.fixture(scope="session")
def replicated() -> Iterator[tuple[Address, Standby]]:
    """The superuser's way to a migrated database, and a standby of its server; both for tests of replicas alone."""
    with primary_server() as primary, standby_of(primary) as standby:
        yield primary, standby
