"""The mail of a ticket on its page: how answers went out, originals, what waits, copies, links; the suspended queue."""

import re
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Channel
from deskbell.kernel.clock import SystemClock
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.ledger import receive
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.actions import Sender, reply
from deskbell.tickets.bodies import body_of
from deskbell.tickets.models import Comment, Ticket
from deskbell.web.workspace import thread
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio

HTML = """From: "<b>Kim</b>" <kim@example.test>
Subject: {subject}
Message-ID: <{id}@example.test>
MIME-Version: 1.0
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html

<p onclick=x>Hello <b>there</b></p><script>alert(1)</script><img src="cid:pic"><img src="https://far.example/p.png">
--b
Content-Type: image/png; name="<script>.png"
Content-ID: <pic>
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b--
"""


async def ask(desk: Pages, statement: Any) -> list[Any]:
    async with desk.database.async_transaction(SYSTEM) as session:
        return list((await session.execute(statement)).scalars())


async def take_in(desk: Pages, subject: str = "Hello", number: int = 1) -> int:
    """Have a message come in, and be filed."""

    def come(session: Session) -> int:
        message = receive(session, HTML.format(subject=subject, id=number).encode(), source="test").id
        file_message(session, message)
        return message

    async with desk.database.async_transaction(SYSTEM) as session:
        return await session.run_sync(come)


async def answered(desk: Pages, ticket: Ticket, *states: tuple[OutboundState, str]) -> Comment:
    """Answer a ticket; for each state its mail to somebody is in that, with these words."""
    agent = await desk.make(lambda f: f.user(Role.AGENT))

    def answer(session: Session) -> Comment:
        sender, now = Sender(agent.id, is_staff=True, channel=Channel.WEB), SystemClock().now()
        comment = reply(session, ticket.ticket_number, body=body_of("Soon."), sender=sender, now=now)
        session.flush()
        ids = {"ticket_id": ticket.id, "comment_id": comment.id, "kind": OutboundKind.ANSWERED}
        for number, (state, words) in enumerate(states):
            session.add(OutboundMessage(**ids, state=state, reason=words, recipient=f"one{number}@example.test"))
        return comment

    async with desk.database.async_transaction(SYSTEM) as session:
        return await session.run_sync(answer)


@pytest.fixture
async def ticket(desk: Pages) -> Ticket:
    return await desk.make(lambda f: f.ticket())


def place(ticket: Ticket) -> str:
    return f"/tickets/{ticket.ticket_number}"


async def test_an_answer_says_quietly_that_it_was_sent_and_loudly_that_it_came_back(
    desk: Pages, agent: Browser, ticket: Ticket
) -> None:
    well = await answered(desk, ticket, (OutboundState.SENT, "250 OK"))
    bad = await answered(desk, ticket, (OutboundState.SENT, ""), (OutboundState.BOUNCED, "550 <b>No such user"))
    page = (await agent.client.get(place(ticket))).text
    quiet, loud = (page.split(f'id="delivery-{each.id}"')[1].split("</div>")[0] for each in (well, bad))
    assert ("Sent" in quiet, "<details" in quiet, "250 OK" in quiet) == (True, True, False)
    assert ("Came back" in loud, "550 &lt;b&gt;No such user" in loud, "Send again" in loud) == (True, True, True)


async def test_an_acknowledgement_that_came_back_is_shown_beneath_the_request(
    desk: Pages, agent: Browser, ticket: Ticket
) -> None:
    about = {"ticket_id": ticket.id, "kind": OutboundKind.RECEIVED, "user_id": ticket.creator_id}
    for state, is_shown in ((OutboundState.SENT, False), (OutboundState.BOUNCED, True)):
        async with desk.database.async_transaction(SYSTEM) as session:
            session.add(OutboundMessage(**about, state=state, reason="550 No such user"))
        page = (await agent.client.get(place(ticket))).text
        assert ("delivery-acknowledgement" in page, "550 No such user" in page) == (is_shown, is_shown)


