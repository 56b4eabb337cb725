"""The past of a ticket over HTTP: what happened, and what it was like."""

from typing import Any

import httpx
import pytest

from deskbell.accounts.models import Role
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio


async def story(desk: Desk) -> tuple[httpx.AsyncClient, str]:
    colleague = await desk.make(lambda f: f.user(Role.AGENT, full_name="Alex Agent"))
    ticket = await desk.make(lambda f: f.ticket(title="A card"))
    agent, url = await desk.as_(colleague), f"/api/v1/tickets/{ticket.ticket_number}"
    await agent.patch(url, json={"status": "in_progress"})
    await agent.post(f"{url}/comments", json={"content": "Hello", "status": "resolved"})
    await agent.put(f"{url}/tags/billing")
    return agent, url


async def pages(client: httpx.AsyncClient, url: str, **parameters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    following: str | None = str(httpx.URL(url, params=parameters))
    while following:
        page = await client.get(following)
        assert page.status_code == 200, page.text
        items += page.json()["items"]
        following = page.links.get("next", {}).get("url")
    return items


@pytest.mark.parametrize("limit", [1, 50])
async def test_people_are_told_what_each_act_did(desk: Desk, limit: int) -> None:
    agent, url = await story(desk)
    acts = await pages(agent, f"{url}/history", limit=limit)
    assert [act["summary"] for act in acts] == [
        "added the tag billing",
        "wrote a reply, changed status",
        "changed status",
        "opened the ticket",
    ]
    assert (acts[1]["actor"], acts[1]["channel"]) == ("Alex Agent", "api")
    assert acts[1]["act"] == "POST /api/v1/tickets/{number}/comments"
    assert [change["what"] for change in acts[1]["changes"]] == ["comment", "ticket"]
    assert acts[1]["changes"][1]["fields"] == [{"field": "status", "old": "in_progress", "new": "resolved"}]
    assert acts[-1]["actor"] is None


async def test_programs_are_given_the_entries(desk: Desk) -> None:
    agent, url = await story(desk)
    entries = await pages(agent, f"{url}/history", shape="programs", limit=2)
    assert entries == await pages(agent, f"{url}/audit")
    assert [entry["table_name"] for entry in entries] == ["ticket_tags", "tickets", "comments", "tickets", "tickets"]


async def test_a_cursor_of_one_shape_is_not_one_of_the_other(desk: Desk) -> None:
    agent, url = await story(desk)
    cursor = (await agent.get(f"{url}/history", params={"limit": 1})).json()["next_cursor"]
    answer = await agent.get(f"{url}/history", params={"limit": 1, "cursor": cursor, "shape": "programs"})
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


async def test_a_ticket_can_be_read_as_it_was(desk: Desk) -> None:
    agent, url = await story(desk)
    acts = (await agent.get(f"{url}/history")).json()["items"][::-1]
    then = [(await agent.get(f"{url}/as-of", params={"at": act["at"]})).json() for act in acts]
    assert [(it["status"], len(it["comments"]), [tag["name"] for tag in it["tags"]]) for it in then] == [
        ("open", 0, []),
        ("in_progress", 0, []),
        ("resolved", 1, []),
        ("resolved", 1, ["billing"]),
    ]
    now = (await agent.get(url)).json()
    last = then[-1]
    same = last.keys() & now.keys() - {"comments"}
    assert {name: last[name] for name in same} == {name: now[name] for name in same}
    assert now.keys() - last.keys() == {"version", "updated_at"}
    assert last["comments"][0]["author"]["full_name"] == "Alex Agent"


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-20T14:05:00",
        "2026-11-20",
        "yesterday",
        "",
        "\x00",
        "99999-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "1e400",
        None,
    ],
)
async def test_a_time_that_is_none_is_refused(desk: Desk, at: str | None) -> None:
    agent, url = await story(desk)
    answer = await agent.get(f"{url}/as-of", params={} if at is None else {"at": at})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "at"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "-1", "0"])
async def test_before_it_was_there_it_is_not_found(desk: Desk, at: str) -> None:
    agent, url = await story(desk)
    answer = await agent.get(f"{url}/as-of", params={"at": at})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_ticket")
    assert "and not before" in answer.json()["detail"]


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "2999-01-01T00:00:00Z"])
async def test_the_future_is_as_it_is_now(desk: Desk, at: str) -> None:
    agent, url = await story(desk)
    assert (await agent.get(f"{url}/as-of", params={"at": at})).json()["status"] == "resolved"


@pytest.mark.parametrize("what", ["history", "history?shape=programs", "as-of?at=2999-01-01T00:00:00Z"])
async def test_the_past_is_for_the_desk_alone(desk: Desk, customer: httpx.AsyncClient, what: str) -> None:
    opened = (await customer.post("/api/v1/tickets", json={"description": "x"})).json()["ticket_number"]
    assert (await customer.get(f"/api/v1/tickets/{opened}/{what}")).status_code == 403
    assert (await (await desk.client()).get(f"/api/v1/tickets/{opened}/{what}")).status_code == 401


@pytest.mark.parametrize("what", ["history", "history?shape=programs", "as-of?at=2999-01-01T00:00:00Z"])
async def test_a_ticket_that_is_not_there_has_no_past(agent: httpx.AsyncClient, what: str) -> None:
    for number, status in (("DB-99999", 404), (f"DB-{'9' * 19}", 404), ("nonsense", 422)):
        answer = await agent.get(f"/api/v1/tickets/{number}/{what}")
        assert answer.status_code == status, answer.text


async def test_an_unknown_shape_is_refused(desk: Desk) -> None:
    agent, url = await story(desk)
    assert (await agent.get(f"{url}/history", params={"shape": "square"})).status_code == 422
    assert (await agent.get(f"{url}/history", params={"limit": 0})).status_code == 422
