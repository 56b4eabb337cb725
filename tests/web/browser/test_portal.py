"""A customer's path in a real browser, narrow, with and without scripts; the mail is read from the outbox."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, ViewportSize, expect

from tests.web.browser.axe import complaints
from tests.web.running import Site, serving

NARROW: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(folder: Path, own_settings: dict[str, str]) -> Iterator[Site]:
    """A desk without a mail server: what it would send waits in its outbox."""
    with serving(folder, own_settings) as site:
        yield site


@pytest.fixture(scope="module")
def outbox(own_settings: dict[str, str]) -> Iterator[psycopg.Connection]:
    """What that desk's database has, as the superuser sees it."""
    with psycopg.connect(own_settings["DESKBELL_DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(viewport=NARROW, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def newest_link(outbox: psycopg.Connection, email: str, but: str = "") -> str:
    """Return the path in the newest message to an address, once the worker has written one that has another."""
    newest = "select text from outbound_messages where recipient = %s and text ~ 'https?://' order by id desc limit 1"
    for _ in range(600):
        row = outbox.execute(newest, [email]).fetchone()
        if row and (found := re.search(r"https?://[^/\s]+(/\S+)", row[0])) and found[1] != but:
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"there is no message to {email}")


def check(page: Page, *, scripts: bool) -> None:
    """Nothing sticks out sideways; axe finds nothing."""
    if not scripts:
        return
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    assert complaints(page) == [], page.url


def test_a_customers_path(
    site: Site, outbox: psycopg.Connection, page: Page, browser: Browser, request: pytest.FixtureRequest
) -> None:
    scripts = "no scripts" not in request.node.name
    email = f"kim-{'with' if scripts else 'without'}@example.test"
    page.goto(site.url)
    check(page, scripts=scripts)
    page.get_by_role("link", name="I have no account yet").click()
    page.get_by_label("E-mail address").fill(email)
    check(page, scripts=scripts)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    way_in = newest_link(outbox, email)
    page.goto(site.url + way_in)
    page.get_by_label("Your name").fill("Kim Doe")
    page.get_by_label("New password").fill("correct horse battery")
    check(page, scripts=scripts)
    page.get_by_role("button", name="Register and log in").click()
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()
    check(page, scripts=scripts)

    page.get_by_role("main").get_by_role("link", name="Ask for help").click()
    page.get_by_label("Subject").fill("My card has not arrived")
    page.get_by_role("textbox", name="Your message").fill("Hello,\nit was sent two weeks ago.")
    page.locator("#files").set_input_files(
        [FilePayload(name=name, mimeType="text/plain", buffer=b"x" * 100_000) for name in ("a.txt", "b.txt")]
    )
    check(page, scripts=scripts)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", name="My card has not arrived")).to_be_visible()
    expect(page.get_by_role("link", name="b.txt")).to_be_visible()
    check(page, scripts=scripts)
    page.get_by_role("textbox", name="Your answer").fill("It came!")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("It came!")).to_be_visible()
    page.get_by_role("button", name="Mark as solved").click()
    expect(page.get_by_text("This request is solved.")).to_be_visible()
    check(page, scripts=scripts)
    address = page.url

    page.goto(f"{site.url}/requests?q=card")
    expect(page.get_by_role("link", name="My card has not arrived")).to_be_visible()
    check(page, scripts=scripts)
    if scripts:
        page.goto(f"{site.url}/requests/new")
        page.get_by_label("Subject").press_sequentially("card not arrived")
        expect(page.get_by_role("heading", name="Have you asked this before?")).to_be_visible()
        check(page, scripts=scripts)

    guest = browser.new_context(viewport=NARROW, java_script_enabled=scripts, color_scheme="dark").new_page()
    guest.goto(site.url + newest_link(outbox, email, but=way_in))
    expect(guest).to_have_url(address.partition("#")[0])
    check(guest, scripts=scripts)
    guest.get_by_role("textbox", name="Your answer").fill("Not quite")
    guest.get_by_role("button", name="Send", exact=True).click()
    expect(guest.get_by_text("Not quite")).to_be_visible()
    expect(guest.get_by_text("We are on it")).to_be_visible()
    guest.context.close()
