"""Getting in by links from mails: to register, with a new password, without one. Nobody learns who has an account."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from deskbell.accounts.link_models import SignInLink
from deskbell.accounts.login import credentials
from deskbell.accounts.models import LoginSession, Role, User
from deskbell.accounts.passwords import verify_password
from deskbell.mail.outbound.models import OutboundKind, OutboundState
from deskbell.testing.factories import SYSTEM
from deskbell.web.csrf import COOKIE
from deskbell.web.pages.visitors import VISITOR_COOKIE
from tests.web.pages.conftest import Browser
from tests.web.portal.conftest import Portal, field, portal_on, reaching

pytestmark = pytest.mark.anyio

NEW = "new@example.test"
ASKS = ["/register", "/password", "/login/link"]


async def ask(desk: Portal, path: str, email: str) -> Browser:
    browser = await desk.visitor(path)
    answer = await browser.send(path, email=email)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/check-mail")
    return browser


async def follow(desk: Portal, path: str, **fields: Any) -> tuple[Browser, int]:
    """Open a link in a browser of its own, as one does on another machine, and press its button."""
    browser = await desk.browser()
    page = await browser.client.get(path)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    if page.status_code != 200:
        return browser, page.status_code
    browser.token = field(page.text, "csrf_token")
    answer = await browser.send("/sign-in", token=field(page.text, "token"), **fields)
    return browser, answer.status_code


async def test_somebody_registers_and_asks(desk: Portal) -> None:
    await ask(desk, "/register", NEW)
    browser, status = await follow(desk, await desk.link(), full_name="Ned New", password="correct horse")
    assert status == 303
    assert (await browser.client.get("/")).headers["Location"] == "/requests"
    assert "Ned New" in (await browser.client.get("/requests")).text


async def test_before_the_link_is_followed_nobody_is_there(desk: Portal) -> None:
    await ask(desk, "/register", NEW)
    path = await desk.link()
    browser = await desk.browser()
    await browser.client.get(path)
    assert await desk.fetch(select(func.count()).select_from(User)) == 0
    assert (await browser.client.get("/requests")).headers["Location"].startswith("/login")


@pytest.mark.parametrize("path", ASKS)
@pytest.mark.parametrize(
    "email", ["kim@example.test", "nobody@example.test", "gone@example.test", "agent@example.test"]
)
@pytest.mark.usefixtures("kim")
async def test_the_answer_is_the_same_whoever_has_an_account(desk: Portal, path: str, email: str) -> None:
    await desk.make(lambda f: f.user(Role.AGENT, email="agent@example.test"))
    gone = await desk.make(lambda f: f.user(email="gone@example.test"))
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.execute(update(User).where(User.id == gone.id).values(is_active=False))
    browser = await ask(desk, path, email)
    assert "on its way" in (await browser.client.get("/check-mail")).text
    jobs = text("select task_name from jobs.procrastinate_jobs")
    assert await desk.fetch(jobs) == "mail.send_link"  # and nothing was looked up: the time tells nothing either
    assert await desk.fetch(select(func.count()).select_from(SignInLink)) == 0


async def test_who_has_an_account_is_told_so_in_their_mailbox_alone(desk: Portal, kim: User) -> None:
    await ask(desk, "/register", "Kim@Example.test")
    [mail] = await desk.mails()
    assert (mail.kind, mail.recipient) == (OutboundKind.KNOWN, "Kim@Example.test")
    _, status = await follow(desk, await desk.link(), password="another password")
    assert status == 303
    async with desk.database.async_transaction(SYSTEM) as session:
        known = await session.run_sync(credentials, kim.email)
    assert verify_password("another password", known.password_hash)


async def test_to_register_an_agents_address_changes_nothing_of_the_agent(desk: Portal) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT, email="agent@example.test", full_name="Sam"))
    await ask(desk, "/register", agent.email)
    path = await desk.link()
    page = (await (await desk.browser()).client.get(path)).text
    assert "Your name" not in page  # the link is one to set a password, and nothing else
    browser, status = await follow(desk, path, full_name="Mallory", password="correct horse")
    assert status == 303
    assert (await browser.client.get("/")).headers["Location"] == "/tickets"
    assert await desk.fetch(select(User.full_name).where(User.id == agent.id)) == "Sam"
    assert await desk.fetch(select(func.count()).select_from(User)) == 1


async def test_a_customer_who_only_wrote_registers_and_sees_what_they_wrote(desk: Portal) -> None:
    writer = await desk.make(lambda f: f.user(email="writer@example.test", full_name="Wendy"))
    ticket = await desk.make(lambda f: f.ticket(writer, title="Where is my card"))
    await ask(desk, "/register", writer.email)
    browser, _ = await follow(desk, await desk.link(), password="correct horse")
    assert ticket.title in (await browser.client.get("/requests")).text


async def test_an_unknown_address_is_sent_nothing_to_reset_or_log_in(desk: Portal) -> None:
    await ask(desk, "/password", "nobody@example.test")
    await ask(desk, "/login/link", "nobody@example.test")
    assert await desk.mails() == []


async def test_a_link_logs_in_once_and_looking_does_not_use_it_up(desk: Portal, kim: User) -> None:
    await ask(desk, "/login/link", kim.email)
    path = await desk.link()
    scanner = await desk.browser()
    for _ in range(3):
        assert (await scanner.client.get(path)).status_code == 200
        await scanner.client.head(path)
    browser, first = await follow(desk, path)
    assert (first, COOKIE in browser.client.cookies) == (303, True)
    other, second = await follow(desk, path)
    assert (second, COOKIE in other.client.cookies) == (404, False)


async def test_a_form_that_is_sent_twice_opens_one_session(desk: Portal, kim: User) -> None:
    await ask(desk, "/login/link", kim.email)
    path = await desk.link()
    browser = await desk.browser()
    page = (await browser.client.get(path)).text
    browser.token, token = field(page, "csrf_token"), field(page, "token")
    assert (await browser.send("/sign-in", token=token)).status_code == 303
    assert (await browser.send("/sign-in", token=token)).status_code == 403  # the visit is over, and the link used


@pytest.mark.parametrize(("path", "minutes"), [("/login/link", 15), ("/password", 60), ("/register", 24 * 60)])
async def test_links_expire(desk: Portal, kim: User, path: str, minutes: int) -> None:
    await ask(desk, path, NEW if path == "/register" else kim.email)
    link = await desk.link()
    shift = {"expires_at": SignInLink.expires_at - timedelta(minutes=minutes, seconds=1)}
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.execute(update(SignInLink).values(shift))
    assert (await follow(desk, link, password="correct horse"))[1] == 404
    assert await desk.fetch(select(func.count()).select_from(LoginSession)) == 0


async def test_a_link_to_log_in_sets_no_password(desk: Portal, kim: User) -> None:
    await ask(desk, "/login/link", kim.email)
    await follow(desk, await desk.link(), password="mallory's password", full_name="Mallory")
    async with desk.database.async_transaction(SYSTEM) as session:
        known = await session.run_sync(credentials, kim.email)
    assert verify_password("correct horse", known.password_hash)


async def test_a_new_password_logs_out_everywhere_and_ends_the_other_links(desk: Portal, kim: User) -> None:
    thief = await desk.browser(kim)
    await ask(desk, "/login/link", kim.email)
    other = await desk.link()
    await ask(desk, "/password", kim.email)
    browser, status = await follow(desk, await desk.link(), password="a better password")
    assert status == 303
    assert (await thief.client.get("/requests")).headers["Location"].startswith("/login")
    assert (await browser.client.get("/requests")).status_code == 200
    assert (await follow(desk, other))[1] == 404


async def test_a_link_is_worthless_once_the_address_is_another_or_the_account_is_closed(
    desk: Portal, kim: User
) -> None:
    for change in ({"email": "kim@elsewhere.test"}, {"is_active": False}):
        await ask(desk, "/login/link", kim.email)
        path = await desk.link()
        async with desk.database.async_transaction(SYSTEM) as session:
            await session.execute(update(User).where(User.id == kim.id).values(**change))
        assert (await follow(desk, path))[1] == 404
        async with desk.database.async_transaction(SYSTEM) as session:
            await session.execute(update(User).where(User.id == kim.id).values(email=kim.email))


async def test_a_short_password_is_refused_beside_its_field_and_the_link_still_works(desk: Portal, kim: User) -> None:
    await ask(desk, "/password", kim.email)
    path = await desk.link()
    browser, status = await follow(desk, path, password="short")
    assert (status, COOKIE in browser.client.cookies) == (422, False)
    assert (await follow(desk, path, password="long enough"))[1] == 303


async def test_only_the_hash_of_a_link_is_kept_with_it(desk: Portal, kim: User) -> None:
    await ask(desk, "/login/link", kim.email)
    token = (await desk.link()).partition("token=")[2]
    kept = text("select count(*) from sign_in_links l where to_jsonb(l)::text like :found")
    assert await desk.fetch(kept.bindparams(found=f"%{token}%")) == 0


@pytest.mark.parametrize("token", ["", "x", "dbl_x", "dbl_" + "A" * 43, "\x00", "é" * 100, "a" * 3000])
async def test_a_made_up_link_is_a_page_that_says_so(desk: Portal, token: str) -> None:
    browser = await desk.browser()
    page = await browser.client.get("/sign-in", params={"token": token})
    assert page.status_code == 404
    assert "does not work any more" in page.text


@pytest.mark.parametrize("path", [*ASKS, "/sign-in", "/login"])
async def test_forms_of_other_sites_are_refused(desk: Portal, kim: User, path: str) -> None:
    browser = await desk.visitor()
    browser.token = "forged"
    sent: dict[str, Any] = {"email": kim.email, "password": "correct horse", "token": "x"}
    assert (await browser.send(path, **sent)).status_code == 403
    browser.client.cookies.clear()
    assert (await browser.send(path, **sent)).status_code == 403
    assert await desk.mails() == []


@pytest.mark.parametrize("email", ["", "x", "a@b c", "kim@example.test\r\nBcc: all@example.test", "a" * 300 + "@b.c"])
async def test_what_is_no_address_is_said_beside_the_field(desk: Portal, email: str) -> None:
    browser = await desk.visitor("/register")
    answer = await browser.send("/register", email=email)
    assert answer.status_code == 422
    assert await desk.mails() == []


async def test_nobody_registers_where_that_is_off(desk: Portal) -> None:
    await ask(desk, "/register", NEW)
    path = await desk.link()
    closed = portal_on(reaching(desk.database, registration=False, key=desk.app.state.resources.reach.key), desk.stack)
    browser = await closed.visitor()
    assert "/register" not in (await browser.client.get("/login")).text
    assert (await browser.client.get("/register")).status_code == 404
    assert (await browser.send("/register", email=NEW)).status_code == 404
    assert (await follow(closed, path, password="correct horse"))[1] == 404


async def test_only_addresses_of_the_domains_that_may_register(desk: Portal) -> None:
    firm = portal_on(reaching(desk.database, domains=("firm.test",)), desk.stack)
    browser = await firm.visitor("/register")
    assert (await browser.send("/register", email=NEW)).status_code == 422
    assert (await browser.send("/register", email="x@evil-firm.test")).status_code == 422
    assert (await browser.send("/register", email="x@Firm.test")).status_code == 303


async def test_one_mailbox_is_not_filled_through_us(desk: Portal, kim: User) -> None:
    browser = await desk.visitor("/password")
    codes = [(await browser.send("/password", email=kim.email)).status_code for _ in range(7)]
    assert codes == [303] * 5 + [429] * 2
    assert len(await desk.mails()) == 5
    again = portal_on(desk.database, desk.stack)  # another process, whose memory is empty: the database counts too
    browser = await again.visitor("/login/link")
    assert (await browser.send("/login/link", email=kim.email)).status_code == 303
    assert len(await desk.mails()) == 5


@pytest.mark.parametrize(
    "target", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "\t//evil.test"]
)
async def test_nobody_is_led_elsewhere(desk: Portal, kim: User, target: str) -> None:
    browser = await desk.visitor()
    answer = await browser.send("/login", email=kim.email, password="correct horse", next=target)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


async def test_the_visit_ends_with_logging_in(desk: Portal, kim: User) -> None:
    await ask(desk, "/login/link", kim.email)
    browser, _ = await follow(desk, await desk.link())
    assert VISITOR_COOKIE not in browser.client.cookies


async def test_messages_wait_where_there_is_no_server_and_say_so(desk: Portal, kim: User) -> None:
    await ask(desk, "/login/link", kim.email)
    [mail] = await desk.mails()
    assert mail.state is OutboundState.QUEUED
    assert "DESKBELL_SMTP_HOST" in mail.reason
