"""Saved views over HTTP."""

from typing import Any

import httpx
import pytest

from deskbell.accounts.models import Role
from deskbell.testing.statements import count_statements
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
VIEWS = "/api/v1/views"


async def save(client: httpx.AsyncClient, name: str = "Mine", **fields: Any) -> dict[str, Any]:
    answer = await client.post(VIEWS, json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"{VIEWS}/{view['id']}"
    return view


async def test_a_view_is_saved_read_changed_and_deleted(agent: httpx.AsyncClient) -> None:
    saved = await save(agent, "Urgent", query="priority:urgent", columns=["number", "title"], sort="created")
    url = f"{VIEWS}/{saved['id']}"
    assert (await agent.get(url)).json() == saved
    assert (saved["shared_with"], saved["team"], saved["may_change"], saved["count"]) == ("nobody", None, True, None)
    assert saved["owner"]["full_name"]
    changed = await agent.patch(url, json={"name": "Urgent!", "shared_with": "everyone"})
    assert changed.status_code == 200, changed.text
    expected = saved | {"name": "Urgent!", "shared_with": "everyone", "updated_at": changed.json()["updated_at"]}
    assert changed.json() == expected
    assert (await agent.delete(url)).status_code == 204
    assert (await agent.get(url)).status_code == (await agent.delete(url)).status_code == 404


async def test_the_tickets_of_a_view_look_as_in_the_list(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: [f.ticket(message=f"card {n}") for n in range(5)])
    await desk.make(lambda f: f.ticket(message="bill"))
    view = await save(agent, query="card", sort="created-asc")
    listed = (await agent.get("/api/v1/tickets", params={"q": "card", "sort": "created_at"})).json()["items"]
    assert len(listed) == 5
    seen: list[Any] = []
    following: str | None = f"{VIEWS}/{view['id']}/tickets?limit=2"
    while following:
        page = await agent.get(following)
        assert page.status_code == 200, page.text
        seen += page.json()["items"]
        following = page.links.get("next", {}).get("url")
    assert seen == listed


async def test_counts_come_beside_the_views_and_alone(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: [f.ticket(message="card") for _ in range(3)])
    first, second = await save(agent, "Cards", query="card"), await save(agent, "Closed", query="status:closed")
    views = (await agent.get(VIEWS, params={"counts": "true"})).json()["items"]
    counts = [
        {"view_id": first["id"], "count": 3, "exact": True, "text": "3", "error": None},
        {"view_id": second["id"], "count": 0, "exact": True, "text": "0", "error": None},
    ]
    assert [view["count"] for view in views] == counts
    assert (await agent.get(f"{VIEWS}/counts")).json() == {"items": counts}
    assert [view["count"] for view in (await agent.get(VIEWS)).json()["items"]] == [None, None]


async def test_twenty_counts_take_as_many_statements_as_one(desk: Desk, agent: httpx.AsyncClient) -> None:
    costs = []
    for number in (1, 19):
        for n in range(number):
            await save(agent, query=f"card {n}")
        with count_statements(desk.database.async_engine.sync_engine) as statements:
            assert (await agent.get(f"{VIEWS}/counts")).status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1]


async def test_the_list_pages_in_the_order_of_its_owner(agent: httpx.AsyncClient) -> None:
    ids = [(await save(agent, f"View {n}"))["id"] for n in range(4)]
    order = [ids[2], ids[0]]
    assert (await agent.post(f"{VIEWS}/order", json={"ids": order})).status_code == 204
    seen: list[int] = []
    following: str | None = f"{VIEWS}?limit=3"
    while following:
        page = await agent.get(following)
        seen += [view["id"] for view in page.json()["items"]]
        following = page.links.get("next", {}).get("url")
    assert seen == [*order, ids[1], ids[3]]


