"""An administrator's path by keyboard alone, and axe on each page of the administrator's desk."""

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser.axe import complaints
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


NAME = """(() => {
  const focused = document.activeElement;
  return focused.matches("a, button, input, select, summary") ? (focused.labels?.[0] ?? focused).textContent : "";
})()"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus, as somebody without a mouse does."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if name in page.evaluate(NAME):
            return
    pytest.fail(f"{name} cannot be reached by keyboard")


def follow(page: Page, name: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Enter")


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
