"""How often one may ask, over HTTP: what counts against what, who shares an allowance, what is said."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.kernel.settings import WebSettings
from deskbell.web.rates import EXPENSIVE, EXPENSIVE_WITH, Rates
from deskbell.web.site import PAGES
from tests.web.api.conftest import Desk, app_on

pytestmark = pytest.mark.anyio
TIGHT: dict[str, Any] = {
    "request_rate": "3/hour",
    "search_rate": "2/hour",
    "figures_rate": "1/hour",
    "bulk_rate": "1/hour",
    "refused_rate": "4/hour",
}
ME, SEARCH, TICKETS = "/api/v1/me", "/api/v1/search", "/api/v1/tickets"


@pytest.fixture
async def tight(async_database: Database) -> AsyncIterator[Desk]:
    """The application, with hardly any allowance."""
    app = app_on(async_database)
    app.state.rates = Rates(WebSettings(**TIGHT), lambda: 0.0)
    async with AsyncExitStack() as stack:
        yield Desk(app, async_database, stack)


async def statuses(client: httpx.AsyncClient, path: str, times: int, **how: Any) -> list[int]:
    return [(await client.get(path, **how)).status_code for _ in range(times)]


async def test_too_many_requests_are_a_problem_that_says_when_to_come_again(tight: Desk) -> None:
    agent = await tight.as_role(Role.AGENT)
    assert await statuses(agent, SEARCH, 2) == [200, 200]
    refused = await agent.get(SEARCH)
    assert (refused.status_code, refused.json()["code"], refused.json()["retry_after"]) == (429, "too_many", 1800)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "1800"
    assert refused.headers["RateLimit-Policy"] == '"search";q=2;w=3600'
    assert refused.headers["RateLimit"] == '"search";r=0;t=3600'


async def test_what_is_left_is_told_before_it_is_used_up(tight: Desk) -> None:
    agent = await tight.as_role(Role.AGENT)
    assert (await agent.get(SEARCH)).headers["RateLimit"] == '"search";r=1;t=1800'
    assert "RateLimit" not in (await agent.get(ME)).headers


async def test_what_is_dear_and_what_is_not_are_counted_apart(tight: Desk) -> None:
    agent = await tight.as_role(Role.AGENT)
    assert await statuses(agent, TICKETS, 2, params={"q": "refund"}) == [200, 200]
    assert await statuses(agent, SEARCH, 1) == [429]
    assert await statuses(agent, TICKETS, 3) == [200, 200, 200]
    assert await statuses(agent, ME, 1) == [429]
    assert await statuses(agent, "/api/v1/views/counts", 2) == [200, 429]


async def test_nothing_is_changed_by_one_too_many(tight: Desk) -> None:
    agent, other = await tight.as_role(Role.AGENT), await tight.as_role(Role.AGENT)
    ticket = {"title": "x", "description": "y"}
    requester = await tight.make(lambda f: f.user())
    wanted = {"tickets": [{**ticket, "requester_id": requester.id}]}
    first = await agent.post(f"{TICKETS}/bulk", json=wanted)
    assert first.status_code == 201, first.text
    assert (await agent.post(f"{TICKETS}/bulk", json=wanted)).status_code == 429
    assert [(await agent.post(TICKETS, json=ticket)).status_code for _ in range(4)] == [201, 201, 201, 429]
    assert len((await other.get(TICKETS)).json()["items"]) == 4


async def test_more_tokens_are_not_more_requests_and_the_browser_is_not_held_up(tight: Desk) -> None:
    user = await tight.make(lambda f: f.user(Role.AGENT, password="correct horse battery"))
    one, two = await tight.as_(user), await tight.as_(user)
    assert await statuses(one, SEARCH, 2) == [200, 200]
    assert await statuses(two, SEARCH, 1) == [429]
    browser = await tight.client()
    await browser.post("/api/v1/session", json={"email": user.email, "password": "correct horse battery"})
    assert await statuses(browser, SEARCH, 1) == [200]
    assert await statuses(await tight.as_role(Role.AGENT), SEARCH, 1) == [200]


async def test_who_tries_one_token_after_the_other_is_stopped_and_nobody_else(tight: Desk) -> None:
    known = await tight.as_role(Role.AGENT)
    assert await statuses(known, TICKETS, 1) == [200]
    stranger = await tight.client()
    guesses = [
        (await stranger.get(path, headers={"Authorization": f"Bearer dbt_{number}"})).status_code
        for number, path in enumerate((ME, TICKETS, ME, TICKETS, ME, TICKETS))
    ]
    assert guesses == [401] * 4 + [429] * 2
    assert (await stranger.post(TICKETS, json={}, headers={"Authorization": "Bearer dbt_x"})).status_code == 429
    assert await statuses(known, TICKETS, 1) == [200]
    transport = httpx.ASGITransport(app=tight.app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as elsewhere:
        assert await statuses(elsewhere, ME, 1, headers={"Authorization": "Bearer dbt_y"}) == [401]
    assert await statuses(await tight.client(), ME, 6) == [401] * 6


async def test_a_rate_may_be_off(tight: Desk) -> None:
    tight.app.state.rates = Rates(WebSettings(search_rate="off"), lambda: 0.0)
    assert await statuses(await tight.as_role(Role.AGENT), SEARCH, 30) == [200] * 30


async def test_each_dear_request_is_a_route_and_each_route_says_it_may_be_refused(desk: Desk) -> None:
    """A rate for a path that was renamed would limit nothing."""
    dear = {*EXPENSIVE, *EXPENSIVE_WITH}
    pages = {f"{method} {route.path}" for router in PAGES for route in router.routes for method in route.methods}
    assert dear <= _acts(desk.app) | pages
    described = desk.app.openapi()["paths"]
    for act in dear - pages:
        method, path = act.split(" ")
        assert "429" in described[path][method.lower()]["responses"], act


def _acts(app: FastAPI) -> set[str]:
    return {f"{method} {route.path}" for route in app.routes for method in getattr(route, "methods", None) or ()}  # type: ignore[attr-defined]