async def test_an_answer_on_its_way_is_looked_at_again_until_it_is_there(
    desk: Pages, agent: Browser, ticket: Ticket
) -> None:
    comment = await answered(desk, ticket, (OutboundState.QUEUED, "No mail server is configured"))
    page = (await agent.client.get(place(ticket))).text
    [way] = re.findall(r'hx-get="([^"]+)"', page.split('id="thread"')[1].split("</section>")[0])
    assert ("Waiting to be sent" in page, "No mail server is configured" in page) == (True, True)
    async with desk.database.async_transaction(SYSTEM) as session:
        its = select(OutboundMessage).where(OutboundMessage.comment_id == comment.id)
        for message in (await session.scalars(its)).all():
            message.state = OutboundState.SENT
    part = (await agent.client.get(way)).text
    assert ("hx-get" in part, "Sent" in part, "<html" in part) == (False, True, False)


async def test_whoever_waits_for_the_same_reason_is_named_in_one_line(
    desk: Pages, agent: Browser, ticket: Ticket
) -> None:
    waits, failed = (OutboundState.QUEUED, "The server is full"), (OutboundState.FAILED, "550 no")
    comment = await answered(desk, ticket, waits, waits, failed, waits, failed)
    page = (await agent.client.get(place(ticket))).text
    part = page.split(f'id="delivery-{comment.id}"')[1].split("</ul>")[0]
    assert (part.count("<li"), part.count("The server is full"), part.count("550 no")) == (3, 1, 2)
    assert re.findall(r"one\d@", part.split("The server is full")[0]) == ["one0@", "one1@", "one3@"]


async def test_who_will_read_an_answer_is_said_before_it_is_sent(agent: Browser, ticket: Ticket) -> None:
    async def readers() -> str:
        page = (await agent.client.get(place(ticket))).text
        return " ".join(re.sub(r"<[^>]+>", "", page.split('id="readers"')[1].split("</p>")[0]).split())

    assert "will read it.Only colleagues will read it." in await readers()
    for name in ("boss", "pat"):
        await agent.send(f"{place(ticket)}/copies", email=f"{name}@example.test")
    assert "and 2 copies will read it: boss@example.test, pat@example.test" in await readers()


async def test_an_answer_is_sent_again(desk: Pages, agent: Browser) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    comment = await answered(desk, ticket)
    async with desk.database.async_transaction(SYSTEM) as session:
        ids = {"ticket_id": ticket.id, "comment_id": comment.id, "user_id": ticket.creator_id}
        message = OutboundMessage(kind=OutboundKind.ANSWERED, state=OutboundState.FAILED, **ids)
        session.add(message)
    way = f"{place(ticket)}/deliveries/{message.id}/resend"
    assert (await agent.send(way)).status_code == 303
    its = select(OutboundMessage.state).where(OutboundMessage.comment_id == comment.id).order_by(OutboundMessage.id)
    assert (await ask(desk, its))[-1] == OutboundState.QUEUED
    other = await desk.make(lambda f: f.ticket())
    assert (await agent.send(f"{place(other)}/deliveries/{message.id}/resend")).status_code == 404


async def test_what_came_by_mail_shows_its_original_in_a_frame_that_runs_nothing(desk: Pages, agent: Browser) -> None:
    message = await take_in(desk)
    [number] = await ask(desk, select(Ticket.ticket_number))
    page = (await agent.client.get(f"/tickets/{number}")).text
    assert f'href="/tickets/{number}/mail/{message}"' in page
    shown = (await agent.client.get(f"/tickets/{number}/mail/{message}")).text
    assert "&lt;b&gt;Kim&lt;/b&gt;" in shown
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown
    assert ("Show images" in shown, "<b>Kim" in shown, "alert(1)" in shown) == (True, False, False)
    body = await agent.client.get(f"/tickets/{number}/mail/{message}/body")
    policy = body.headers["content-security-policy"]
    assert ("default-src 'none'" in policy, "allow-scripts" in policy, "https:" in policy) == (True, False, False)
    assert body.headers["x-frame-options"] == "SAMEORIGIN"
    assert ("<b>there</b>" in body.text, "script" in body.text, "onclick" in body.text) == (True, False, False)
    assert ("far.example" in body.text, 'src="data:image/png;base64,' in body.text) == (False, True)
    with_images = await agent.client.get(f"/tickets/{number}/mail/{message}/body?images=true")
    assert "https://far.example/p.png" in with_images.text
    assert "img-src data: https:" in with_images.headers["content-security-policy"]
    file = await agent.client.get(f"/tickets/{number}/mail/{message}/files/0")
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["content-type"] == "application/octet-stream"
    assert (await agent.client.get(f"/tickets/{number}/mail/{message}/files/7")).status_code == 404
    other = await desk.make(lambda f: f.ticket())
    for way in ("", "/body", "/raw", "/files/0"):
        assert (await agent.client.get(f"{place(other)}/mail/{message}{way}")).status_code == 404


