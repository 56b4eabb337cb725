"""Two agents at one desk: what one does, the other sees at once, and loses nothing of what they are typing."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.browser.axe import complaints
from tests.web.running import Site, deskbell, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(folder: Path, own_settings: dict[str, str]) -> Iterator[Site]:
    """A desk of its own, as Ravi is to be made there; open streams do not keep it from stopping."""
    with serving(folder, own_settings) as site:
        yield site
        site.process.send_signal(signal.SIGINT)
        said, _ = site.process.communicate(timeout=60)
        assert (site.process.returncode, "graceful shutdown exceeded" in said) == (0, False), said


@pytest.fixture(scope="module")
def passwords(folder: Path, own_settings: dict[str, str], site: Site) -> dict[str, str]:
    name = "ravi@example.org"
    who = (name, "--name", "Ravi Iyer", "--role", "agent")
    made = deskbell(folder, "user", "create", *who, "--generate-password", "--json", settings=own_settings)
    return {site.email: site.password, name: json.loads(made.stdout)["password"]}


def logged_in(browser: Browser, site: Site, email: str, password: str) -> BrowserContext:
    context = browser.new_context(base_url=site.url, locale="en-GB")
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/tickets")
    return context


@pytest.fixture
def pages(browser: Browser, site: Site, passwords: dict[str, str]) -> Iterator[list[Page]]:
    """The window of the administrator and that of Ravi."""
    contexts = [logged_in(browser, site, *login) for login in passwords.items()]
    yield [context.pages[0] for context in contexts]
    for context in contexts:
        context.close()


def call(page: Page, method: str, path: str, data: dict[str, object]) -> None:
    """Change something through the API, as whoever is logged in."""
    token = page.locator("input[name=csrf_token]").first.get_attribute("value") or ""
    answer = page.request.fetch(f"/api/v1{path}", method=method, data=data, headers={"X-CSRF-Token": token})
    assert answer.ok, answer.text()


def first_ticket(page: Page) -> str:
    return page.locator("tr[data-ticket] a[href^='/tickets/']").first.get_attribute("href") or ""


def test_a_message_appears_while_a_half_typed_reply_stays(pages: list[Page]) -> None:
    ada, ravi = pages
    path = first_ticket(ada)
    for page in pages:
        page.goto(path)
    expect(ada.locator("#presence")).to_contain_text("Ravi Iyer is looking at this.")

    ravi.locator("#content").fill("")
    ravi.locator("#content").press_sequentially("I am half way thr")
    expect(ada.locator("#presence")).to_contain_text("Ravi Iyer is writing a reply…")
    assert complaints(ada) == []
    top = ravi.locator("#content").bounding_box()

    call(ada, "POST", f"{path}/comments", {"content": "The server was restarted at noon."})
    message = ravi.locator("#thread article", has_text="restarted at noon")
    expect(message).to_be_visible()
    expect(ravi.locator("#live [aria-live]")).to_have_text("New message by Administrator")
    expect(ravi.locator("#content")).to_have_value("I am half way thr")
    expect(ravi.locator("#content")).to_be_focused()
    after = ravi.locator("#content").bounding_box()
    assert top
    assert after
    assert abs(after["y"] - top["y"]) < 2
    expect(ada.locator("#thread article", has_text="restarted at noon")).to_be_visible()
    expect(ada.locator("#thread .is-new")).to_have_count(0)

    ravi.goto("/tickets")
    expect(ada.locator("#presence")).to_be_hidden()
    expect(ravi.locator("tr[data-ticket] .here").first).to_contain_text("Administrator is looking at this.")


def test_a_field_that_is_being_changed_is_left_alone(pages: list[Page]) -> None:
    ada, ravi = pages
    path = first_ticket(ada)
    ravi.goto(path)
    ravi.get_by_placeholder("Add a tag").fill("half a t")
    call(ada, "PATCH", path, {"title": "Another title altogether"})
    expect(ravi.get_by_role("heading", level=1)).to_contain_text("Another title altogether")
    expect(ravi.get_by_placeholder("Add a tag")).to_have_value("half a t")


def test_rows_change_in_place_and_new_ones_wait(pages: list[Page]) -> None:
    ada, ravi = pages
    ravi.goto("/tickets")
    rows = ravi.locator("tr[data-ticket]")
    before = rows.count()
    number = first_ticket(ravi)
    call(ada, "PATCH", number, {"priority": "urgent", "title": "Now it burns"})
    expect(rows.first).to_contain_text("Now it burns")
    expect(rows.first).to_have_class("unread is-new")

    for title in ("One more", "And another"):
        call(ada, "POST", "/tickets", {"title": title, "description": title})
    button = ravi.get_by_role("button", name="2 new tickets: show")
    expect(button).to_be_visible()
    expect(rows).to_have_count(before)
    button.click()
    expect(rows).to_have_count(before + 2)
    expect(rows.first).to_contain_text("And another")
    expect(button).to_be_hidden()


def test_a_dropped_connection_is_shown_and_catches_up(pages: list[Page]) -> None:
    ada, ravi = pages
    path = first_ticket(ada)
    ravi.goto(path)
    bar = ravi.get_by_text("Connection lost, trying again…")
    expect(bar).to_be_hidden()
    ravi.context.set_offline(True)
    expect(bar).to_be_visible()
    assert complaints(ravi) == []
    ravi.locator("#content").fill("Written in a tunnel")
    call(ada, "POST", f"{path}/comments", {"content": "Said while nobody heard."})
    expect(ravi.get_by_text("Said while nobody heard.")).to_have_count(0)
    ravi.context.set_offline(False)
    expect(bar).to_be_hidden()
    expect(ravi.get_by_text("Said while nobody heard.")).to_be_visible()
    expect(ravi.locator("#content")).to_have_value("Written in a tunnel")


def test_who_is_logged_out_is_told_and_keeps_what_was_written(pages: list[Page]) -> None:
    _, ravi = pages
    ravi.goto(first_ticket(ravi))
    ravi.locator("#content").fill("Not sent yet")
    other = ravi.context.new_page()
    other.goto("/tickets")
    other.locator("summary[title='Ravi Iyer']").click()
    other.get_by_role("button", name="Log out").click()
    expect(ravi.get_by_text("You are logged out.")).to_be_visible()
    assert complaints(ravi) == []
    expect(ravi.locator("#content")).to_have_value("Not sent yet")
