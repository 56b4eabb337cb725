"""The thread over HTTP."""

import httpx
import pytest

from deskbell.accounts.models import Role
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.copies import add_copies
from deskbell.tickets.models import Ticket
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio


async def test_a_reply_says_where_the_ticket_stands(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    url = f"/api/v1/tickets/{ticket.ticket_number}"
    replied = await agent.post(f"{url}/comments", json={"content": "Sent.", "status": "waiting_on_customer"})
    assert replied.status_code == 201, replied.text
    assert replied.json()["content"] == "Sent."
    assert replied.json()["author"]["is_staff"]
    found = await agent.get(url)
    assert found.json()["status"] == "waiting_on_customer"
    assert found.json()["comments"] == [replied.json()]
    assert replied.headers["ETag"] == f'"{found.json()["version"]}"'


async def test_a_note_can_move_the_status_too(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    url = f"/api/v1/tickets/{ticket.ticket_number}"
    noted = await agent.post(
        f"{url}/comments", json={"content": "Fraud?", "is_internal": True, "status": "in_progress"}
    )
    assert (noted.status_code, noted.json()["is_internal"]) == (201, True)
    assert (await agent.get(url)).json()["status"] == "in_progress"


async def test_customers_neither_see_nor_write_notes(desk: Desk) -> None:
    owner, agent = await desk.make(lambda f: (f.user(), f.user(Role.AGENT)))
    ticket = await desk.make(lambda f: f.ticket(owner))
    await desk.make(
        lambda f: (f.comment(ticket, agent, "public"), f.comment(ticket, agent, "secret", is_internal=True))
    )
    customer = await desk.as_(owner)
    url = f"/api/v1/tickets/{ticket.ticket_number}/comments"
    listed = await customer.get(url)
    assert [item["content"] for item in listed.json()["items"]] == ["public"]
    assert (await customer.post(url, json={"content": "x", "is_internal": True})).status_code == 403


async def test_comments_come_oldest_first_in_pages(desk: Desk, agent: httpx.AsyncClient) -> None:
    writer = await desk.make(lambda f: f.user(Role.AGENT))
    ticket = await desk.make(lambda f: f.ticket())
    await desk.make(lambda f: [f.comment(ticket, writer, f"number {n}") for n in range(5)])
    url: str | None = f"/api/v1/tickets/{ticket.ticket_number}/comments?limit=2"
    seen = []
    while url:
        page = await agent.get(url)
        seen += [item["content"] for item in page.json()["items"]]
        url = page.links.get("next", {}).get("url")
    assert seen == [f"number {n}" for n in range(5)]


@pytest.mark.parametrize("content", ["", "   ", "\u0000", None, 7])
async def test_an_empty_message_is_refused(desk: Desk, agent: httpx.AsyncClient, content: object) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    refused = await agent.post(f"/api/v1/tickets/{ticket.ticket_number}/comments", json={"content": content})
    assert refused.status_code == 422


@pytest.mark.parametrize(
    "markdown",
    ["[" * 100_001, ("a|" * 180 + "\n" + "-|" * 180 + "\n" + "|\n" * 360 + "\n") * 60],
    ids=["long", "tables"],
)
async def test_markdown_that_is_made_to_be_slow_is_refused(customer: httpx.AsyncClient, markdown: str) -> None:
    sent = {"description": markdown, "description_format": "markdown"}
    refused = await customer.post("/api/v1/tickets", json=sent)
    assert (refused.status_code, refused.json()["field"]) == (422, "description")
    assert (await customer.post("/api/v1/tickets", json={"description": markdown})).status_code == 201


async def test_a_link_that_is_defined_once_does_not_fill_the_memory(agent: httpx.AsyncClient) -> None:
    markdown = "[a]: /" + "x" * 40_000 + "\n\n" + "[a]" * 19_000
    opened = await agent.post("/api/v1/tickets", json={"description": markdown, "description_format": "markdown"})
    assert opened.status_code == 201, opened.text
    assert len(opened.json()["description_html"]) < 100_000 + 100


async def test_a_comment_that_would_cross_another_one_is_told_which(desk: Desk, agent: httpx.AsyncClient) -> None:
    owner, other = await desk.make(lambda f: (f.user(), f.user(Role.AGENT, full_name="Ravi Patel")))
    ticket = await desk.make(lambda f: f.ticket(owner))
    path = f"/api/v1/tickets/{ticket.ticket_number}/comments"
    news = await desk.make(lambda f: f.comment(ticket, other, "Wait", is_internal=True))
    crossing = {"content": "Hello", "seen_comment_id": 0, "seen_status": "open"}
    refused = await agent.post(path, json=crossing)
    assert (refused.status_code, refused.json()["code"]) == (409, "moved_on")
    assert [(it["id"], it["author"], it["content"]) for it in refused.json()["new_comments"]] == [
        (news.id, "Ravi Patel", "Wait")
    ]
    customer = await desk.as_(owner)
    assert (await customer.post(path, json=crossing)).status_code == 201, "a note is no news to them"
    assert (await agent.post(path, json={**crossing, "seen_comment_id": news.id + 1})).status_code == 201


async def test_a_comment_that_somebody_new_in_copy_would_read_is_told_who(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    path, seen = f"/api/v1/tickets/{ticket.ticket_number}/comments", {"content": "Hello", "seen_copy_id": 0}
    assert (await agent.post(path, json=seen)).status_code == 201

    def add(factory: Factory) -> int:
        with factory.database.transaction(SYSTEM) as session:
            return add_copies(session, session.get_one(Ticket, ticket.id), [("lee@example.test", "Lee")])[0].id

    copy_id = await desk.make(add)
    refused = await agent.post(path, json=seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "moved_on")
    assert refused.json()["new_copies"] == [{"id": copy_id, "email": "lee@example.test", "name": "Lee"}]
    assert (await agent.post(path, json={**seen, "seen_copy_id": copy_id})).status_code == 201
