"""The pages over HTTP, on a database that is rolled back; people are logged in by a cookie, as in a browser."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from deskbell.accounts.login import open_session
from deskbell.accounts.models import Role, User
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM
from deskbell.web.csrf import COOKIE, csrf_token_for
from deskbell.web.pages.rendering import error_page
from deskbell.web.site import PAGES
from deskbell.web.templating import build_environment
from tests.web.api.conftest import KEY, Desk, app_on, short_log

__all__ = ["short_log"]


@dataclass
class Browser:
    """Somebody's browser; `token` goes into every form."""

    client: httpx.AsyncClient
    token: str = ""

    async def send(self, path: str, /, headers: dict[str, str] | None = None, **fields: object) -> httpx.Response:
        """Send a form as a browser does."""
        return await self.client.post(path, data={"csrf_token": self.token, **fields}, headers=headers)


@dataclass
class Pages(Desk):
    """A desk with pages."""

    async def browser(self, user: User | None = None) -> Browser:
        """Open a browser; with a person it is logged in."""
        client = await self.client(Accept="text/html")
        if user is None:
            return Browser(client)
        now, lifetime = SystemClock().now(), timedelta(days=1)
        async with self.database.async_transaction(SYSTEM) as session:
            secret = await session.run_sync(open_session, user.id, lifetime=lifetime, now=now)
        client.cookies.set(COOKIE, secret)
        return Browser(client, csrf_token_for(KEY, secret))

    async def browser_of(self, role: Role) -> Browser:
        """Open the browser of a new person."""
        return await self.browser(await self.make(lambda f: f.user(role)))


def pages_on(database: Database, stack: AsyncExitStack) -> Pages:
    app = app_on(database, pages=PAGES, error_page=error_page)
    app.state.templates = build_environment()
    return Pages(app, database, stack)


@pytest.fixture
async def desk(async_database: Database) -> AsyncIterator[Pages]:
    """The application on the database that is rolled back."""
    async with AsyncExitStack() as stack:
        yield pages_on(async_database, stack)


@pytest.fixture
async def live(fresh_database: Database) -> AsyncIterator[Pages]:
    """The application on a database of its own, in which commits are real and requests can run side by side."""
    async with AsyncExitStack() as stack:
        yield pages_on(fresh_database, stack)
    await fresh_database.aclose()


@pytest.fixture
async def agent(desk: Pages) -> Browser:
    return await desk.browser_of(Role.AGENT)
