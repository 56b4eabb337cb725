"""The pytest plug-in: `pytest_plugins = ["deskbell.testing.plugin"]`.

`server` is a migrated template, shared by the run's processes; `database` a clone of this process, used through
savepoints that are rolled back after each test; `fresh_database` a clone for one test alone, which really commits.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deskbell.kernel.address import Address
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.kernel.resources import Resources
from deskbell.kernel.settings import PostgresSettings, Settings
from deskbell.kernel.storage import LocalStorage
from deskbell.testing.databases import AsyncRollbackDatabase, RollbackDatabase, async_rolling_back, rolling_back
from deskbell.testing.factories import Factory
from deskbell.testing.servers import as_application, clone, run_folder, throwaway_server
from deskbell.wiring import CONSTRAINT_ERRORS, HANDLERS


def _run_name() -> str:
    """Name the test run: pytest-xdist gives its processes one name."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())


def open_database(address: Address, storage: Path, settings: Settings | None = None) -> Database:
    """Open a database of the test server as the application does."""
    chosen = settings or Settings()
    resources = Resources(
        clock=SystemClock(),
        storage=LocalStorage(storage),
        ticket_prefix=chosen.ticket.prefix,
        attachment_bytes=chosen.storage.max_bytes,
        mail_bytes=chosen.mail.max_bytes,
    )
    return Database(
        as_application(address),
        chosen.database,
        handlers=HANDLERS,
        constraint_errors=CONSTRAINT_ERRORS,
        resources=resources,
        parameters={"deskbell.ticket_prefix": chosen.ticket.prefix},
    )


@pytest.fixture(scope="session")
def server() -> Iterator[Address]:
    """The superuser's way to the migrated template database."""
    with run_folder(_run_name()) as folder, throwaway_server(folder, PostgresSettings().bin_dir) as address:
        yield address


@pytest.fixture(scope="session")
def clone_address(server: Address) -> Iterator[Address]:
    """The superuser's way to this process's clone."""
    with clone(server, f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}") as address:
        yield address


@pytest.fixture(scope="session")
def clone_database(clone_address: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The application's way to this process's clone; use `database` instead, which cleans up after itself."""
    database = open_database(clone_address, tmp_path_factory.mktemp("attachments"))
    yield database
    database.close()


@pytest.fixture
def database(clone_database: Database) -> Iterator[RollbackDatabase]:
    """The database, rolled back after the test."""
    with rolling_back(clone_database) as inner:
        yield inner


@pytest.fixture
def factory(database: RollbackDatabase) -> Factory:
    """Test data in `database`."""
    return Factory(database)


@pytest.fixture
async def async_database(clone_address: Address, tmp_path: Path) -> AsyncIterator[AsyncRollbackDatabase]:
    """The database for asynchronous tests, rolled back after the test."""
    plain = open_database(clone_address, tmp_path / "attachments")
    async with async_rolling_back(plain) as inner:
        yield inner
    await plain.aclose()


@pytest.fixture
def fresh_address(server: Address, request: pytest.FixtureRequest) -> Iterator[Address]:
    """The superuser's way to a clone for this test alone."""
    with clone(server, f"fresh_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**8}") as address:
        yield address


@pytest.fixture
def fresh_database(fresh_address: Address, tmp_path: Path) -> Iterator[Database]:
    """A database for this test alone, in which commits are real."""
    database = open_database(fresh_address, tmp_path / "attachments")
    yield database
    database.close()
