"""An administrator's path by keyboard alone, and axe on each page of the administrator's desk."""

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser.axe import complaints
from tests.web.browser.keys import focus_is_kept, follow, go, hidden_stops, press, tab_to, write
from tests.web.running import Site

WAYS = (
    *("", "/people", "/people/new", "/people/1", "/organizations", "/organizations/new", "/teams", "/teams/new"),
    *("/tags", "/tags/new", "/tags/1", "/views", "/tokens", "/tokens/new", "/audit", "/audit/operations/1"),
    *("/access-log", "/retention", "/jobs", "/mail", "/outbox", "/system", "/replicas", "/slow-queries"),
    *("/mailboxes", "/mailboxes/new", "/letters", "/letters/answered/en"),
)


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Page:
    """An administrator who is logged in."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{site.url}/login?next=/admin")
    page.get_by_label("E-mail address").fill(site.email)
    page.get_by_label("Password").fill(site.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    return page


def test_an_administrator_works_by_keyboard_alone(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin")
    follow(page, "Teams")
    expect(page.get_by_role("heading", level=1)).to_have_text("Teams")
    follow(page, "Add a team")
    expect(page).to_have_url(f"{site.url}/admin/teams/new")
    tab_to(page, "Name")
    page.keyboard.type("Refund desk")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Refund desk was added")

    follow(page, "People")
    expect(page.get_by_role("heading", level=1)).to_have_text("People")
    follow(page, "Add somebody")
    expect(page).to_have_url(f"{site.url}/admin/people/new")
    tab_to(page, "E-mail address")
    page.keyboard.type("quinn@example.org")
    tab_to(page, "Role")
    page.keyboard.type("Agent")
    tab_to(page, "Make up a password")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("shown this once")

    page.goto(f"{site.url}/admin/audit")
    tab_to(page, "CSV")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert "quinn@example.org" not in download.value.path().read_text()
    assert download.value.path().read_text().startswith("id,created_at,operation_id")


def test_an_administrator_keeps_the_desk_in_order(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin")
    done = page.get_by_role("status").first
    go(page, "Tags", "main")
    go(page, "Add a tag")
    write(page, "Name", "refund")
    go(page, "Add", "form")
    expect(done).to_contain_text("refund was added")
    go(page, "Organizations", "main")
    go(page, "Add an organization")
    write(page, "Name", "Globex")
    tab_to(page, "Members see each other's tickets")
    press(page, "Space", "Enter")
    expect(done).to_contain_text("Globex was added")
    expect(page.get_by_label("Members see each other's tickets")).to_be_checked()

    go(page, "API tokens", "main")
    go(page, "Make a token of your own")
    write(page, "What it is for", "By hand")
    press(page, "Enter")
    expect(page.get_by_text("By hand, shown this once")).to_be_visible()
    go(page, "To the tokens")
    follow(page, "Revoke…")
    focus_is_kept(page)
    go(page, "Revoke the token")
    expect(done).to_contain_text("no longer works")

    go(page, "Jobs", "main")
    go(page, "Done", "main")
    expect(page.locator("main .filters [aria-current]")).to_contain_text("Done")
    go(page, "Audit log", "main")
    write(page, "Of what", "Tag", "main")
    write(page, "What", "", "main")
    go(page, "Filter", "main")
    page.wait_for_url("**/admin/audit?*table=tags*")
    tab_to(page, "", "td:last-child")
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Operation")


def test_an_administrator_connects_a_mailbox_and_writes_a_letter(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin")
    go(page, "Mailboxes", "main")
    go(page, "Add a mailbox")
    write(page, "E-mail address", "keys@example.org")
    write(page, "IMAP server", "127.0.0.1")
    tab_to(page, "Port")
    press(page, "Control+a")
    page.keyboard.type("1")
    write(page, "Password", "swordfish")
    tab_to(page, "Signing, speed and trusted authorities")
    press(page, "Enter")
    expect(page.get_by_label("DKIM: domain")).to_be_visible()
    follow(page, "Test the connections")
    expect(page.locator("#check-result .bad")).to_contain_text("Connect")
    expect(page.get_by_role("button", name="Test the connections")).to_be_focused()
    assert hidden_stops(page) == []
    go(page, "Cancel", back=True)

    go(page, "Letters", "main")
    go(page, "English", "td")
    tab_to(page, "Text")
    press(page, "Control+End")
    page.keyboard.type("Yours, by hand.")
    tab_to(page, "Preview")
    press(page, "Enter")
    expect(page.frame_locator("iframe").get_by_text("Yours, by hand.").first).to_be_visible()
    expect(page.get_by_role("button", name="Preview")).to_be_focused()
    go(page, "Save", back=True)
    expect(page.locator(".top")).to_contain_text("Your words")
    follow(page, "Go back to the first words…")
    focus_is_kept(page)
    go(page, "Go back", "form")
    expect(page.locator(".top")).not_to_contain_text("Your words")


def test_what_hurts_is_said_before_it_is_done(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin/people?q=quinn")
    follow(page, "quinn")
    expect(page.get_by_role("heading", level=1)).to_have_text("quinn")
    expect(page.get_by_text("Their unresolved tickets become unassigned")).to_be_hidden()
    tab_to(page, "Deactivate…")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Their unresolved tickets become unassigned")).to_be_visible()
    tab_to(page, "Deactivate")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("They can no longer log in")


def test_a_job_is_found_and_the_queue_is_shown(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin/jobs")
    tab_to(page, "Failed")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/admin/jobs?state=failed")


def test_axe_finds_nothing_on_any_page(page: Page, site: Site) -> None:
    found = {}
    for way in WAYS:
        answer = page.goto(f"{site.url}/admin{way}")
        assert answer
        assert answer.status in {200, 404}, way
        if wrong := complaints(page):
            found[way] = wrong
    assert not found, json.dumps(found, indent=1)


def test_no_page_is_wider_than_a_phone(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    wide = []
    for way in WAYS:
        page.goto(f"{site.url}/admin{way}")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(way)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert wide == []
