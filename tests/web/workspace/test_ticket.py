"""The ticket's page: thread, properties, composer, the past; as plain forms do it, and as scripts do."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.resources import resources_of
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.testing.statements import count_statements
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.models import Attachment, Comment, Ticket
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea></title><svg/onload=alert(1)>",
    '[x](javascript:alert(1)) ![x](x"onerror=alert(1)) <javascript:alert(1)>',
    "{{ 7*7 }} ${7*7} <b onmouseover=alert(1)>",
)
MESSAGE = re.compile(r'id="comment-\d+"')
JSON = {"Accept": "application/json"}


class Dangers(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        ours = (values.get("src") or "").startswith("/static/")
        runs = any(name.startswith("on") for name in values) or (tag == "script" and not ours)
        leads = any((values.get(name) or "").strip().lower().startswith("javascript:") for name in ("href", "src"))
        if runs or leads or tag == "iframe" or (tag == "img" and values.get("src") == "x"):
            self.found.append(f"{tag} {attrs}")


def dangers(page: str) -> list[str]:
    parser = Dangers()
    parser.feed(page)
    return parser.found


@pytest.fixture
async def ticket(desk: Pages) -> Ticket:
    return await desk.make(lambda f: f.ticket())


@pytest.fixture
async def colleague(desk: Pages) -> User:
    return await desk.make(lambda f: f.user(Role.AGENT, full_name="Ravi Patel"))


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    async with database.async_transaction(SYSTEM) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def page_of(browser: Browser, ticket: Ticket, query: str = "") -> str:
    answer = await browser.client.get(f"/tickets/{ticket.ticket_number}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def comments(ticket: Ticket, author: User, count: int, factory: Factory) -> list[Comment]:
    return [factory.comment(ticket, author, f"Message {n}.") for n in range(count)]


async def test_what_people_wrote_is_shown_as_text(desk: Pages) -> None:
    def build(factory: Factory) -> tuple[User, Ticket]:
        agent = factory.user(Role.AGENT, full_name=HOSTILE[1])
        ticket = factory.ticket(factory.user(full_name=HOSTILE[0]), title=" ".join(HOSTILE)[:480], message=HOSTILE[3])
        for words in HOSTILE:
            factory.comment(ticket, agent, words, is_internal=True)
            factory.attachment(ticket, b"x", name=f"{words}.txt")
            factory.tag(f"{words[:90]}")
        return agent, ticket

    agent, ticket = await desk.make(build)
    browser = await desk.browser(agent)
    base = f"/tickets/{ticket.ticket_number}"
    for words in HOSTILE:
        await browser.send(f"{base}/tags", name=words[:90])
    await browser.send(f"{base}/draft", content="\n".join(HOSTILE))
    pages = [await page_of(browser, ticket), (await browser.client.get(f"{base}/history")).text]
    await browser.send(f"{base}/reply", content="\n\n".join(HOSTILE) + f" @{HOSTILE[1]}")
    pages += [await page_of(browser, ticket), await page_of(browser, ticket, "?at=2099-01-01T00:00:00Z")]
    pages.append((await browser.send(f"{base}/preview", content="\n\n".join(HOSTILE))).text)
    pages.append((await browser.send(f"{base}/reply", content=HOSTILE[3], seen_status="closed")).text)
    for page in pages:
        assert dangers(page) == []
    assert "&lt;script&gt;alert(1)" in pages[0]


async def test_a_long_thread_shows_the_newest_and_costs_what_a_short_one_costs(
    desk: Pages, agent: Browser, ticket: Ticket, colleague: User
) -> None:
    costs, page = [], ""
    for count in (2, 60):
        await desk.make(partial(comments, ticket, colleague, count))
        with count_statements(desk.database.async_engine.sync_engine) as statements:
            page = await page_of(agent, ticket)
        costs.append(len([it for it in statements if "savepoint" not in it.lower()]))
    assert len(MESSAGE.findall(page)) == 30
    assert "Show 32 older messages" in page
    assert page.count("Message 59.") == 1
    everything = await page_of(agent, ticket, "?messages=62")
    assert len(MESSAGE.findall(everything)) == 62
    assert "older message" not in everything
    assert costs[1] <= costs[0] + 1, "the count of those that are not shown"
    assert costs[1] <= 26


async def test_sending_waits_can_be_undone_and_is_nobody_elses_business(
    desk: Pages, agent: Browser, ticket: Ticket, colleague: User
) -> None:
    base = f"/tickets/{ticket.ticket_number}"
    sent = await agent.send(f"{base}/reply", content="It **is** sent.", status="resolved")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{base}#waiting")
    page = await page_of(agent, ticket)
    assert "Sending in 10 s" in page
    assert "<strong>is</strong>" in page
    other = await desk.browser(colleague)
    assert "<strong>is</strong>" not in await page_of(other, ticket)
    assert (await other.send(f"{base}/undo")).status_code == 409
    assert await rows(desk.database, "select id from comments") == []
    assert (await agent.send(f"{base}/undo")).status_code == 303
    page = await page_of(agent, ticket)
    assert "\nIt **is** sent.</textarea>" in page
    assert 'id="waiting"' not in page
    assert '<option value="resolved" selected>' in page


async def test_a_message_whose_time_came_without_a_worker_says_so(desk: Pages, agent: Browser, ticket: Ticket) -> None:
    resources = desk.app.state.resources
    desk.app.state.resources = replace(resources, undo=timedelta(microseconds=1))
    await agent.send(f"/tickets/{ticket.ticket_number}/reply", content="Late")
    page = await page_of(agent, ticket)
    assert "Waiting to be sent" in page
    assert "Undo sending" in page
    assert "Sending in" not in page.replace("Sending in {seconds}", "")


async def test_a_draft_is_kept_and_thrown_away(agent: Browser, ticket: Ticket, desk: Pages, colleague: User) -> None:
    base = f"/tickets/{ticket.ticket_number}"
    saved = await agent.send(f"{base}/draft", headers=JSON, content="Begun", is_internal="true")
    assert saved.json() == {"revision": 2, "replaced": None}
    stale = await agent.send(f"{base}/draft", headers=JSON, content="Other window", revision="1")
    assert stale.json() == {"revision": 3, "replaced": "Begun"}
    assert "\nOther window</textarea>" in await page_of(agent, ticket)
    assert "Other window" not in await page_of(await desk.browser(colleague), ticket)
    assert (await agent.send(f"{base}/draft/discard")).status_code == 303
    assert "Other window" not in await page_of(agent, ticket)


async def test_files_of_a_draft_come_and_go(desk: Pages, agent: Browser, ticket: Ticket, colleague: User) -> None:
    base = f"/tickets/{ticket.ticket_number}"
    sent = {"csrf_token": agent.token}
    line = await agent.client.post(
        f"{base}/draft/files", data=sent, files={"file": ("a<b>.png", b"\x89PNG\r\n\x1a\n0000")}
    )
    assert line.status_code == 200
    [address] = re.findall(rf'href="({base}/draft/files/\d+)"', line.text)
    assert (await agent.client.get(address)).content.startswith(b"\x89PNG")
    assert (await (await desk.browser(colleague)).client.get(address)).status_code == 404
    assert address in await page_of(agent, ticket)
    gone = await agent.send(f"{address}/remove", content="Still there")
    assert gone.status_code == 303
    page = await page_of(agent, ticket)
    assert address not in page
    assert "\nStill there</textarea>" in page


async def test_the_guard_shows_what_is_new_and_keeps_what_was_typed(
    desk: Pages, agent: Browser, ticket: Ticket, colleague: User
) -> None:
    base = f"/tickets/{ticket.ticket_number}"
    seen: dict[str, object] = {"seen_comment": "0", "seen_status": "open", "seen_requester": str(ticket.creator_id)}
    await desk.make(lambda f: f.comment(ticket, colleague, "Please wait.", is_internal=True))
    refused = await agent.send(f"{base}/reply", None, content="Hours of work", **seen)
    assert refused.status_code == 409
    assert "Nothing was sent: something new came in" in refused.text
    assert "\nHours of work</textarea>" in refused.text
    assert await rows(desk.database, "select count(*) from drafts") == [(0,)]
    [newest] = re.findall(r'name="seen_comment" value="(\d+)"', refused.text)
    again = await agent.send(f"{base}/reply", None, content="Hours of work", **{**seen, "seen_comment": newest})
    assert again.status_code == 303


async def test_properties_are_saved_one_by_one_and_by_a_form(
    desk: Pages, agent: Browser, ticket: Ticket, colleague: User
) -> None:
    path = f"/tickets/{ticket.ticket_number}/properties"
    first = await agent.send(path, headers=JSON, priority="urgent", was_priority="medium")
    assert first.json()["priority"] == "urgent"
    stale = await agent.send(path, headers=JSON, priority="low", was_priority="medium")
    assert stale.status_code == 412
    assert "in the meantime: Priority" in stale.json()["detail"]
    wanted: dict[str, object] = {
        "priority": "urgent",
        "was_priority": "medium",
        "title": "New name",
        "was_title": ticket.title,
    }
    assert (
        await agent.send(path, None, **wanted, due_at="2026-12-24T18:00", assignee_id=str(colleague.id))
    ).status_code == 303
    found = await rows(
        desk.database, "select priority::text, title, due_at::text, assignee_id, status::text from tickets"
    )
    assert found == [("urgent", "New name", "2026-12-24 18:00:00+00", colleague.id, "in_progress")]
    for wrong in ({"due_at": "soon"}, {"status": "lost"}, {"assignee_id": "x"}, {"title": " "}):
        assert (await agent.send(path, headers=JSON, **wrong)).status_code == 422


async def test_a_ticket_is_deleted_and_restored(agent: Browser, ticket: Ticket) -> None:
    base = f"/tickets/{ticket.ticket_number}"
    assert (await agent.send(f"{base}/delete")).status_code == 303
    page = await page_of(agent, ticket)
    assert "This ticket was deleted" in page
    assert 'id="composer"' not in page
    assert (await agent.send(f"{base}/restore")).status_code == 303
    assert 'id="composer"' in await page_of(agent, ticket)


async def test_the_past_is_shown_as_it_was_and_leads_to_the_changes_beside(
    desk: Pages, agent: Browser, ticket: Ticket
) -> None:
    path = f"/tickets/{ticket.ticket_number}/properties"
    for status in ("in_progress", "resolved"):
        await agent.send(path, status=status)
    times = await rows(desk.database, "select created_at from audit_logs where table_name = 'tickets' order by id")
    moment = quote(str(times[1][0]).replace(" ", "T"))
    page = await page_of(agent, ticket, f"?at={moment}")
    assert "This is the ticket as it was on" in page
    assert 'data-status="in_progress"' in page
    assert 'id="composer"' not in page
    assert ('rel="prev"' in page, 'rel="next"' in page) == (True, True)
    assert (await agent.client.get(f"/tickets/{ticket.ticket_number}?at=2001-01-01T00:00:00Z")).status_code == 404
    history = await agent.client.get(f"/tickets/{ticket.ticket_number}/history")
    assert history.text.count("Status: <del>") == 2


async def test_the_requesters_other_tickets_stand_beside(desk: Pages, agent: Browser) -> None:
    owner = await desk.make(lambda f: f.user(email="kim+x@example.test"))
    made = await desk.make(lambda f: [f.ticket(owner, message=f"Request {n}") for n in range(8)])
    page = await page_of(agent, made[0])
    assert "All 8 tickets" in page
    assert "requester%3Akim%2Bx%40example.test" in page
    assert page.count("Request ") >= 5


async def test_customers_get_no_trace_of_it(desk: Pages, agent: Browser, colleague: User) -> None:
    owner = await desk.make(lambda f: f.user())
    ticket = await desk.make(lambda f: f.ticket(owner))
    await desk.make(lambda f: f.comment(ticket, colleague, "A secret note", is_internal=True))
    await agent.send(f"/tickets/{ticket.ticket_number}/reply", content="Waiting reply")
    customer = await desk.browser(owner)
    page = await customer.client.get(f"/tickets/{ticket.ticket_number}", follow_redirects=True)
    assert "A secret note" not in page.text
    assert "Waiting reply" not in page.text
    base = f"/tickets/{ticket.ticket_number}"
    for path in ("draft", "draft/discard", "preview", "undo", "delete", "restore"):
        assert (await customer.send(f"{base}/{path}", content="x")).status_code in {403, 404}, path
    assert (await customer.client.get(f"{base}/history")).status_code in {303, 403, 404}
    assert (await customer.client.get(f"{base}?at=2099-01-01T00:00:00Z")).status_code in {303, 403, 404}


def mail_image(factory: Factory, ticket: Ticket) -> Attachment:
    with factory.database.transaction(SYSTEM) as session:
        blob = resources_of(session).storage.put([b"image"], max_bytes=99)
        file = StoredFile(blob, "a.png", "image/png", "one@x")
        return add_attachment(session, ticket, file, comment=None, uploaded_by_id=ticket.creator_id)


async def test_inline_images_are_those_that_came_with_the_message(desk: Pages, agent: Browser, ticket: Ticket) -> None:
    file = await desk.make(lambda f: mail_image(f, ticket))
    html = '<p>See <img src="cid:one@x"> and <img src="cid:two@x"></p>'
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.execute(text("update tickets set description_html = :html"), {"html": html})
    page = await page_of(agent, ticket)
    assert f'src="/attachments/{file.id}"' in page
    assert "cid:" not in page
