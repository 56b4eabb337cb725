"""A signed link: one request, read and answered by its requester without an account, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from deskbell.accounts.models import LoginSession, Role, User
from deskbell.audit.models import AuditLog
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.link_keys import link_to
from deskbell.tickets.models import Comment, Ticket, TicketStatus
from deskbell.web.csrf import COOKIE
from deskbell.web.portal.visiting import LINK_COOKIE
from tests.web.pages.conftest import Browser
from tests.web.portal.conftest import SITE, Portal, field, portal_on, reaching

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ticket(desk: Portal, kim: User) -> Ticket:
    return await desk.make(lambda f: f.ticket(kim, title="My card"))


def address(desk: Portal, ticket: Ticket, requester: User, **age: int) -> str:
    resources = desk.app.state.resources
    return link_to(resources.reach, ticket, requester, resources.clock.now() - timedelta(**age)).removeprefix(SITE)


async def come(desk: Portal, path: str) -> Browser:
    """Follow a link in a browser that knows nobody."""
    browser = await desk.browser()
    answer = await browser.client.get(path)
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (303, "no-referrer")
    assert "key=" not in answer.headers["Location"]
    page = await browser.client.get(answer.headers["Location"])
    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    browser.token = field(page.text, "csrf_token")
    return browser


async def test_the_requester_reads_answers_closes_and_opens_again(desk: Portal, kim: User, ticket: Ticket) -> None:
    guest, path = await come(desk, address(desk, ticket, kim)), f"/requests/{ticket.ticket_number}"
    file = {"files": ("a.txt", b"picture")}
    fields = {"csrf_token": guest.token, "content": "Thank you"}
    assert (await guest.client.post(f"{path}/reply", data=fields, files=file)).status_code == 303
    page = (await guest.client.get(path)).text
    assert "Thank you" in page
    assert "a.txt" in page
    for form, status in (("close", TicketStatus.RESOLVED), ("reopen", TicketStatus.OPEN)):
        assert (await guest.send(f"{path}/{form}")).status_code == 303
        assert await desk.fetch(select(Ticket.status)) is status
    author, cause = (
        await desk.fetch(select(Comment.author_id)),
        select(AuditLog.cause).where(AuditLog.table_name == "comments"),
    )
    assert (author, await desk.fetch(cause)) == (kim.id, "signed link")


async def test_a_link_opens_nothing_else(desk: Portal, kim: User, ticket: Ticket) -> None:
    other = await desk.make(lambda f: f.ticket(kim, title="Another request"))
    file = await desk.make(lambda f: f.attachment(other))
    guest = await come(desk, address(desk, ticket, kim))
    key = guest.client.cookies[LINK_COOKIE]
    guest.client.cookies.set(LINK_COOKIE, key)  # as if the browser sent it everywhere
    guest.client.cookies.set(COOKIE, key)
    for path in ("/", "/requests", "/requests/new", "/requests/similar?title=card", "/profile", "/tickets"):
        assert (await guest.client.get(path)).headers["Location"].startswith("/login?next="), path
    other_path = f"/requests/{other.ticket_number}"
    for path in (other_path, f"{other_path}/files/{file.id}", "/api/v1/me", f"/attachments/{file.id}"):
        assert (await guest.client.get(path)).status_code in {303, 401, 404}, path
    own_path = f"/requests/{ticket.ticket_number}/files/{file.id}"
    assert (await guest.client.get(own_path)).status_code == 404
    assert (await guest.send(f"{other_path}/reply", content="x")).status_code in {401, 403}
    assert (await guest.send("/requests", title="x", content="x")).status_code == 401
    assert await desk.fetch(select(func.count()).select_from(Comment)) == 0
    assert await desk.fetch(select(func.count()).select_from(LoginSession)) == 0
    assert "Another request" not in (await guest.client.get(f"/requests/{ticket.ticket_number}")).text


async def test_a_link_shows_no_notes(desk: Portal, kim: User, ticket: Ticket) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    await desk.make(lambda f: f.comment(ticket, agent, "xyzzy", is_internal=True))
    guest = await come(desk, address(desk, ticket, kim))
    assert "xyzzy" not in (await guest.client.get(f"/requests/{ticket.ticket_number}")).text


async def test_an_agent_who_asked_is_a_customer_by_their_link(desk: Portal) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    theirs = await desk.make(lambda f: f.ticket(agent))
    await desk.make(lambda f: f.comment(theirs, agent, "xyzzy", is_internal=True))
    guest = await come(desk, address(desk, theirs, agent))
    assert "xyzzy" not in (await guest.client.get(f"/requests/{theirs.ticket_number}")).text
    assert (await guest.client.get(f"/tickets/{theirs.ticket_number}")).status_code == 303


async def refused(desk: Portal, path: str) -> bool:
    browser = await desk.browser()
    answer = await browser.client.get(path)
    return answer.status_code == 404 and LINK_COOKIE not in browser.client.cookies


async def test_a_link_is_worthless_when_it_is_old_altered_or_anothers(desk: Portal, kim: User, ticket: Ticket) -> None:
    other = await desk.make(lambda f: f.ticket())
    good = address(desk, ticket, kim)
    key = good.partition("key=")[2]
    assert await refused(desk, address(desk, ticket, kim, days=30, seconds=1))
    assert await refused(desk, f"/requests/{other.ticket_number}?key={key}")
    assert await refused(desk, f"/requests/DB-999999?key={key}")
    for wrong in (key[:-1], key + "A", "x", "x.y", key.partition(".")[0] + ".", "%00", "é"):
        assert await refused(desk, f"/requests/{ticket.ticket_number}?key={wrong}"), wrong
    assert not await refused(desk, good)


@pytest.mark.parametrize("change", ["email", "active", "requester", "deleted", "generation"])
async def test_what_happens_to_requester_or_ticket_ends_a_link_at_once(
    desk: Portal, kim: User, ticket: Ticket, change: str
) -> None:
    guest = await come(desk, address(desk, ticket, kim))
    somebody = await desk.make(lambda f: f.user())
    async with desk.database.async_transaction(SYSTEM) as session:
        users, tickets = update(User).where(User.id == kim.id), update(Ticket).where(Ticket.id == ticket.id)
        statements = {
            "email": users.values(email="other@example.test"),
            "active": users.values(is_active=False),
            "requester": tickets.values(creator_id=somebody.id),
            "deleted": tickets.values(deleted_at=func.now()),
        }
        if change in statements:
            await session.execute(statements[change])
    if change == "generation":
        reach = desk.app.state.resources.reach
        desk.app.state.resources = replace(desk.app.state.resources, reach=replace(reach, link_generation=2))
    answer = await guest.client.get(f"/requests/{ticket.ticket_number}")
    assert answer.headers["Location"].startswith("/login?next=")
    assert (await guest.send(f"/requests/{ticket.ticket_number}/reply", content="x")).status_code in {401, 403}
    assert await desk.fetch(select(func.count()).select_from(Comment)) == 0


async def test_the_cookie_goes_to_that_request_alone_and_scripts_cannot_read_it(
    desk: Portal, kim: User, ticket: Ticket
) -> None:
    browser = await desk.browser()
    cookie = (await browser.client.get(address(desk, ticket, kim))).headers["Set-Cookie"]
    for part in (f"Path=/requests/{ticket.ticket_number}", "HttpOnly", "SameSite=lax", "Max-Age="):
        assert part in cookie


async def test_a_guests_forms_want_the_links_own_token(desk: Portal, kim: User, ticket: Ticket) -> None:
    guest = await come(desk, address(desk, ticket, kim))
    guest.token = (await desk.browser(kim)).token
    assert (await guest.send(f"/requests/{ticket.ticket_number}/reply", content="x")).status_code == 403


async def test_a_session_goes_before_a_link(desk: Portal, kim: User, ticket: Ticket) -> None:
    guest = await come(desk, address(desk, ticket, kim))
    path = f"/requests/{ticket.ticket_number}"
    for who, is_guest in ((kim, False), (await desk.make(lambda f: f.user()), True)):
        logged_in = await desk.browser(who)
        guest.client.cookies.delete(COOKIE)
        guest.client.cookies.set(COOKIE, logged_in.client.cookies[COOKIE])
        assert ("by a link from a mail" in (await guest.client.get(path)).text) is is_guest
    agent = await desk.browser_of(Role.AGENT)
    guest.client.cookies.delete(COOKIE)
    guest.client.cookies.set(COOKIE, agent.client.cookies[COOKIE])
    assert (await guest.client.get(path)).headers["Location"] == f"/tickets/{ticket.ticket_number}"


async def test_the_link_in_a_mail_works(desk: Portal, ticket: Ticket) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    await desk.make(lambda f: f.comment(ticket, agent, "We send another"))
    guest = await come(desk, await desk.link())
    assert "We send another" in (await guest.client.get(f"/requests/{ticket.ticket_number}")).text


async def test_a_key_of_another_installation_opens_nothing(desk: Portal, kim: User, ticket: Ticket) -> None:
    path = address(desk, ticket, kim)
    elsewhere = portal_on(reaching(desk.database, key=b"another key" * 4), desk.stack)
    assert await refused(elsewhere, path)
