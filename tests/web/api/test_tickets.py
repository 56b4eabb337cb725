"""Tickets over HTTP: what each kind of person can do with them."""

import httpx
import pytest

from deskbell.accounts.models import Role
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
TICKETS = "/api/v1/tickets"


async def test_a_customer_opens_a_ticket_and_reads_it_back(customer: httpx.AsyncClient) -> None:
    opened = await customer.post(TICKETS, json={"description": "My card has not arrived.\nPlease help."})
    assert opened.status_code == 201, opened.text
    assert opened.json()["title"] == "My card has not arrived."
    assert opened.json()["channel"] == "api"
    read = await customer.get(opened.headers["Location"])
    assert read.status_code == 200
    assert read.json() == opened.json()
    assert read.headers["ETag"] == opened.headers["ETag"]


async def test_the_desk_opens_a_ticket_for_an_address_that_becomes_a_customer(agent: httpx.AsyncClient) -> None:
    wanted = {"description": "They called.", "requester_email": "New@Example.test", "requester_name": "Nia New"}
    opened = await agent.post(TICKETS, json=wanted)
    assert opened.status_code == 201, opened.text
    assert opened.json()["requester"]["email"] == "New@Example.test"
    again = await agent.post(TICKETS, json={**wanted, "requester_email": "new@example.test"})
    assert again.json()["requester"]["id"] == opened.json()["requester"]["id"]


async def test_a_customer_opens_tickets_for_nobody_else(desk: Desk, customer: httpx.AsyncClient) -> None:
    other = await desk.make(lambda f: f.user())
    by_id = await customer.post(TICKETS, json={"description": "Hello", "requester_id": other.id})
    assert (by_id.status_code, by_id.json()["field"]) == (422, "requester_id")
    by_email = await customer.post(TICKETS, json={"description": "Hello", "requester_email": "x@example.test"})
    assert by_email.status_code == 403


async def test_markdown_is_kept_as_written_and_shown_without_scripts(customer: httpx.AsyncClient) -> None:
    wanted = {"description": "**bold** <script>alert(1)</script>", "description_format": "markdown"}
    opened = (await customer.post(TICKETS, json=wanted)).json()
    assert opened["description"] == wanted["description"]
    assert "<strong>bold</strong>" in opened["description_html"]
    assert "<script" not in opened["description_html"]


async def test_nul_bytes_and_lone_surrogates_are_cleaned_away(customer: httpx.AsyncClient) -> None:
    body = b'{"description": "a\\u0000b \\ud800 c", "title": "t\\u0000\\udfff"}'
    opened = await customer.post(TICKETS, content=body, headers={"Content-Type": "application/json"})
    assert opened.status_code == 201, opened.text
    assert opened.json()["description"] == "ab \ufffd c"
    assert opened.json()["title"] == "t\ufffd"


