"""Reading as whoever asks: what the server remembers of them saves a round trip, and never decides anything."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role, User
from deskbell.testing.factories import SYSTEM
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
LIST = "/api/v1/tickets"
Change = Callable[[Desk, User], Awaitable[None]]


async def run(desk: Desk, statement: str, **values: object) -> None:
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.execute(text(statement), values)


async def revoke(desk: Desk, user: User) -> None:
    await run(desk, "update api_tokens set revoked_at = now() where user_id = :id", id=user.id)


async def expire(desk: Desk, user: User) -> None:
    await run(desk, "update api_tokens set expires_at = now() - interval '1 second' where user_id = :id", id=user.id)


async def deactivate(desk: Desk, user: User) -> None:
    await run(desk, "update users set is_active = false where id = :id", id=user.id)


@pytest.fixture(params=["session", "lane"])
async def either(request: pytest.FixtureRequest, desk: Desk, live: Desk) -> Desk:
    """The application as it reads through a session, and as it does on the lane."""
    return desk if request.param == "session" else live


@pytest.mark.parametrize("change", [revoke, expire, deactivate])
async def test_a_token_that_came_before_stops_at_once(either: Desk, change: Change) -> None:
    desk = either
    agent, ticket = await desk.make(lambda f: (f.user(Role.AGENT), f.ticket()))
    client = await desk.as_(agent)
    urls = [LIST, f"{LIST}/{ticket.ticket_number}", f"{LIST}?q=created>yesterdayish", f"{LIST}?limit=0"]
    assert [(await client.get(url)).status_code for url in urls] == [200, 200, 422, 422]
    await change(desk, agent)
    assert [(await client.get(url)).status_code for url in urls] == [401] * 4


async def test_who_becomes_a_customer_sees_what_customers_see_at_once(either: Desk) -> None:
    desk = either
    agent, ticket = await desk.make(lambda f: (f.user(Role.AGENT), f.ticket()))
    client = await desk.as_(agent)
    url = f"{LIST}/{ticket.ticket_number}"
    assert (await client.get(url)).json()["requester"]["email"]
    assert len((await client.get(LIST)).json()["items"]) == 1
    await run(desk, "update users set role = 'customer' where id = :id", id=agent.id)
    assert (await client.get(url)).status_code == 404
    assert (await client.get(LIST)).json()["items"] == []
    await run(desk, "update users set role = 'agent' where id = :id", id=agent.id)
    assert (await client.get(url)).json()["requester"]["email"]


async def test_a_token_that_may_only_read_reads(desk: Desk) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    client = await desk.as_(agent)
    assert (await client.get(LIST)).status_code == 200
    await run(desk, "update api_tokens set scopes = '{read}' where user_id = :id", id=agent.id)
    assert (await client.get(LIST)).status_code == 200
    await run(desk, "update api_tokens set scopes = '{something}' where user_id = :id", id=agent.id)
    assert (await client.get(LIST)).status_code == 403


@pytest.mark.parametrize("url", [f"{LIST}?limit=0", f"{LIST}/no-number", f"{LIST}?status=x&cursor=y"])
async def test_who_may_not_ask_is_not_told_how_to(desk: Desk, url: str) -> None:
    client = await desk.client()
    refused = await client.get(url)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="deskbell"')


async def test_an_error_has_the_headers_of_every_answer(agent: httpx.AsyncClient) -> None:
    for url, status in ((f"{LIST}?limit=0", 422), (f"{LIST}/DB-999999", 404), (f"{LIST}?q=x:1", 422)):
        refused = await agent.get(url, headers={"X-Request-ID": "mine"})
        assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
        assert (refused.headers["x-request-id"], refused.headers["x-frame-options"]) == ("mine", "DENY")


async def test_the_usual_list_and_others_agree(live: Desk) -> None:
    """One statement, two statements, through a session: the same documents in the same order."""
    agent = await live.as_role(Role.AGENT)
    await live.make(lambda f: [f.ticket(message="A refund, please") for _ in range(60)])
    pages = [
        (await agent.get(LIST, params=params)).json()
        for params in ({}, {"limit": "50"}, {"status": ["open", "closed"]}, {"q": "refund"}, {"q": "created>2020"})
    ]
    assert [page["items"] == pages[0]["items"] for page in pages] == [True] * 5
    rest = (await agent.get(LIST, params={"cursor": pages[0]["next_cursor"]})).json()
    assert (len(pages[0]["items"]), len(rest["items"]), rest["next_cursor"]) == (50, 10, None)
