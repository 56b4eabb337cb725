"""What customers see and do: their own requests, no trace of internal notes, nobody else's."""

import re
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from deskbell.accounts.models import Role, User
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.models import Attachment, Comment, Ticket, TicketStatus
from deskbell.web.csrf import COOKIE
from tests.web.pages.conftest import Browser
from tests.web.portal.conftest import Portal, field

pytestmark = pytest.mark.anyio

HOSTILE = '<img src=x onerror="alert(1)"> </textarea><script>alert(1)</script>'


def admin_of(factory: Factory) -> User:
    return factory.user(Role.ADMIN)


async def shape(browser: Browser, path: str) -> str:
    """Return a page without what differs between two ways to look at it: tokens and keys."""
    page = (await browser.client.get(path)).text
    return re.sub(r'value="(dbf_)?[\w-]{43}"', "", page)


async def test_a_customer_asks_and_is_answered(desk: Portal, browser: Browser) -> None:
    page = await browser.client.get("/requests/new")
    answer = await browser.send("/requests", title="My card", content="It is **lost**", once=field(page.text, "once"))
    assert answer.status_code == 303
    shown = (await browser.client.get(answer.headers["Location"])).text
    assert "<strong>lost</strong>" in shown
    ticket: Ticket = await desk.fetch(select(Ticket))
    agent = await desk.make(lambda f: f.user(Role.AGENT, email="sam.secret@example.test", full_name="Sam"))
    await desk.make(lambda f: f.comment(ticket, agent, "We send another"))
    shown = (await browser.client.get(answer.headers["Location"])).text
    assert "Sam" in shown
    assert "We send another" in shown
    assert "sam.secret" not in shown


async def test_an_agent_without_a_name_shows_no_part_of_their_address(
    desk: Portal, kim: User, browser: Browser
) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    agent = await desk.make(lambda f: f.user(Role.AGENT, email="sam.secret@example.test", full_name="x"))
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.execute(update(User).where(User.id == agent.id).values(full_name=""))
    await desk.make(lambda f: f.comment(ticket, agent, "Hello"))
    page = (await browser.client.get(f"/requests/{ticket.ticket_number}")).text
    assert "secret" not in page
    assert "Our team" in page


async def test_a_note_leaves_no_trace(desk: Portal, kim: User, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim, title="My card"))
    await desk.make(lambda f: f.ticket(kim, title="Another one"))
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    await desk.make(lambda f: f.comment(ticket, agent, "Hello"))
    paths = [f"/requests/{ticket.ticket_number}", "/requests", "/requests?q=xyzzy", "/requests/similar?title=xyzzy"]
    before = [await shape(browser, path) for path in paths]
    note = await desk.make(lambda f: f.comment(ticket, agent, "xyzzy: do not pay", is_internal=True))
    file = await desk.make(lambda f: f.attachment(ticket, name="xyzzy.txt", comment=note))
    assert [await shape(browser, path) for path in paths] == before
    hidden = f"/requests/{ticket.ticket_number}/files/"
    unknown, there = [await browser.client.get(f"{hidden}{number}") for number in (file.id + 1000, file.id)]
    assert (unknown.status_code, there.status_code) == (404, 404)