async def test_the_desk_changes_several_facts_at_once(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket, colleague = await desk.make(lambda f: (f.ticket(), f.user(Role.AGENT)))
    changes = {"title": "Late card", "priority": "urgent", "assignee_id": colleague.id, "status": "resolved"}
    changed = await agent.patch(f"{TICKETS}/{ticket.ticket_number}", json=changes)
    assert changed.status_code == 200, changed.text
    found = changed.json()
    assert (found["title"], found["priority"], found["status"]) == ("Late card", "urgent", "resolved")
    assert found["assignee"]["id"] == colleague.id
    assert found["resolved_at"] is not None
    assert (await agent.get(f"{TICKETS}/{ticket.ticket_number}")).json() == found


async def test_null_takes_the_assignee_away_and_nothing_leaves_them(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket, colleague = await desk.make(lambda f: (f.ticket(), f.user(Role.AGENT)))
    url = f"{TICKETS}/{ticket.ticket_number}"
    await agent.patch(url, json={"assignee_id": colleague.id})
    assert (await agent.patch(url, json={"priority": "high"})).json()["assignee"]["id"] == colleague.id
    assert (await agent.patch(url, json={"assignee_id": None})).json()["assignee"] is None
    assert (await agent.patch(url, json={"title": None})).status_code == 422


@pytest.mark.parametrize("changes", [{"priority": "high"}, {"title": "Mine"}, {"assignee_id": None}, {"team_id": None}])
async def test_a_customer_may_resolve_a_ticket_and_change_nothing_else(
    desk: Desk, changes: dict[str, str | None]
) -> None:
    owner = await desk.make(lambda f: f.user())
    ticket, customer = await desk.make(lambda f: f.ticket(owner)), await desk.as_(owner)
    url = f"{TICKETS}/{ticket.ticket_number}"
    assert (await customer.patch(url, json=changes)).status_code == 403
    assert (await customer.patch(url, json={"status": "closed"})).status_code == 403
    assert (await customer.patch(url, json={"status": "resolved"})).json()["status"] == "resolved"


async def test_a_strangers_ticket_is_not_there(desk: Desk, customer: httpx.AsyncClient) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    url = f"{TICKETS}/{ticket.ticket_number}"
    answers = [
        await customer.get(url),
        await customer.patch(url, json={"status": "closed"}),
        await customer.delete(url),
        await customer.post(f"{url}/restore"),
        await customer.get(f"{url}/comments"),
        await customer.post(f"{url}/comments", json={"content": "Hello"}),
        await customer.post(f"{url}/attachments", files={"file": ("a.txt", b"a")}),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert {answer.json()["code"] for answer in answers} == {"no_such_ticket"}
    assert (await customer.get(TICKETS)).json()["items"] == []


async def test_customers_see_neither_tags_nor_addresses_of_agents(desk: Desk, agent: httpx.AsyncClient) -> None:
    owner = await desk.make(lambda f: f.user())
    ticket = await desk.make(lambda f: f.ticket(owner))
    url = f"{TICKETS}/{ticket.ticket_number}"
    me = (await agent.get("/api/v1/me")).json()
    await agent.put(f"{url}/tags/secret")
    await agent.patch(url, json={"assignee_id": me["id"]})
    seen = (await (await desk.as_(owner)).get(url)).json()
    assert seen["tags"] == []
    assert seen["assignee"] == {"id": me["id"], "full_name": me["full_name"], "email": None, "is_staff": True}
    assert seen["requester"]["email"] == owner.email


async def test_a_deleted_ticket_can_be_restored(desk: Desk, agent: httpx.AsyncClient) -> None:
    owner = await desk.make(lambda f: f.user())
    ticket, customer = await desk.make(lambda f: f.ticket(owner)), await desk.as_(owner)
    url = f"{TICKETS}/{ticket.ticket_number}"
    assert (await customer.delete(url)).status_code == 403
    assert [(await agent.delete(url)).status_code for _ in range(2)] == [204, 204]
    assert (await customer.get(url)).status_code == 404
    assert (await agent.get(TICKETS)).json()["items"] == []
    assert (await agent.get(url)).json()["deleted_at"] is not None
    refused = await agent.patch(url, json={"priority": "low"})
    assert (refused.status_code, refused.json()["code"]) == (409, "ticket_deleted")
    assert (await agent.post(f"{url}/restore")).json()["deleted_at"] is None
    assert (await customer.get(url)).status_code == 200


async def test_the_list_is_searched_and_filtered(desk: Desk, agent: httpx.AsyncClient) -> None:
    refund, card = await desk.make(lambda f: (f.ticket(message="A refund failed."), f.ticket(message="Lost card.")))
    await agent.patch(f"{TICKETS}/{card.ticket_number}", json={"status": "closed"})

    async def numbers(**params: str) -> list[str]:
        return [item["ticket_number"] for item in (await agent.get(TICKETS, params=params)).json()["items"]]

    assert await numbers(q="refund") == [refund.ticket_number]
    assert await numbers(q="status:closed") == [card.ticket_number]
    assert await numbers(status="closed") == [card.ticket_number]
    assert await numbers(sort="created_at") == [refund.ticket_number, card.ticket_number]


async def test_the_list_goes_on_in_the_order_that_the_query_says(desk: Desk, agent: httpx.AsyncClient) -> None:
    tickets = await desk.make(lambda f: [f.ticket() for _ in range(3)])
    for ticket, priority in zip(tickets, ("low", "urgent", "high"), strict=True):
        await agent.patch(f"{TICKETS}/{ticket.ticket_number}", json={"priority": priority})
    for query, expected in (("sort:priority", ["urgent", "high", "low"]), ("sort:number", ["low", "urgent", "high"])):
        params, found = {"q": query, "limit": "1"}, []
        for _ in expected:
            page = (await agent.get(TICKETS, params=params)).json()
            found += [item["priority"] for item in page["items"]]
            params["cursor"] = page["next_cursor"]
        assert found == expected


async def test_a_mistake_in_the_query_is_pointed_at(agent: httpx.AsyncClient) -> None:
    refused = await agent.get(TICKETS, params={"q": "colour:blue"})
    assert refused.status_code == 422
    assert isinstance(refused.json()["position"], int)


@pytest.mark.parametrize("number", ["DB-999999", "db-1", "DB-%00", "' or 1=1", "DB-" + "9" * 60, "10"])
async def test_a_number_that_nothing_has_is_404_or_422(agent: httpx.AsyncClient, number: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = await agent.request(method, f"{TICKETS}/{number}", json={} if method == "PATCH" else None)
        assert answer.status_code in {404, 422}, answer.text