async def test_who_sees_and_changes_a_view(desk: Desk, agent: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    mate, stranger = await desk.make(lambda f: (f.user(Role.AGENT), f.user(Role.AGENT)))
    me = (await agent.get("/api/v1/me")).json()["id"]
    team = await desk.make(lambda f: f.team(mate))
    assert (await admin.put(f"/api/v1/teams/{team.id}/members/{me}")).status_code == 204
    private = f"{VIEWS}/{(await save(agent))['id']}"
    shared = f"{VIEWS}/{(await save(agent, shared_with='team', team_id=team.id))['id']}"
    one, other = await desk.as_(mate), await desk.as_(stranger)
    reads = [[(await who.get(url)).status_code for url in (private, shared)] for who in (agent, admin, one, other)]
    assert reads == [[200, 200], [200, 200], [404, 200], [404, 404]]
    for path in ("", "/tickets"):
        assert (await one.get(private + path)).status_code == 404
        assert (await one.get(shared + path)).status_code == 200
    assert (await one.get(shared)).json()["may_change"] is False
    assert (await one.get(shared)).json()["team"]["id"] == team.id
    writes = [(await who.patch(shared, json={"name": "x"})).status_code for who in (agent, admin, one, other)]
    assert writes == [200, 200, 403, 404]
    assert [(await who.delete(shared)).status_code for who in (other, one, admin)] == [404, 403, 204]


async def test_customers_and_strangers_have_no_views(
    desk: Desk, agent: httpx.AsyncClient, customer: httpx.AsyncClient
) -> None:
    url = f"{VIEWS}/{(await save(agent, shared_with='everyone'))['id']}"
    nobody = await desk.client()
    for client, status in ((customer, 403), (nobody, 401)):
        answers = [
            await client.get(VIEWS),
            await client.get(f"{VIEWS}/counts"),
            await client.post(VIEWS, json={"name": "x"}),
            await client.post(f"{VIEWS}/order", json={"ids": []}),
            await client.get(url),
            await client.get(f"{url}/tickets"),
            await client.patch(url, json={"name": "x"}),
            await client.delete(url),
        ]
        assert [answer.status_code for answer in answers] == [status] * len(answers)


@pytest.mark.parametrize(
    ("body", "field", "position"),
    [
        ({"name": "x", "query": "status:opn"}, "query", 7),
        ({"name": "x", "sort": "updated,nonsense"}, "sort", 8),
        ({"name": "x", "columns": ["titel"]}, "columns", None),
        ({"name": " "}, "name", None),
        ({"name": "x", "shared_with": "team"}, "team_id", None),
        ({"name": "x", "shared_with": "team", "team_id": 2**62}, "team_id", None),
    ],
)
async def test_what_makes_no_sense_says_where(
    agent: httpx.AsyncClient, body: dict[str, Any], field: str, position: int | None
) -> None:
    url = f"{VIEWS}/{(await save(agent))['id']}"
    for answer in (await agent.post(VIEWS, json=body), await agent.patch(url, json=body)):
        problem = answer.json()
        assert (answer.status_code, problem.get("field"), problem.get("position")) == (422, field, position), problem


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": None},
        {"name": "x" * 101},
        {"name": "x", "query": "x" * 5001},
        {"name": "x", "columns": ["number"] * 21},
        {"name": "x", "columns": "number"},
        {"name": "x", "team_id": 0},
        {"name": "x", "team_id": 2**63},
        {"name": "x", "team_id": "1"},
        {"name": "x", "shared_with": "all"},
        {"name": "x", "owner_id": 1},
        {"name": "x", "position": 1},
        [],
    ],
)
async def test_what_is_no_view_is_refused(agent: httpx.AsyncClient, body: Any) -> None:
    assert (await agent.post(VIEWS, json=body)).status_code == 422


@pytest.mark.parametrize(("view_id", "status"), [(0, 422), (-1, 422), (2**63, 422), (2**63 - 1, 404), ("x", 422)])
async def test_an_id_that_nothing_has(agent: httpx.AsyncClient, view_id: object, status: int) -> None:
    url = f"{VIEWS}/{view_id}"
    answers = [
        await agent.get(url),
        await agent.get(f"{url}/tickets"),
        await agent.patch(url, json={"name": "x"}),
        await agent.delete(url),
    ]
    assert [answer.status_code for answer in answers] == [status] * 4


@pytest.mark.parametrize(("ids", "status"), [([0], 422), ([2**63], 422), ([1, 1], 422), ([2**62], 404), (None, 422)])
async def test_an_order_of_what_is_not_yours(agent: httpx.AsyncClient, ids: Any, status: int) -> None:
    assert (await agent.post(f"{VIEWS}/order", json={"ids": ids})).status_code == status


async def test_a_cursor_of_one_view_is_not_one_of_another(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: [f.ticket() for _ in range(3)])
    first, second = await save(agent), await save(agent)
    cursor = (await agent.get(f"{VIEWS}/{first['id']}/tickets", params={"limit": 1})).json()["next_cursor"]
    answer = await agent.get(f"{VIEWS}/{second['id']}/tickets", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


async def test_a_hostile_name_comes_back_as_text(agent: httpx.AsyncClient) -> None:
    for name in ("<script>alert(1)</script>", "'; drop table saved_views --", "\\ % _", "😀" * 100):
        assert (await save(agent, name))["name"] == name
    assert (await save(agent, "a\x00b\r\nc"))["name"]