async def test_a_small_message_that_shows_its_image_many_times_makes_no_huge_page(desk: Pages, agent: Browser) -> None:
    picture = "A" * 400_000
    raw = HTML.replace("iVBORw0KGgo=", picture).replace('<img src="cid:pic">', '<img src="cid:pic">' * 500)

    def come(session: Session) -> int:
        message = receive(session, raw.format(subject="Many", id=1).encode(), source="test").id
        file_message(session, message)
        return message

    async with desk.database.async_transaction(SYSTEM) as session:
        message = await session.run_sync(come)
    [number] = await ask(desk, select(Ticket.ticket_number))
    assert len((await agent.client.get(f"/tickets/{number}/mail/{message}/body")).text) < 8_000_000


async def test_a_message_that_waits_is_let_in_or_turned_away_on_the_page_of_its_ticket(
    desk: Pages, agent: Browser, ticket: Ticket
) -> None:
    first = await take_in(desk, f"<i>one [{ticket.ticket_number}]", 1)
    second = await take_in(desk, f"two [{ticket.ticket_number}]", 2)
    page = (await agent.client.get(place(ticket))).text
    assert ("A message waits:" in page, "&lt;i&gt;one" in page, "<i>one" in page) == (True, True, False)
    assert (await agent.send(f"{place(ticket)}/mail/{first}/release")).status_code == 303
    assert (await agent.send(f"{place(ticket)}/mail/{second}/reject")).status_code == 303
    states = select(InboundMessage.state).order_by(InboundMessage.id)
    assert await ask(desk, states) == [MailState.RECEIVED, MailState.REJECTED]
    again = await agent.send(f"{place(ticket)}/mail/{second}/reject")
    assert (again.status_code, "A message waits:" in again.text) == (409, False)
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.run_sync(partial(file_message, message_id=first))
    assert "Hello <b>there</b>" in (await agent.client.get(place(ticket))).text


async def test_agents_have_a_queue_of_what_waits(desk: Pages, agent: Browser, ticket: Ticket) -> None:
    assert "Nothing waits" in (await agent.client.get("/suspended")).text
    assert "suspended" not in (await agent.client.get("/workspace/counts")).json()
    first = await take_in(desk, f"<i>one [{ticket.ticket_number}]", 1)
    second = await take_in(desk, f"two [{ticket.ticket_number}]", 2)
    assert (await agent.client.get("/workspace/counts")).json()["suspended"] == "2"
    page = (await agent.client.get("/suspended")).text
    assert (page.index("&lt;i&gt;one") < page.index("two ["), "<i>one" in page) == (True, False)
    shown = (await agent.client.get(f"/suspended/{first}?images=true")).text
    assert f"Let in to {ticket.ticket_number}" in shown
    assert f'src="/suspended/{first}/body?images=true"' in shown
    for way in ("body", "raw", "files/0"):
        assert (await agent.client.get(f"/suspended/{first}/{way}")).status_code == 200
    assert (await agent.send(f"/suspended/{first}/release")).headers["location"] == "/suspended?done=in"
    assert (await agent.send(f"/suspended/{second}/reject")).headers["location"] == "/suspended?done=away"
    assert (await agent.send(f"/suspended/{second}/reject")).headers["location"] == "/suspended?done=before"
    assert (await agent.client.get(f"/suspended/{second}")).status_code == 404


