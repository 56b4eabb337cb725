"""Lists come in pages that neither repeat nor skip."""

import httpx
import pytest

from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
TICKETS = "/api/v1/tickets"


async def test_pages_stay_as_they_are_while_tickets_arrive(desk: Desk, agent: httpx.AsyncClient) -> None:
    owner = await desk.make(lambda f: f.user())
    made = [ticket.ticket_number for ticket in await desk.make(lambda f: [f.ticket(owner) for _ in range(7)])]
    seen: list[str] = []
    url: str | None = f"{TICKETS}?limit=3&sort=-created_at"
    while url:
        page = await agent.get(url)
        assert page.status_code == 200, page.text
        seen += [item["ticket_number"] for item in page.json()["items"]]
        url = page.links.get("next", {}).get("url")
        await desk.make(lambda f: f.ticket(owner))
    assert seen == made[::-1]


async def test_the_link_and_the_cursor_say_the_same(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: [f.ticket(message="A refund & more") for _ in range(3)])
    first = await agent.get(TICKETS, params={"limit": 2, "q": "refund"})
    by_link = await agent.get(first.links["next"]["url"])
    by_cursor = await agent.get(TICKETS, params={"limit": 2, "q": "refund", "cursor": first.json()["next_cursor"]})
    assert by_link.json() == by_cursor.json()
    assert by_link.json()["next_cursor"] is None
    assert "Link" not in by_link.headers


async def test_a_cursor_is_good_for_its_query_and_person_alone(
    desk: Desk, agent: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await desk.make(lambda f: [f.ticket() for _ in range(3)])
    cursor = (await agent.get(TICKETS, params={"limit": 2})).json()["next_cursor"]
    answers = [
        await agent.get(TICKETS, params={"cursor": cursor, "status": "open"}),
        await agent.get(TICKETS, params={"cursor": cursor, "sort": "created_at"}),
        await agent.get(TICKETS, params={"cursor": cursor[:-2]}),
        await agent.get(TICKETS, params={"cursor": "\x00"}),
        await agent.get("/api/v1/users", params={"cursor": cursor}),
        await admin.get(TICKETS, params={"cursor": cursor}),
    ]
    assert [(answer.status_code, answer.json()["field"]) for answer in answers] == [(422, "cursor")] * len(answers)


@pytest.mark.parametrize("path", ["users", "organizations", "teams", "tags", "tokens", "audit"])
async def test_every_list_pages(desk: Desk, admin: httpx.AsyncClient, path: str) -> None:
    await desk.make(lambda f: [f.user(organization=f.organization()) for _ in range(3)])
    for n in range(3):
        assert (await admin.post("/api/v1/teams", json={"name": f"Team {n}"})).status_code == 201
        assert (await admin.post("/api/v1/tags", json={"name": f"tag {n}"})).status_code == 201
        assert (await admin.post("/api/v1/tokens", json={"name": f"token {n}"})).status_code == 201
    seen: list[int] = []
    url: str | None = f"/api/v1/{path}?limit=2"
    while url:
        page = await admin.get(url)
        assert page.status_code == 200, page.text
        seen += [item["id"] for item in page.json()["items"]]
        url = page.links.get("next", {}).get("url")
    assert len(seen) >= 3
    assert seen in (sorted(set(seen)), sorted(set(seen), reverse=True))
