"""Fixtures of all tests: the project's own pytest plug-in, by short names, and asyncio as the only async backend."""

from collections.abc import Iterator

import pytest

from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.testing.factories import Factory
from tests.replication import Standby, primary_server, standby_of

pytest_plugins = ["deskbell.testing.plugin", "pytester"]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run asynchronous tests on the standard library's event loop; the server of the browser tests has uvloop."""
    return "asyncio", {"use_uvloop": False}


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
async def async_database(deskbell_async_database: Database) -> Database:
    """The database for asynchronous tests, rolled back after the test."""
    return deskbell_async_database


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
