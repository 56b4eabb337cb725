"""An administrator connects a mailbox: what the servers say comes into the page, and nothing typed is lost."""

import json
import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.running import Site

AXE = (Path(__file__).parent / "vendor" / "axe.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Page:
    """An administrator who is logged in."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{site.url}/login?next=/admin/mailboxes")
    page.get_by_label("E-mail address").fill(site.email)
    page.get_by_label("Password").fill(site.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mailboxes")
    return page


def complaints(page: Page) -> list[str]:
    page.evaluate(AXE)
    result = page.evaluate(f"axe.run({{runOnly: {json.dumps(TAGS)}}})")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in result["violations"]]


def test_a_mailbox_is_tried_without_leaving_the_form_and_then_added(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin/mailboxes/new")
    page.get_by_label("E-mail address").fill("help@example.org")
    page.locator("#imap_host").fill("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = str(closed.getsockname()[1])
    page.locator("#imap_port").fill(port)
    page.locator("#imap_password").fill("swordfish")
    test = page.get_by_role("button", name="Test the connections")
    for _ in range(2):
        test.click()
        expect(page.locator("#check-result .bad")).to_contain_text("Connect")
        expect(test).to_be_enabled()
    assert page.url == f"{site.url}/admin/mailboxes/new"
    expect(page.locator("#imap_password")).to_have_value("swordfish")
    assert complaints(page) == []
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("help@example.org was added")
    expect(page.locator("#imap_password")).to_have_value("")
    expect(page.get_by_text("One is kept.").first).to_be_visible()
    assert complaints(page) == []


def test_a_letter_is_seen_as_it_would_be_sent(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin/letters/answered/en")
    shown = page.frame_locator("iframe[name=letter-preview]").locator("body")
    expect(shown).to_contain_text("Sam Weber has answered")
    for greeting in ("With many greetings", "With fewer"):
        page.get_by_label("Text").fill(f"{{{{ message }}}}\n\n{greeting}")
        page.get_by_role("button", name="Preview").click()
        expect(shown).to_contain_text(greeting)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")


def test_the_suspended_queue_is_in_the_rail(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/tickets")
    page.get_by_role("link", name="Suspended mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Suspended mail")
    assert complaints(page) == []
