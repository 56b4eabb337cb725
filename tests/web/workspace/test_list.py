"""The list: what it shows, in how many statements, in which order, and to whom."""

import re
from functools import partial
from html import unescape

import pytest

from deskbell.accounts.models import Role, User
from deskbell.testing.factories import Factory
from deskbell.testing.statements import count_statements
from deskbell.tickets.models import Ticket
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio
HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}\u202e'


def titles(page: str) -> list[str]:
    """The tickets of a list, as it shows them."""
    return [
        unescape(re.sub(r"<[^>]*>", "", title))
        for title in re.findall(r'<a href="/tickets/[^"]+" title[^>]*>(.*?)</a>', page)
    ]


def answered(count: int, owner: User, colleague: User, factory: Factory) -> None:
    for number in range(count):
        ticket = factory.ticket(owner, title=f"Ticket {number}")
        factory.comment(ticket, colleague, "An answer.")


async def cost(desk: Pages, browser: Browser, url: str) -> int:
    with count_statements(desk.database.async_engine.sync_engine) as statements:
        answer = await browser.client.get(url)
    assert answer.status_code == 200, answer.text
    return len(statements)


@pytest.mark.parametrize("url", ["/tickets", "/tickets?q=message", "/tickets?q=status:open&sort=priority"])
async def test_fifty_rows_cost_what_one_costs(desk: Pages, url: str) -> None:
    owner, colleague = await desk.make(lambda f: (f.user(organization=f.organization()), f.user(Role.AGENT)))
    browser = await desk.browser(colleague)
    await desk.make(partial(answered, 7, owner, colleague))
    few = await cost(desk, browser, url)
    await desk.make(partial(answered, 43, owner, colleague))
    assert await cost(desk, browser, url) == few


async def test_the_list_shows_who_spoke_last_and_never_that_a_note_was_left(desk: Pages, agent: Browser) -> None:
    def write(factory: Factory) -> None:
        ticket, helper = factory.ticket(title="Broken"), factory.user(Role.AGENT, full_name="Ada Helper")
        factory.comment(ticket, helper, "An answer.")
        factory.comment(ticket, factory.user(Role.AGENT, full_name="Nobody Noted"), "A note.", is_internal=True)

    await desk.make(write)
    page = (await agent.client.get("/tickets")).text
    assert "by the desk:" in page
    assert "Ada Helper" in page
    assert "Nobody Noted" not in page


async def test_pages_lead_on_and_back_to_where_one_came_from(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: f.tickets(120))
    address, seen = "/tickets", []
    while True:
        page = (await agent.client.get(address)).text
        seen.append(titles(page))
        following = re.search(r'rel="next"[^>]*href="([^"]+)"', page)
        if following is None:
            break
        address = unescape(following[1])
    assert [len(rows) for rows in seen] == [50, 50, 20]
    for earlier in reversed(seen[:-1]):
        previous = re.search(r'rel="prev"[^>]*href="([^"]+)"', page)
        assert previous
        page = (await agent.client.get(unescape(previous[1]))).text
        assert titles(page) == earlier
    assert 'rel="prev"' not in page


async def test_heads_sort_and_say_so(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: [f.ticket(title=title) for title in ("First", "Second")])
    page = (await agent.client.get("/tickets?sort=created-asc")).text
    assert titles(page) == ["First", "Second"]
    assert 'aria-sort="ascending"' in page
    head = re.search(r'c-created" aria-sort="ascending"><a href="([^"]+)"', page)
    assert head
    assert titles((await agent.client.get(unescape(head[1]))).text) == ["Second", "First"]
    assert titles((await agent.client.get("/tickets?q=sort:created&sort=created-asc")).text) == ["First", "Second"]


async def test_what_was_searched_for_is_marked_in_the_title_and_beneath_it(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: f.ticket(title="A <b>refund</b>", message="Please send the refund <i>now</i>."))
    page = (await agent.client.get("/tickets?q=refund")).text
    assert "&lt;b&gt;<mark>refund</mark>&lt;/b&gt;" in page
    assert '<p class="snippet" dir="auto">' in page
    assert "<i>now" not in page


