"""The API over HTTP, on a database that is rolled back: `desk` makes test data, and clients that act as people."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.kernel.settings import WebSettings
from deskbell.testing.factories import SYSTEM, Factory, OneSession
from deskbell.web.app import create_app

KEY = b"for tests alone" * 3
T = TypeVar("T")


@pytest.fixture(autouse=True)
def short_log() -> Iterator[None]:
    """Write plain lines: the developer's tracebacks, with all local variables, take seconds."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@dataclass
class Desk:
    """A running application, and a way to make what it should find."""

    app: FastAPI
    database: Database
    stack: AsyncExitStack
    _factory: Factory = field(default_factory=lambda: Factory(cast("Database", None)))

    async def make(self, build: Callable[[Factory], T]) -> T:
        """Make test data: `await desk.make(lambda f: f.ticket())`."""
        async with self.database.async_transaction(SYSTEM) as session:

            def run(plain: Session) -> T:
                self._factory.database = OneSession(plain)
                return build(self._factory)

            return await session.run_sync(run)

    async def client(self, **headers: str) -> httpx.AsyncClient:
        """Return a client who has not said who they are."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://desk.test", headers=headers)
        return await self.stack.enter_async_context(client)

    async def as_(self, user: User) -> httpx.AsyncClient:
        """Return a client with a token of this person."""
        token = await self.make(lambda factory: factory.token(user))
        return await self.client(Authorization=f"Bearer {token}")

    async def as_role(self, role: Role) -> httpx.AsyncClient:
        """Return a client with a token of a new person."""
        return await self.as_(await self.make(lambda factory: factory.user(role)))


def app_on(database: Database, **further: Any) -> FastAPI:
    resources: Resources = database._info[RESOURCES_KEY]  # type: ignore[assignment]
    settings = WebSettings(login_rate="5/minute")
    return create_app(database=database, resources=resources, key=KEY, settings=settings, **further)


@pytest.fixture
async def desk(async_database: Database) -> AsyncIterator[Desk]:
    """The application on the database that is rolled back."""
    async with AsyncExitStack() as stack:
        yield Desk(app_on(async_database), async_database, stack)


@pytest.fixture
async def live(fresh_database: Database) -> AsyncIterator[Desk]:
    """The application on a database of its own, in which commits are real and requests can run side by side."""
    async with AsyncExitStack() as stack:
        yield Desk(app_on(fresh_database), fresh_database, stack)
    await fresh_database.aclose()


@pytest.fixture
async def agent(desk: Desk) -> httpx.AsyncClient:
    return await desk.as_role(Role.AGENT)


@pytest.fixture
async def admin(desk: Desk) -> httpx.AsyncClient:
    return await desk.as_role(Role.ADMIN)


@pytest.fixture
async def customer(desk: Desk) -> httpx.AsyncClient:
    return await desk.as_role(Role.CUSTOMER)
