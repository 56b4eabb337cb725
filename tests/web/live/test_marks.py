"""Presence and unread marks through forms, and what they cost."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.composing.presence import GONE_AFTER, present
from deskbell.kernel.database import Database
from deskbell.kernel.session_reading import SessionReading
from deskbell.testing.factories import SYSTEM, actor
from tests.web.pages.conftest import Browser, Pages, pages_on, short_log

__all__ = ["short_log"]
pytestmark = pytest.mark.anyio
EARLIER = text("update ticket_presence set at = at - cast(:age as interval)")


@pytest.fixture
async def desk(async_database: Database) -> AsyncIterator[Pages]:
    async with AsyncExitStack() as stack:
        yield pages_on(async_database, stack)


@pytest.fixture
async def agent(desk: Pages) -> Browser:
    return await desk.browser_of(Role.AGENT)


async def unread(browser: Browser) -> set[str]:
    """Return the numbers of the tickets that `is:unread` finds."""
    page = (await browser.client.get("/api/v1/tickets?q=is:unread")).json()
    return {item["ticket_number"] for item in page["items"]}


async def test_looking_at_a_ticket_reads_it_and_what_others_do_makes_it_unread(desk: Pages, agent: Browser) -> None:
    ticket, other = await desk.make(lambda f: (f.ticket(), f.user(Role.AGENT)))
    number = ticket.ticket_number
    assert number in await unread(agent)
    await agent.client.get(f"/tickets/{number}")
    assert number not in await unread(agent)
    assert 'class="unread"' not in (await agent.client.get("/tickets")).text
    await (await desk.as_(other)).patch(f"/api/v1/tickets/{number}", json={"priority": "urgent"})
    assert number in await unread(agent)
    assert 'class="unread"' in (await agent.client.get("/tickets")).text


async def test_what_somebody_changes_themselves_they_have_seen(desk: Pages) -> None:
    user, ticket = await desk.make(lambda f: (f.user(Role.AGENT), f.ticket()))
    browser, number = await desk.browser(user), ticket.ticket_number
    await browser.client.get(f"/tickets/{number}")
    for priority in ("urgent", "low"):
        await (await desk.as_(user)).patch(f"/api/v1/tickets/{number}", json={"priority": priority})
    assert number not in await unread(browser)


async def test_what_changed_between_is_not_read_by_ones_own_change(desk: Pages) -> None:
    user, other, ticket = await desk.make(lambda f: (f.user(Role.AGENT), f.user(Role.AGENT), f.ticket()))
    browser, number = await desk.browser(user), ticket.ticket_number
    await browser.client.get(f"/tickets/{number}")
    for who, priority in ((other, "urgent"), (user, "low")):
        await (await desk.as_(who)).patch(f"/api/v1/tickets/{number}", json={"priority": priority})
    assert number in await unread(browser)


async def test_a_page_that_is_fetched_ahead_reads_nothing(desk: Pages, agent: Browser) -> None:
    number = (await desk.make(lambda f: f.ticket())).ticket_number
    await agent.client.get(f"/tickets/{number}", headers={"Sec-Purpose": "prefetch;prerender"})
    assert number in await unread(agent)


async def test_marking_as_unread_leads_to_the_list(desk: Pages, agent: Browser) -> None:
    number = (await desk.make(lambda f: f.ticket())).ticket_number
    await agent.client.get(f"/tickets/{number}")
    answer = await agent.send(f"/tickets/{number}/unread")
    assert (answer.status_code, answer.headers["location"]) == (303, "/tickets")
    assert number in await unread(agent)


async def test_marks_are_ones_own(desk: Pages, agent: Browser) -> None:
    number = (await desk.make(lambda f: f.ticket())).ticket_number
    await agent.client.get(f"/tickets/{number}")
    assert number in await unread(await desk.browser_of(Role.AGENT))


async def test_customers_have_neither_presence_nor_marks(desk: Pages) -> None:
    customer, ticket = await desk.make(lambda f: (f.user(), f.ticket()))
    browser = await desk.browser(customer)
    path = f"/tickets/{ticket.ticket_number}"
    for answer in (await browser.send(f"{path}/presence", doing="viewing"), await browser.send(f"{path}/unread")):
        assert answer.status_code in {403, 404}
    assert (await (await desk.as_(customer)).get("/api/v1/tickets?q=is:unread")).status_code == 422


@pytest.mark.parametrize(("doing", "status"), [("dancing", 422), ("viewing", 404)])
async def test_presence_that_makes_no_sense_is_refused(agent: Browser, doing: str, status: int) -> None:
    assert (await agent.send("/tickets/DB-0/presence", doing=doing)).status_code == status


async def test_presence_needs_the_token_of_the_session(desk: Pages, agent: Browser) -> None:
    number = (await desk.make(lambda f: f.ticket())).ticket_number
    answer = await agent.client.post(f"/tickets/{number}/presence", data={"doing": "viewing", "csrf_token": "x"})
    assert answer.status_code == 403


async def test_who_is_not_heard_of_is_gone(desk: Pages) -> None:
    user, ticket = await desk.make(lambda f: (f.user(Role.AGENT), f.ticket()))
    await (await desk.browser(user)).send(f"/tickets/{ticket.ticket_number}/presence", doing="typing")

    async def after(age: timedelta) -> set[str]:
        async with desk.database.async_transaction(actor(user)) as session:
            await session.execute(EARLIER, {"age": age})
        async with desk.database.async_transaction(SYSTEM) as session:
            return set(await present(SessionReading(session)))

    assert await after(GONE_AFTER - timedelta(seconds=5)) == {ticket.ticket_number}
    assert await after(timedelta(seconds=6)) == set()
