"""Saved views in the browser: saved, shown, changed, put in order, deleted; errors stand beside their field."""

import re
from html import unescape

import pytest

from deskbell.accounts.models import Role
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio


async def saved(browser: Browser, name: str, **fields: object) -> str:
    answer = await browser.send("/views/new", None, name=name, **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def listed(page: str) -> list[str]:
    return re.findall(r'<a href="/views/\d+"><bdi>([^<]+)</bdi>', page)


async def test_a_search_becomes_a_view_with_its_columns_and_order(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: [f.ticket(title=title) for title in ("First card", "Second card")])
    form = (await agent.client.get("/views/new?q=card&sort=created-asc")).text
    assert 'name="query" value="card"' in form
    assert '<option value="created-asc" selected>' in form
    address = await saved(agent, "Cards", query="card", sort="created-asc", columns=["title", "tags"])
    page = (await agent.client.get(address)).text
    assert "<h1><bdi>Cards</bdi></h1>" in page
    assert page.index("First") < page.index("Second")
    assert re.findall(r'columnheader" scope="col" class="c-(\w+)"', page) == ["title", "tags"]
    assert f'href="{address}" aria-current="page"' in page


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"name": " "}, "name", "1 to 100 characters"),
        ({"name": "x", "query": "statsu:open"}, "query", "There is no field"),
        ({"name": "x", "sort": "colour"}, "sort", "cannot be"),
        ({"name": "x", "columns": ["colour"]}, "columns", "no column"),
        ({"name": "x", "shared_with": "team"}, "team_id", "Name the team"),
        ({"name": "x", "query": "sort:created", "sort": "priority"}, "sort", "leave the sort empty"),
    ],
)
async def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(
    agent: Browser, fields: dict[str, object], field: str, said: str
) -> None:
    answer = await agent.send("/views/new", None, **fields)
    assert answer.status_code == 422
    beside = answer.text.partition(f'id="wrong-{field}"')[2].partition("</p>")[0]
    assert said in unescape(beside)
    assert f'aria-describedby="wrong-{field}"' in answer.text
    assert f'value="{fields["name"]}"' in answer.text


async def test_views_are_put_in_order_changed_and_deleted(agent: Browser) -> None:
    one, two, three = [await saved(agent, name) for name in ("One", "Two", "Three")]
    for address, to in ((three, "up"), (three, "up"), (three, "up"), (one, "down"), (two, "down")):
        assert (await agent.send(f"{address}/move", to=to)).status_code == 303
    assert listed((await agent.client.get("/views")).text) == ["Three", "One", "Two"]
    await agent.send(f"{two}/move", to="down")
    assert listed((await agent.client.get("/views")).text) == ["Three", "One", "Two"]
    assert (await agent.send(f"{one}/edit", name="First", query="status:open")).status_code == 303
    assert 'value="status:open"' in (await agent.client.get(f"{one}/edit")).text
    assert (await agent.send(f"{two}/delete")).status_code == 303
    assert listed((await agent.client.get("/views")).text) == ["Three", "First"]
    assert (await agent.client.get(two)).status_code == 404


async def test_anothers_view_is_seen_where_it_is_shared_and_changed_by_its_owner_alone(desk: Pages) -> None:
    ada, bob = await desk.make(lambda f: (f.user(Role.AGENT), f.user(Role.AGENT)))
    team = await desk.make(lambda f: f.team(ada, bob, name="Cards"))
    mine, theirs = await desk.browser(ada), await desk.browser(bob)
    shared = await saved(mine, "For the team", shared_with="team", team_id=str(team.id))
    private = await saved(mine, "My own")
    assert listed((await theirs.client.get("/views")).text) == ["For the team"]
    assert (await theirs.client.get(shared)).status_code == 200
    assert (await theirs.client.get(private)).status_code == 404
    assert (await theirs.send(f"{shared}/edit", name="Taken")).status_code == 403
    for act in ("delete", "move"):
        assert (await theirs.send(f"{shared}/{act}", to="up")).status_code in {403, 404}
    assert listed((await mine.client.get("/views")).text) == ["For the team", "My own"]
