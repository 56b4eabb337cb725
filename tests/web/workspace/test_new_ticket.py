"""A ticket opened for somebody: once, for whoever it is, with errors beside the fields."""

import re
from html import unescape

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.testing.factories import SYSTEM
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio
FORM = {"requester": "kim@example.test", "title": "No dial tone", "description": "**Nothing** rings."}


async def rows(desk: Pages, query: str) -> list[tuple[object, ...]]:
    async with desk.database.async_transaction(SYSTEM) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def key_of(browser: Browser) -> str:
    found = re.search(r'name="key" value="([^"]+)"', (await browser.client.get("/tickets/new")).text)
    assert found
    return found[1]


async def test_a_ticket_for_somebody_new(desk: Pages, agent: Browser) -> None:
    helper = await desk.make(lambda f: f.user(Role.AGENT))
    sent = await agent.send(
        "/tickets/new",
        None,
        **FORM,
        requester_name="Kim",
        priority="high",
        tags="phone, Phone ,line",
        assignee_id=str(helper.id),
    )
    assert sent.status_code == 303, sent.text
    [found] = await rows(
        desk,
        "select t.ticket_number, t.title, t.priority, t.status, t.channel, t.description_html,"
        " u.email, u.full_name, u.role"
        " from tickets t join users u on u.id = t.creator_id",
    )
    html = "<p><strong>Nothing</strong> rings.</p>\n"
    number = sent.headers["Location"].removeprefix("/tickets/")
    about = (number, "No dial tone", "high", "in_progress", "web", html)
    assert found == (*about, "kim@example.test", "Kim", "customer")
    assert await rows(desk, "select count(*) from ticket_tags") == [(2,)]


async def test_a_second_click_opens_no_second_ticket(desk: Pages, agent: Browser) -> None:
    key = await key_of(agent)
    first, second = [await agent.send("/tickets/new", None, **FORM, key=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    changed = await agent.send("/tickets/new", None, **{**FORM, "title": "Another"}, key=key)
    assert changed.status_code == 422
    assert "was sent before" in changed.text
    assert 'value="Another"' in changed.text
    assert await rows(desk, "select count(*) from tickets") == [(1,)]
    fresh = re.search(r'name="key" value="([^"]+)"', changed.text)
    assert fresh
    assert (await agent.send("/tickets/new", None, **{**FORM, "title": "Another"}, key=fresh[1])).status_code == 303


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"requester": ""}, "requester"),
        ({"requester": "kim"}, "requester"),
        ({"title": "  "}, "title"),
        ({"description": " "}, "description"),
        ({"tags": "x" * 101}, "tags"),
        ({"tags": ",".join(map(str, range(30)))}, "tags"),
        ({"assignee_id": "999999"}, ""),
    ],
)
async def test_an_error_stands_beside_its_field_and_nothing_is_opened(
    desk: Pages, agent: Browser, fields: dict[str, str], field: str
) -> None:
    key = await key_of(agent)
    answer = await agent.send("/tickets/new", None, **{**FORM, **fields}, key=key)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text if field else 'role="alert"' in answer.text
    assert await rows(desk, "select count(*) from tickets") == [(0,)]
    assert await rows(desk, "select count(*) from users where email = 'kim@example.test'") == [(0,)]
    assert unescape(answer.text).count("**Nothing** rings.") == (0 if "description" in fields else 1)
    assert (await agent.send("/tickets/new", None, **FORM, key=key)).status_code == 303, (
        "a refused form may be sent again"
    )
