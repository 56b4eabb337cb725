"""The customers' pages over HTTP, on a desk that writes mail; there is no server, so that it stays to be read."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text

from deskbell.accounts.models import User
from deskbell.kernel.database import Database
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.testing.factories import SYSTEM
from deskbell.wiring import JOBS
from tests.web.pages.conftest import Browser, Pages, pages_on, short_log

__all__ = ["short_log"]

SITE = "http://desk.test"
_JOBS = "select id, task_name, args from jobs.procrastinate_jobs where task_name like 'mail.%' order by id limit 1"
_FIELD = r'name="{}" value="([^"]*)"'


@dataclass
class Portal(Pages):
    """A desk with pages whose messages can be read."""

    async def mails(self) -> list[OutboundMessage]:
        """Run the jobs that write messages, and return the outbox, oldest first."""
        async with self.database.async_transaction(SYSTEM) as session:
            while found := (await session.execute(text(_JOBS))).first():
                await session.execute(text("delete from jobs.procrastinate_jobs where id = :id"), {"id": found.id})
                await session.run_sync(partial(JOBS[found.task_name].function, **found.args))
        async with self.database.async_transaction(SYSTEM) as session:
            return list(await session.scalars(select(OutboundMessage).order_by(OutboundMessage.id)))

    async def link(self) -> str:
        """Return the path that the newest message leads to."""
        newest = (await self.mails())[-1]
        [found] = set(re.findall(rf"{SITE}(\S+)", newest.text))
        return str(found)

    async def visitor(self, path: str = "/login") -> Browser:
        """Open a browser that nobody is logged in with, on a page with a form."""
        browser = await self.browser()
        page = await browser.client.get(path)
        browser.token = field(page.text, "csrf_token")
        return browser

    async def fetch(self, statement: Any) -> Any:
        """Ask the database as the system."""
        async with self.database.async_transaction(SYSTEM) as session:
            return await session.scalar(statement)


def field(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(_FIELD.format(name), page)
    assert found, f"no field {name}"
    return str(found[1])


def reaching(database: Database, **changes: Any) -> Database:
    """Let this database's desk reach people as it does in earnest, with `changes`."""
    resources: Resources = database._info[RESOURCES_KEY]  # type: ignore[assignment]
    reach = replace(resources.reach, **{"site_url": SITE, "tells_requesters": True, **changes})
    database._info = {**database._info, RESOURCES_KEY: replace(resources, reach=reach)}
    database.async_sessions.kw["info"][RESOURCES_KEY] = database._info[RESOURCES_KEY]
    return database


def portal_on(database: Database, stack: AsyncExitStack) -> Portal:
    pages = pages_on(database, stack)
    return Portal(pages.app, database, stack)


@pytest.fixture
async def desk(async_database: Database) -> AsyncIterator[Portal]:
    """The application on the database that is rolled back."""
    async with AsyncExitStack() as stack:
        yield portal_on(reaching(async_database), stack)


@pytest.fixture
async def kim(desk: Portal) -> User:
    """A customer."""
    return await desk.make(lambda f: f.user(email="kim@example.test", full_name="Kim Doe", password="correct horse"))


@pytest.fixture
async def browser(desk: Portal, kim: User) -> Browser:
    """Kim's browser, logged in."""
    return await desk.browser(kim)
