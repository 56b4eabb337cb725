"""Changing many tickets from the list: the preview says what happens, and what happens is told."""

import re
from html import unescape

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.testing.factories import SYSTEM
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio


async def rows(desk: Pages, query: str) -> list[tuple[object, ...]]:
    async with desk.database.async_transaction(SYSTEM) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def write(desk: Pages, statement: str, ticket_id: int) -> None:
    """Change a ticket as somebody else would."""
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.execute(text(statement), {"id": ticket_id})


def hidden(page: str) -> dict[str, object]:
    """What the form that makes the change holds."""
    form = page.partition('<form class="row" method="post" action="/tickets/bulk">')[2].partition("</form>")[0]
    fields: dict[str, object] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form):
        if name == "ids":
            fields.setdefault("ids", []).append(value)  # type: ignore[attr-defined]
        elif name != "csrf_token":
            fields[name] = unescape(value)
    return fields


def told(page: str) -> str:
    notice = re.search(r'<div class="notice[^>]*role="status">.*?<p>(.*?)</p>', page, re.DOTALL)
    return unescape(notice[1]) if notice else ""


async def test_a_preview_says_what_happens_and_then_it_does(desk: Pages, agent: Browser) -> None:
    ids = await desk.make(lambda f: f.tickets(5))
    await write(desk, "update tickets set status = 'resolved' where id = :id", ids[0])
    await write(desk, "update tickets set deleted_at = now() where id = :id", ids[1])
    chosen = "&".join(f"ids={number}" for number in [*ids, 999_999])
    page = (await agent.client.get(f"/tickets/bulk?act=status&value=resolved&{chosen}&back=/tickets?q=x")).text
    plain = re.sub(r"<[^>]+>", "", page)
    assert "3 tickets change." in plain
    assert "1 is so already" in plain
    assert "1 cannot: it is deleted." in plain
    assert "1 cannot: there is no such ticket." in plain
    sent = await agent.send("/tickets/bulk", None, **hidden(page))
    assert sent.status_code == 303
    assert sent.headers["Location"].startswith("/tickets?q=x&done=")
    shown = told((await agent.client.get(sent.headers["Location"])).text)
    assert shown.startswith("3 tickets were changed. 1 was so already. 1 was not: it is deleted. Restore it first.")
    assert await rows(desk, "select count(distinct operation_id), count(*) from audit_logs where channel = 'web'") == [
        (1, 3)
    ]


async def test_what_somebody_else_did_since_the_preview_is_told(desk: Pages, agent: Browser) -> None:
    ids = await desk.make(lambda f: f.tickets(3))
    chosen = "&".join(f"ids={number}" for number in ids)
    page = (await agent.client.get(f"/tickets/bulk?act=priority&value=urgent&{chosen}")).text
    await write(desk, "update tickets set priority = 'urgent' where id = :id", ids[2])
    [(number,)] = await rows(desk, "select ticket_number from tickets where priority = 'urgent'")
    sent = await agent.send("/tickets/bulk", None, **hidden(page))
    shown = told((await agent.client.get(sent.headers["Location"])).text)
    assert shown == (
        f"2 tickets were changed. 1 was so already. Somebody else changed 1 since you looked: {number}. "
        "The preview said 3."
    )


async def test_all_that_match_are_found_by_the_server(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: f.tickets(120))
    await desk.make(lambda f: f.ticket(title="Another", message="zebra"))
    page = (await agent.client.get("/tickets/bulk?act=tag&value=spring&all=true&q=Message")).text
    assert "120" in re.sub(r"<[^>]+>", "", page)
    assert await rows(desk, "select count(*) from tags") == [(0,)], "a preview makes no tag"
    sent = await agent.send("/tickets/bulk", None, **hidden(page))
    assert sent.status_code == 303
    assert await rows(desk, "select count(*) from ticket_tags") == [(120,)]
    again = (await agent.client.get("/tickets/bulk?act=untag&value=SPRING&all=true&q=tag:spring")).text
    await agent.send("/tickets/bulk", None, **hidden(again))
    assert await rows(desk, "select count(*) from ticket_tags") == [(0,)]


async def test_deleted_tickets_are_restored_and_assigned_ones_are_in_progress(desk: Pages, agent: Browser) -> None:
    helper = await desk.make(lambda f: f.user(Role.AGENT))
    ids = await desk.make(lambda f: f.tickets(3))
    chosen = "&".join(f"ids={number}" for number in ids)
    for act, query, expected in (
        (f"act=assign&value={helper.id}", f"status = 'in_progress' and assignee_id = {helper.id}", 3),
        ("act=assign&value=nobody", "assignee_id is null", 3),
        ("act=delete", "deleted_at is not null", 3),
        ("act=restore", "deleted_at is null", 3),
    ):
        page = (await agent.client.get(f"/tickets/bulk?{act}&{chosen}")).text
        assert (await agent.send("/tickets/bulk", None, **hidden(page))).status_code == 303
        assert await rows(desk, f"select count(*) from tickets where {query}") == [(expected,)]  # noqa: S608 - of this test


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("act=status&value=open", "No ticket is selected"),
        ("act=status&value=broken&ids=1", "status cannot be"),
        ("act=assign&value=999999&ids=1", "There is no user"),
        ("act=assign&value=x&ids=1", "is no agent"),
        ("act=tag&value=%20&ids=1", "A tag needs a name"),
        ("act=status&value=open&all=true&q=statsu:x", "There is no field"),
        ("act=status&value=open&all=true&q=number:1", "finds no ticket any more"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(agent: Browser, asked: str, said: str) -> None:
    page = await agent.client.get(f"/tickets/bulk?{asked}")
    assert page.status_code == 422
    assert said in unescape(page.text)
    fields = dict(pair.split("=", 1) for pair in asked.replace("%20", " ").split("&"))
    sent = await agent.send("/tickets/bulk", None, **fields)
    assert sent.status_code == 422
    assert said in unescape(sent.text)


async def test_one_is_not_led_away_to_another_site(desk: Pages, agent: Browser) -> None:
    [one] = await desk.make(lambda f: f.tickets(1))
    sent = await agent.send("/tickets/bulk", act="delete", ids=str(one), back="//evil.example/x")
    assert sent.headers["Location"].startswith("/tickets?done=")


async def test_an_outcome_that_somebody_made_up_is_not_told(agent: Browser) -> None:
    page = await agent.client.get("/tickets?done=eyJjaGFuZ2VkIjo5OX0.abc")
    assert page.status_code == 200
    assert told(page.text) == ""


async def test_without_a_token_nothing_is_changed(desk: Pages, agent: Browser) -> None:
    [one] = await desk.make(lambda f: f.tickets(1))
    assert (await agent.client.post("/tickets/bulk", data={"act": "delete", "ids": str(one)})).status_code == 403
    assert await rows(desk, "select count(*) from tickets where deleted_at is null") == [(1,)]