async def test_copies_are_added_and_removed_in_place(agent: Browser, ticket: Ticket) -> None:
    refused = await agent.send(f"{place(ticket)}/copies", email="nobody")
    assert (refused.status_code, 'id="copies-error"' in refused.text) == (422, True)
    assert 'value="nobody"' in refused.text
    added = await agent.send(f"{place(ticket)}/copies", email="boss@example.test")
    assert (added.status_code, added.headers["location"].endswith("#copy")) == (303, True)
    page = (await agent.client.get(place(ticket))).text
    [way] = re.findall(r'action="([^"]*/copies/\d+/remove)"', page)
    assert re.findall(r'name="seen_copy" value="(\d+)"', page) == re.findall(r"/copies/(\d+)/remove", way)
    twice = await agent.send(f"{place(ticket)}/copies", email="BOSS@example.test")
    assert (twice.status_code, "gets copies" in twice.text) == (409, True)
    assert (await agent.send(way)).status_code == 303
    assert "boss@example.test" not in (await agent.client.get(place(ticket))).text.split('id="copies"')[1]


async def test_tickets_are_linked_by_number(desk: Pages, agent: Browser, ticket: Ticket) -> None:
    other = await desk.make(lambda f: f.ticket(title="<b>The other"))
    refused = await agent.send(f"{place(ticket)}/links", other="DB-99999")
    assert refused.status_code in {404, 422}
    itself = await agent.send(f"{place(ticket)}/links", other=ticket.ticket_number)
    assert (itself.status_code, 'id="links-error"' in itself.text) == (422, True)
    assert (await agent.send(f"{place(ticket)}/links", other=f" {other.ticket_number.lower()} ")).status_code == 303
    for one in (ticket, other):
        assert "· related ·" in (await agent.client.get(place(one))).text
    assert "&lt;b&gt;The other" in (await agent.client.get(place(ticket))).text
    assert (await agent.send(f"{place(ticket)}/links/remove", other=other.ticket_number)).status_code == 303
    assert "· related ·" not in (await agent.client.get(place(ticket))).text


async def test_customers_see_nothing_of_all_this(desk: Pages) -> None:
    message = await take_in(desk)
    [ticket] = await ask(desk, select(Ticket))
    customer = await desk.make(lambda f: f.user())
    browser = await desk.browser(customer)
    for way in ("/suspended", f"/suspended/{message}"):
        assert (await browser.client.get(way)).status_code == 303
    base = f"{place(ticket)}/mail/{message}"
    for way in (base, f"{base}/body", f"{base}/raw", f"{base}/files/0", f"/suspended/{message}/body"):
        assert (await browser.client.get(way)).status_code in {303, 403, 404}, way
    for way in (
        f"{base}/release",
        f"{place(ticket)}/copies",
        f"{place(ticket)}/links",
        f"/suspended/{message}/release",
    ):
        assert (await browser.send(way)).status_code in {403, 404}, way


async def test_everybody_of_the_desk_chooses_of_what_they_hear(desk: Pages, agent: Browser) -> None:
    page = (await agent.client.get("/profile")).text
    assert len(re.findall(r'name="kinds" value="\w+" checked', page)) == 5
    saved = await agent.send("/profile/notices", None, kinds="mentioned")
    assert saved.headers["location"] == "/profile?saved=notices#notices"
    page = (await agent.client.get(saved.headers["location"])).text
    assert re.findall(r'name="kinds" value="(\w+)" checked', page) == ["mentioned"]
    assert "Saved." in page
    customer = await desk.browser_of(Role.CUSTOMER)
    assert "Notices by mail" not in (await customer.client.get("/profile")).text
    assert (await customer.send("/profile/notices", kinds="mentioned")).status_code == 403


def test_images_of_a_message_have_an_address_and_a_description_or_are_left_out() -> None:
    shown = thread._with_images
    assert shown('<p>a</p><img src="cid:x"><img src="cid:y">', [("x", 7)]) == (
        '<p>a</p><img alt="" src="/attachments/7">'
    )
    assert shown('<img alt="A cat" src="cid:x">', [("x", 7)]) == '<img alt="A cat" src="/attachments/7">'
    hostile = '<img alt="><img src=x onerror=alert(1)>" src="cid:x">'
    assert shown(hostile, [("x", 7)]) == hostile.replace("cid:x", "/attachments/7")
    assert shown(hostile, []) == ""
    assert shown("plain", []) == "plain"
