"""The pytest plug-in: `pytest_plugins = ["deskbell.testing.plugin"]` in the outermost conftest.py.

One migrated server serves a whole run, one clone of its database each process; what a test does there is rolled back.
Every fixture's name begins with `deskbell_`, so that none is in the way of yours. See docs/reference/testing.md.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Actor
from deskbell.kernel.address import Address
from deskbell.kernel.cache import Cache
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.kernel.keyring import KeyRing
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.resources import Resources
from deskbell.kernel.settings import PostgresSettings, Settings
from deskbell.kernel.vault import Vault
from deskbell.testing.databases import async_rolling_back, rolling_back
from deskbell.testing.factories import SYSTEM, Factory, OneSession, actor
from deskbell.testing.servers import as_application, clone, environment, run_folder, throwaway_server
from deskbell.wiring import CONSTRAINT_ERRORS, FIELDS, HANDLERS

T = TypeVar("T")
ActAs = Callable[[User | Actor], Session]
Make = Callable[[Callable[[Factory], T]], Awaitable[T]]
_RING = KeyRing.configured(b"a key for tests alone, of no value")


def storage_in(folder: Path, settings: Settings | None = None) -> LocalStorage:
    """Return a storage of attachments in a folder, as the settings have it."""
    return LocalStorage(folder, _RING, seal=(settings or Settings()).storage.encrypt)


def open_database(
    address: Address, storage: Path, settings: Settings | None = None, *, cache: Cache | None = None
) -> Database:
    """Open a database of the test server as the application does."""
    chosen = settings or Settings()
    resources = Resources(
        clock=SystemClock(),
        storage=storage_in(storage, chosen),
        ticket_prefix=chosen.ticket.prefix,
        attachment_bytes=chosen.storage.max_bytes,
        mail_bytes=chosen.mail.max_bytes,
        cache=cache,
        vault=Vault(_RING),
    )
    return Database(
        as_application(address),
        chosen.database,
        handlers=HANDLERS,
        constraint_errors=CONSTRAINT_ERRORS,
        resources=resources,
        fields=FIELDS,
        parameters={"deskbell.ticket_prefix": chosen.ticket.prefix},
    )


def run_name() -> str:
    """Name the test run: pytest-xdist gives its processes one name."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())


@pytest.fixture(scope="session")
def deskbell_server() -> Iterator[Address]:
    """The superuser's way to the migrated template database, which all processes of the run share."""
    with run_folder(run_name()) as folder, throwaway_server(folder, PostgresSettings().bin_dir) as address:
        yield address


@pytest.fixture(scope="session")
def deskbell_clone(deskbell_server: Address) -> Iterator[Address]:
    """The superuser's way to this process's clone."""
    with clone(deskbell_server, f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}") as address:
        yield address


@pytest.fixture(scope="session")
def _deskbell_pool(deskbell_clone: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The application's way to this process's clone, in which commits are real: to be rolled back by others."""
    database = open_database(deskbell_clone, tmp_path_factory.mktemp("attachments"))
    yield database
    database.close()


@pytest.fixture
def deskbell_database(_deskbell_pool: Database) -> Iterator[Database]:
    """A Database to give to what is tested; what it commits is rolled back after the test."""
    with rolling_back(_deskbell_pool) as inner:
        yield inner


@pytest.fixture
def deskbell_session(deskbell_database: Database) -> Iterator[Session]:
    """A session of the system, which sees everything, rolled back after the test."""
    with deskbell_database.transaction(SYSTEM) as session:
        yield session
        session.rollback()


@pytest.fixture
def deskbell_as(deskbell_database: Database) -> Iterator[ActAs]:
    """A function from a person to a session in which they act, rolled back after the test."""
    with ExitStack() as stack:

        def act_as(who: User | Actor) -> Session:
            return stack.enter_context(deskbell_database.transaction(who if isinstance(who, Actor) else actor(who)))

        yield act_as


@pytest.fixture
def deskbell_factory(deskbell_database: Database) -> Factory:
    """Test data in `deskbell_database`."""
    return Factory(deskbell_database)


@pytest.fixture
def deskbell_customer(deskbell_factory: Factory) -> Actor:
    """Somebody new who is a customer."""
    return actor(deskbell_factory.user(Role.CUSTOMER))


@pytest.fixture
def deskbell_agent(deskbell_factory: Factory) -> Actor:
    """Somebody new who is an agent."""
    return actor(deskbell_factory.user(Role.AGENT))


@pytest.fixture
def deskbell_admin(deskbell_factory: Factory) -> Actor:
    """Somebody new who is an administrator."""
    return actor(deskbell_factory.user(Role.ADMIN))


@pytest.fixture
async def deskbell_async_database(deskbell_clone: Address, tmp_path: Path) -> AsyncIterator[Database]:
    """A Database for asynchronous tests; what it commits is rolled back after the test."""
    plain = open_database(deskbell_clone, tmp_path / "attachments")
    async with async_rolling_back(plain) as inner:
        yield inner
    await plain.aclose()


@pytest.fixture
async def deskbell_async_session(deskbell_async_database: Database) -> AsyncIterator[AsyncSession]:
    """An asynchronous session of the system, which sees everything, rolled back after the test."""
    async with deskbell_async_database.async_transaction(SYSTEM) as session:
        yield session
        await session.rollback()


@pytest.fixture
def deskbell_make(deskbell_async_database: Database) -> Make[T]:
    """Test data in `deskbell_async_database`.

    Pass a function of a Factory, and await: `ticket = await deskbell_make(lambda factory: factory.ticket())`.
    """
    factory = Factory(deskbell_async_database)

    async def make(build: Callable[[Factory], T]) -> T:
        def run(session: Session) -> T:
            factory.database = OneSession(session)
            return build(factory)

        async with deskbell_async_database.async_transaction(SYSTEM) as session:
            return await session.run_sync(run)

    return make


@pytest.fixture
def deskbell_fresh_address(deskbell_server: Address, request: pytest.FixtureRequest) -> Iterator[Address]:
    """The superuser's way to a clone for this test alone."""
    with clone(deskbell_server, f"fresh_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**8}") as address:
        yield address


@pytest.fixture
def deskbell_fresh_database(deskbell_fresh_address: Address, tmp_path: Path) -> Iterator[Database]:
    """A database for this test alone, in which commits are real."""
    database = open_database(deskbell_fresh_address, tmp_path / "attachments")
    yield database
    database.close()


@pytest.fixture
def deskbell_environment(deskbell_fresh_address: Address, tmp_path: Path) -> dict[str, str]:
    """The settings, as variables, with which another process opens a desk on `deskbell_fresh_database`."""
    return environment(deskbell_fresh_address, tmp_path)