async def test_the_page_has_neither_version_nor_ids_of_messages(desk: Portal, kim: User, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    await desk.make(lambda f: f.comment(ticket, kim, "Hello"))
    page = (await browser.client.get(f"/requests/{ticket.ticket_number}")).text
    assert 'name="version"' not in page
    assert re.findall(r'<article.* id="([^"]+)"', page) == ["message-1", "last"]
    assert set(re.findall(r'href="(/requests[^"]*)"', page)) == {"/requests", "/requests/new"}


async def test_another_customers_number_is_nothing(desk: Portal, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    file = await desk.make(lambda f: f.attachment(ticket))
    path = f"/requests/{ticket.ticket_number}"
    for address in (path, f"{path}/files/{file.id}", "/requests/DB-999999", "/requests/%00", "/requests/x%2F..%2Fy"):
        assert (await browser.client.get(address)).status_code == 404, address
    for form in ("reply", "close", "reopen"):
        assert (await browser.send(f"{path}/{form}", content="Hello")).status_code == 404
    assert await desk.fetch(select(func.count()).select_from(Comment)) == 0
    assert ticket.title not in (await browser.client.get(f"/requests?q={ticket.ticket_number}")).text


async def test_a_file_is_sent_from_its_own_request_alone(desk: Portal, kim: User, browser: Browser) -> None:
    mine, other = await desk.make(lambda f: f.ticket(kim)), await desk.make(lambda f: f.ticket(kim))
    file = await desk.make(lambda f: f.attachment(mine, b"contents"))
    assert (await browser.client.get(f"/requests/{mine.ticket_number}/files/{file.id}")).content == b"contents"
    assert (await browser.client.get(f"/requests/{other.ticket_number}/files/{file.id}")).status_code == 404


async def test_a_reply_shows_at_once_with_its_files_and_brings_the_request_back(
    desk: Portal, kim: User, browser: Browser
) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    path = f"/requests/{ticket.ticket_number}"
    await browser.send(f"{path}/close")
    assert await desk.fetch(select(Ticket.status)) is TicketStatus.RESOLVED
    assert "Open it again" in (await browser.client.get(path)).text
    files = [("files", ("a.txt", b"a")), ("files", ("b.txt", b"b"))]
    fields = {"csrf_token": browser.token, "content": "Not quite"}
    answer = await browser.client.post(f"{path}/reply", data=fields, files=files)
    assert answer.headers["Location"] == f"{path}#last"
    page = (await browser.client.get(path)).text
    assert "Not quite" in page
    assert "a.txt" in page
    assert "b.txt" in page
    assert await desk.fetch(select(Ticket.status)) is TicketStatus.OPEN


async def test_closing_twice_and_opening_again_do_no_harm(desk: Portal, kim: User, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    path = f"/requests/{ticket.ticket_number}"
    for form in ("close", "close", "reopen", "reopen"):
        assert (await browser.send(f"{path}/{form}")).status_code == 303
    assert await desk.fetch(select(Ticket.status)) is TicketStatus.OPEN
    assert await desk.fetch(select(Ticket.reopen_count)) == 1


async def test_a_form_that_is_sent_twice_counts_once(desk: Portal, browser: Browser) -> None:
    once = field((await browser.client.get("/requests/new")).text, "once")
    sent = [await browser.send("/requests", title="My card", content="Lost", once=once) for _ in range(3)]
    assert len({answer.headers["Location"] for answer in sent}) == 1
    assert await desk.fetch(select(func.count()).select_from(Ticket)) == 1
    path = sent[0].headers["Location"]
    once = field((await browser.client.get(path)).text, "once")
    sent = [await browser.send(f"{path}/reply", content="Hello", once=once) for _ in range(3)]
    assert [answer.status_code for answer in sent] == [303] * 3
    assert await desk.fetch(select(func.count()).select_from(Comment)) == 1
    assert len(await desk.mails()) == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"title": "", "content": "Lost"}, "title"),
        ({"title": "My card", "content": " "}, "content"),
        ({"title": "My card", "content": "|a" * 40_000}, "content"),
        ({"title": "x" * 501, "content": "Lost"}, "title"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    desk: Portal, browser: Browser, fields: dict[str, Any], wrong: str
) -> None:
    answer = await browser.send("/requests", **fields)
    assert answer.status_code == 422
    assert f'id="{wrong}-wrong"' in answer.text
    assert (fields["content"].strip() or fields["title"])[:50] in answer.text
    assert await desk.fetch(select(func.count()).select_from(Ticket)) == 0


async def test_a_file_that_is_too_large_takes_the_message_with_it(desk: Portal, kim: User, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    largest = desk.app.state.resources.attachment_bytes
    fields = {"csrf_token": browser.token, "content": "See the picture"}
    files = {"files": ("a.txt", b"x" * (largest + 1))}
    answer = await browser.client.post(f"/requests/{ticket.ticket_number}/reply", data=fields, files=files)
    assert answer.status_code in {413, 422}
    assert await desk.fetch(select(func.count()).select_from(Comment)) == 0
    assert await desk.fetch(select(func.count()).select_from(Attachment)) == 0


async def test_hostile_texts_are_texts(desk: Portal, kim: User, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim, title=HOSTILE, message=HOSTILE))
    await desk.make(lambda f: f.attachment(ticket, name="<script>alert(1)<.txt"))
    await browser.send(f"/requests/{ticket.ticket_number}/reply", content=f"{HOSTILE}\n\n[x](javascript:alert(1))")
    pages = [f"/requests/{ticket.ticket_number}", "/requests", f"/requests?q={HOSTILE}", "/requests/similar?title=img"]
    for path in (*pages, f"/requests/new?title={HOSTILE}"):
        page = (await browser.client.get(path)).text
        for hostile in ("<script>alert", "<img", 'href="javascript'):
            assert hostile not in page, path
    assert "onerror" not in (await browser.send("/requests", title="", content=HOSTILE)).text.replace(
        "onerror=&#34;", ""
    )


async def test_similar_requests_are_ones_own(desk: Portal, kim: User, browser: Browser) -> None:
    await desk.make(lambda f: f.ticket(kim, title="My card has not arrived"))
    await desk.make(lambda f: f.ticket(title="Somebody's card has not arrived"))
    page = (await browser.client.get("/requests/similar?title=the+card+arriv")).text
    assert "My card has not arrived" in page
    assert "Somebody" not in page
    assert "<ul>" not in (await browser.client.get("/requests/similar?title=zebra")).text
    refused = await browser.send("/requests", title="the card", content="")  # without scripts
    assert "My card has not arrived" in refused.text


async def test_colleagues_requests_are_shared_where_their_organization_says_so(desk: Portal) -> None:
    home = await desk.make(lambda f: f.organization("Acme <b>", shares_tickets=True))
    quiet = await desk.make(lambda f: f.organization("Quiet"))
    people = [await desk.make(partial(Factory.user, organization=each)) for each in (home, home, quiet, quiet)]
    for person in people:
        await desk.make(partial(Factory.ticket, requester=person, title=f"Of {person.full_name}"))
    anna, amy = people[:2]
    browser = await desk.browser(anna)
    mine, shared = [(await browser.client.get(path)).text for path in ("/requests", "/requests?whose=organization")]
    assert f"Of {amy.full_name}" not in mine
    assert f"Of {amy.full_name}" in shared
    assert people[2].full_name not in shared
    ticket: Ticket = await desk.fetch(select(Ticket).where(Ticket.creator_id == amy.id))
    path = f"/requests/{ticket.ticket_number}"
    assert (await browser.send(f"{path}/reply", content="Me too")).status_code == 303
    assert (await browser.send(f"{path}/close")).status_code == 422  # only who asked
    lonely = await desk.browser(people[2])
    assert f"Of {people[3].full_name}" not in (await lonely.client.get("/requests?whose=organization")).text


async def test_the_list_has_pages_and_filters(desk: Portal, kim: User, browser: Browser) -> None:
    await desk.make(lambda f: f.tickets(60, kim))
    seen, path = set(), "/requests"
    while path:
        page = (await browser.client.get(path)).text
        seen |= set(re.findall(r"<bdi>(Ticket \d+)</bdi>", page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == 60
    assert "Nothing found" in (await browser.client.get("/requests?standing=solved")).text
    for query in ("cursor=x", "standing=x", "whose=x", "q=%00", "q=" + "'!&|(" * 50, "q=%22"):
        assert (await browser.client.get(f"/requests?{query}")).status_code in {200, 422}, query


async def test_words_find_requests_and_the_query_language_tells_nothing(
    desk: Portal, kim: User, browser: Browser
) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim, title="Holiday in Crete", message="The hotel is closed"))
    for words in ("holi", "hotel crete", ticket.ticket_number.lower()):
        assert "Holiday in Crete" in (await browser.client.get(f"/requests?q={words}")).text, words
    for words in ("updated>-1d", "version:1", "zebra"):
        assert "Holiday in Crete" not in (await browser.client.get(f"/requests?q={words}")).text, words


async def test_everybody_is_led_to_where_they_belong(desk: Portal, kim: User, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    agent = await desk.browser_of(Role.AGENT)
    number = ticket.ticket_number
    for who, path, target in (
        (browser, "/", "/requests"),
        (browser, "/tickets", "/requests"),
        (browser, f"/tickets/{number}", f"/requests/{number}"),
        (agent, "/", "/tickets"),
        (agent, "/requests", "/tickets"),
        (agent, f"/requests/{number}", f"/tickets/{number}"),
    ):
        answer = await who.client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, target), path
    assert (await agent.send(f"/requests/{number}/reply", content="Hello")).status_code == 404
    assert (await agent.send("/requests", title="x", content="x")).status_code == 404


async def test_forms_without_the_right_token_are_refused(desk: Portal, kim: User, browser: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    path = f"/requests/{ticket.ticket_number}"
    other = await desk.browser(await desk.make(lambda f: f.user()))
    browser.token = other.token
    for form in ("/requests", f"{path}/reply", f"{path}/close", f"{path}/reopen"):
        assert (await browser.send(form, title="x", content="x")).status_code == 403, form
    assert await desk.fetch(select(func.count()).select_from(Comment)) == 0


async def test_who_is_not_logged_in_is_asked_to(desk: Portal, kim: User) -> None:
    ticket = await desk.make(lambda f: f.ticket(kim))
    stranger = await desk.browser()
    for path in ("/requests", "/requests/new", f"/requests/{ticket.ticket_number}"):
        assert (await stranger.client.get(path)).headers["Location"].startswith("/login?next=")
    stranger.client.cookies.set(COOKIE, "dbs_made_up")
    assert (await stranger.client.get(f"/requests/{ticket.ticket_number}")).status_code == 303


async def test_notices_go_to_requesters_and_to_nobody_else(desk: Portal, kim: User, browser: Browser) -> None:
    mail_ticket = await desk.make(lambda f: f.ticket(kim))  # by the system, not on a page
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    await desk.make(lambda f: f.comment(mail_ticket, agent, "internal", is_internal=True))
    await desk.make(lambda f: f.comment(mail_ticket, kim, "More"))
    await desk.make(lambda f: f.tickets(3, kim))
    assert await desk.mails() == []
    await desk.make(lambda f: f.comment(mail_ticket, agent, "We send another"))
    [answered] = await desk.mails()
    assert (answered.recipient, "We send another" in answered.text) == (kim.email, True)
    await browser.send("/requests", title="A\r\nBcc: all@example.test", content="Lost")
    received = (await desk.mails())[-1]
    assert (received.kind.value, "\n" in received.subject) == ("received", False)
    theirs = await desk.make(lambda f: f.ticket(agent))
    await desk.make(lambda f: f.comment(theirs, admin_of(f), "Hello"))
    assert len(await desk.mails()) == 2


async def test_a_customer_cannot_put_words_into_our_mail(desk: Portal, browser: Browser) -> None:
    await browser.send("/requests", title="My card", content="Lost")
    row: OutboundMessage = await desk.fetch(select(OutboundMessage))
    assert (row.text, row.recipient) == ("", "")