async def test_an_error_is_marked_and_what_was_meant_is_a_click_away(agent: Browser) -> None:
    page = await agent.client.get("/tickets?q=card statsu:open")
    assert page.status_code == 422
    assert "card <mark>" in page.text
    assert 'data-position="5" data-end="11"' in page.text
    assert 'href="/tickets?q=card+status%3Aopen"' in page.text


async def test_hostile_text_is_text_everywhere(desk: Pages, agent: Browser) -> None:
    def write(factory: Factory) -> None:
        owner = factory.user(full_name=HOSTILE)
        ticket = factory.ticket(owner, title=HOSTILE, message=HOSTILE)
        factory.comment(ticket, owner, HOSTILE)

    await desk.make(write)
    view = (await agent.send("/views/new", name=HOSTILE, query="status:open")).headers["Location"]
    for url in ("/tickets", "/tickets?q=script", "/views", "/tickets/bulk?act=status&all=true&value=open", view):
        page = (await agent.client.get(url)).text
        assert "<script>alert" not in page, url
        assert ">49" not in page, url
    for url in ("/tickets?q=", "/tickets/new?requester=", "/views/new?q=", "/tickets/bulk?act=tag&all=true&q="):
        page = (await agent.client.get(url + '"><script>alert(1)</script>')).text
        assert "<script>alert" not in page, url


async def test_every_column_can_be_shown(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: f.ticket(title="Broken"))
    names = (await agent.client.get("/views/new")).text
    columns = re.findall(r'name="columns" value="(\w+)"', names)
    saved = await agent.send("/views/new", name="All columns", query="", columns=columns)
    assert saved.status_code == 303
    page = (await agent.client.get(saved.headers["Location"])).text
    assert re.findall(r'<td role="cell" class="c-(\w+)"', page) == [name for name in columns if name != "title"]


async def test_counts_and_totals_come_for_themselves(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: f.tickets(1200))
    saved = await agent.send("/views/new", name="Mine", query="assignee:me")
    key = saved.headers["Location"].removeprefix("/views/")
    counts = (await agent.client.get("/workspace/counts")).json()
    assert (counts["open"], counts["mine"], counts[f"view-{key}"]) == ("1,200", "0", "0")
    assert (await agent.client.get("/workspace/total?q=status:open")).json() == {"total": "1,200"}
    assert (await agent.client.get("/workspace/total?q=statsu:open")).json() == {}


@pytest.mark.parametrize(
    "path",
    [
        "/views",
        "/views/new",
        "/views/{view}",
        "/views/{view}/edit",
        "/tickets/new",
        "/tickets/bulk?act=status&ids=1",
        "/workspace/counts",
        "/workspace/total",
        "/workspace/palette?q=a",
    ],
)
async def test_customers_are_refused(desk: Pages, path: str) -> None:
    agent, customer = await desk.browser_of(Role.AGENT), await desk.browser_of(Role.CUSTOMER)
    shared = (await agent.send("/views/new", name="For all", shared_with="everyone")).headers["Location"]
    address = path.replace("/views/{view}", shared)
    assert (await customer.client.get(address)).status_code in {303, 403, 404}
    for sent in ("/views/new", "/tickets/new", f"{shared}/delete"):
        assert (await customer.send(sent, name="x")).status_code in {303, 403, 404}
    assert (await agent.client.get(shared)).status_code == 200


async def test_strangers_log_in_first(desk: Pages) -> None:
    browser = await desk.browser()
    for path in ("/tickets", "/views", "/profile", "/tickets/new"):
        answer = await browser.client.get(path)
        assert answer.headers["Location"].startswith("/login?next=")


async def test_a_made_up_cursor_or_sort_is_no_500(agent: Browser, desk: Pages) -> None:
    ticket: Ticket = await desk.make(lambda f: f.ticket())
    assert ticket.ticket_number
    for query in ("cursor=x", "sort=x", "sort=%00", "done=x", "q=%00", "q=" + "(" * 3000, "sort=relevance&q=message"):
        assert (await agent.client.get(f"/tickets?{query}")).status_code in {200, 422}, query
