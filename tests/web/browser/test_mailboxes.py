"""An administrator connects a mailbox: what the servers say comes into the page, and nothing typed is lost."""

import socket
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser.axe import complaints
from tests.web.running import Site


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


def csrf(page: Page) -> dict[str, str]:
    return {"X-CSRF-Token": page.locator("input[name=csrf_token]").first.get_attribute("value") or ""}


def delivered(page: Page, site: Site, mail: bytes) -> tuple[int, str]:
    """Deliver a message as mail servers do over HTTP; return its number and state once it was filed."""
    headers = {**csrf(page), "Content-Type": "message/rfc822"}
    taken = page.request.post(f"{site.url}/api/v1/mail/inbound", data=mail, headers=headers)
    assert taken.ok, taken.text()
    for _ in range(600):
        entry = page.request.get(site.url + taken.headers["location"]).json()
        if entry["state"] != "received":
            return entry["id"], entry["state"]
        time.sleep(0.1)
    pytest.fail("nobody has filed it")


def test_axe_finds_nothing_where_mail_is_shown(page: Page, site: Site) -> None:
    ticket = f"{site.url}/tickets/DB-1001"
    page.goto(ticket)
    page.get_by_label("Send copies to").fill("pat@example.test")
    page.get_by_role("button", name="Add to the copies").click()
    expect(page.locator("#readers")).to_contain_text("1 copy will read it: pat@example.test")
    api = f"{site.url}/api/v1/tickets/DB-1001/comments"
    assert page.request.post(api, data={"content": "It is on its way."}, headers=csrf(page)).ok
    mail = "From: Mo <mo@example.test>\r\nTo: help@example.test\r\nSubject: Re: [DB-1001] Hello\r\n\r\n<b>Me too.\r\n"
    number, state = delivered(page, site, mail.encode())
    assert state == "suspended"
    found = {}
    for way in ("/admin/mail?state=suspended", f"/admin/mail/{number}", "/admin/outbox", "/suspended", "/profile"):
        page.goto(site.url + way)
        found[way] = complaints(page)
    page.goto(ticket)
    expect(page.locator(".held")).to_contain_text("mo@example.test")
    expect(page.locator(".delivery").last).to_contain_text("pat@example.test")
    found["ticket"] = complaints(page)
    page.locator("#composer").get_by_text("Internal note", exact=True).click()
    expect(page.locator("#readers")).to_have_text("Only colleagues will read it.", use_inner_text=True)
    found["note"] = complaints(page)
    assert {way: wrong for way, wrong in found.items() if wrong} == {}


def test_the_suspended_queue_is_in_the_rail(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/tickets")
    page.get_by_role("link", name="Suspended mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Suspended mail")
    assert complaints(page) == []
