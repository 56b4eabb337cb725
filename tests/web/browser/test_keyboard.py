"""An agent's and a customer's flows by keyboard alone: nothing here acts but `page.keyboard`."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from tests.web.browser.keys import (
    RAVI,
    TICKET,
    Desk,
    choose_a_file,
    focus_is_kept,
    follow,
    go,
    hidden_stops,
    press,
    scripts_are_there,
    somebody,
    tab_to,
    to_the_ticket,
    window,
    write,
)
from tests.web.browser.test_portal import newest_link
from tests.web.running import deskbell, serving

pytestmark = pytest.mark.browser

QUOTED = "> Your invoice of November"


@pytest.fixture(scope="module")
def desk(folder: Path, own_settings: dict[str, str]) -> Iterator[Desk]:
    """A desk of its own, with a grace that one can wait for and that still leaves time to press a few keys."""
    further = {"DESKBELL_WORKSPACE_UNDO_SECONDS": "6", "DESKBELL_WEB_LOGIN_RATE": "1000/minute"}
    settings = {**own_settings, **further}
    with (
        serving(folder, settings) as site,
        psycopg.connect(settings["DESKBELL_DATABASE_URL"], autocommit=True) as database,
    ):
        who = (RAVI, "--name", "Ravi Patel", "--role", "agent")
        made = deskbell(folder, "user", "create", *who, "--generate-password", "--json", settings=settings)
        database.execute("update tickets set description_folded = %s where title = %s", [QUOTED, TICKET])
        yield Desk(site, json.loads(made.stdout)["password"], database)


def test_an_agent_opens_a_ticket_for_somebody(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        press(page, "c")
        expect(page.get_by_label("Requester’s e-mail address")).to_be_focused()
        page.keyboard.type("noor@example.test")
        write(page, "Name, if they are new", "Noor Haddad")
        write(page, "Title", "The door does not open")
        write(page, "What they ask for", "It has no handle.")
        write(page, "Priority", "High")
        go(page, "Open the ticket")
        expect(page.get_by_role("heading", level=1)).to_contain_text("The door does not open")
        scripts_are_there(page)


def test_an_agent_searches_and_keeps_the_search(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        press(page, "/")
        box, offers = page.get_by_role("combobox", name="Search tickets"), page.locator("#q-offers")
        expect(box).to_be_focused()
        page.keyboard.type("prio")
        expect(offers.get_by_role("option").first).to_contain_text("priority:")
        press(page, "Tab")
        expect(offers.get_by_role("option", name="high")).to_be_visible()
        page.keyboard.type("hi")
        expect(offers.get_by_role("option")).to_have_count(1)
        press(page, "ArrowDown")
        expect(offers.get_by_role("option", selected=True)).to_have_text("high")
        press(page, "Enter")
        expect(box).to_have_value("priority:high ")
        expect(offers.get_by_role("option").first).to_be_visible()
        press(page, "Tab")
        expect(box).not_to_be_focused()
        expect(box).to_have_value("priority:high ")
        press(page, "Shift+Tab", "Enter")
        page.wait_for_url("**/tickets?q=priority*")
        scripts_are_there(page)

        tab_to(page, "Save as view")
        press(page, "Enter")
        expect(page.get_by_role("dialog", name="Save as view").get_by_label("Name")).to_be_focused()
        press(page, "Escape")
        expect(page.get_by_role("link", name="Save as view")).to_be_focused()
        press(page, "Enter")
        expect(page.get_by_role("dialog", name="Save as view").get_by_label("Name")).to_be_focused()
        page.keyboard.type("What is pressing")
        tab_to(page, "Nobody")
        press(page, "ArrowUp")
        expect(page.get_by_role("radio", name="All the desk")).to_be_checked()
        go(page, "Save", "dialog")
        expect(page.get_by_role("heading", level=1)).to_have_text("What is pressing")
        scripts_are_there(page)


def test_an_agent_finds_the_keys_and_the_palette(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        press(page, "j")
        first = page.locator("#tickets tbody tr").first
        expect(first.locator(".title a")).to_be_focused()
        press(page, "?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        press(page, "Escape")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
        expect(first.locator(".title a")).to_be_focused()
        press(page, "x")
        follow(page, "Clear the selection")
        expect(page.locator("#bulk")).to_be_hidden()
        focus_is_kept(page)
        to_the_ticket(page)
        press(page, "u")
        page.wait_for_url("**/tickets")


def test_an_agent_replies_calls_it_back_and_notes(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        to_the_ticket(page)
        text, waiting = page.locator("#content"), page.locator("#waiting")
        press(page, "r")
        expect(text).to_be_focused()
        page.keyboard.type("The second charge was cancelled.")
        press(page, "Control+Enter")
        expect(waiting).to_be_focused()
        go(page, "Undo sending")
        expect(text).to_be_focused()
        expect(text).to_have_value("The second charge was cancelled.")
        scripts_are_there(page)
        choose_a_file(page, "Attach files")
        expect(page.locator("#draft-files")).to_contain_text("receipt.txt")
        follow(page, "Remove the file receipt.txt", back=True)
        expect(page.locator("#draft-files li")).to_have_count(0)
        expect(text).to_be_focused()
        press(page, "Control+Enter")
        expect(waiting).to_be_focused()
        tab_to(page, "Undo sending")
        expect(waiting).to_have_count(0)
        expect(page.locator("#thread article").last).to_contain_text("The second charge was cancelled.")
        focus_is_kept(page)

        press(page, "n")
        expect(text).to_be_focused()
        expect(page.get_by_role("radio", name="Internal note")).to_be_checked()
        page.keyboard.type("Please look, @")
        offers = page.get_by_role("listbox", name="Colleagues").get_by_role("option")
        press(page, "ArrowDown")
        expect(offers.nth(1)).to_have_attribute("aria-selected", "true")
        name = offers.nth(1).inner_text()
        press(page, "Enter")
        expect(text).to_have_value(f"Please look, @{name} ")
        press(page, "Control+Enter")
        expect(waiting).to_be_focused()
        scripts_are_there(page)
        press(page, "z")
        expect(text).to_be_focused()
        expect(text).to_have_value(f"Please look, @{name} ")


def test_an_agent_changes_what_is_known_and_looks_back(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        other = page.locator("#tickets tbody .c-number").last.inner_text()
        to_the_ticket(page)
        for key, name in (("s", "Status"), ("a", "Assignee"), ("p", "Priority")):
            page.keyboard.press(key)
            expect(page.get_by_label(name, exact=True)).to_be_focused()
            press(page, "Escape")
        press(page, "p")
        page.keyboard.type("Low")
        expect(page.locator("#toast")).to_contain_text("Priority: Low")
        expect(page.locator("#ticket-head .priority")).to_have_text("Low")
        expect(page.get_by_label("Priority", exact=True)).to_be_focused()
        press(page, "Escape", "z")
        expect(page.locator("#toast")).to_contain_text("Priority: High")
        expect(page.get_by_label("Priority", exact=True)).to_be_focused()

        press(page, "Escape", "t")
        tag = page.get_by_label("Add a tag")
        expect(tag).to_be_focused()
        page.keyboard.type("by-hand")
        press(page, "Enter")
        expect(page.locator("#tags")).to_contain_text("by-hand")
        expect(tag).to_be_focused()
        go(page, "Remove the tag by-hand", back=True)
        expect(page.locator("#tags")).not_to_contain_text("by-hand")
        expect(tag).to_be_focused()
        write(page, "Send copies to", "boss@example.test")
        press(page, "Enter")
        expect(page.locator("#copies")).to_contain_text("boss@example.test")
        expect(page.get_by_label("Send copies to")).to_be_focused()
        write(page, "Number of a related ticket", other)
        press(page, "Enter")
        expect(page.locator("#links")).to_contain_text(other)
        expect(page.get_by_label("Number of a related ticket")).to_be_focused()


def test_an_agent_unfolds_and_looks_back(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        to_the_ticket(page)
        quoted = page.get_by_text(QUOTED)
        follow(page, "Show quoted text")
        expect(quoted).to_be_visible()
        press(page, "Space")
        expect(quoted).to_be_hidden()
        follow(page, "History")
        expect(page.locator("#acts li").first).to_be_visible()
        go(page, "See the ticket as it was")
        expect(page.get_by_text("Nothing can be changed here.")).to_be_visible()
        scripts_are_there(page)
        tab_to(page, "Move through the changes")
        press(page, "ArrowLeft")
        expect(page.get_by_role("link", name="Next change")).to_be_visible()
        press(page, "Home")
        expect(page.get_by_role("link", name="Previous change")).to_have_count(0)
        expect(page.get_by_label("Move through the changes")).to_be_focused()
        go(page, "Back to now")
        expect(page.locator("#composer")).to_be_visible()


def test_an_agent_whose_message_would_cross_another_sends_it_anyway(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page, somebody(browser, desk, email=RAVI) as other:
        for each in (page, other):
            to_the_ticket(each)
        press(page, "r")
        page.keyboard.type("All is fine.")
        press(other, "n")
        other.keyboard.type("It is not yet.")
        press(other, "Control+Enter")
        expect(page.locator("#thread article", has_text="It is not yet.")).to_be_visible()
        expect(page.locator("#content")).to_be_focused()
        press(page, "Control+Enter")
        news = page.get_by_role("alert").filter(has_text="Nothing was sent")
        expect(news).to_be_focused()
        scripts_are_there(page)
        go(page, "Send anyway")
        expect(page.locator("#waiting")).to_be_focused()


def test_an_agent_reads_a_report_changes_their_profile_and_leaves(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        press(page, "g", "r")
        page.wait_for_url("**/reports")
        go(page, "7 days", "main")
        expect(page.locator(".period [aria-current]")).to_have_text("7 days")
        expect(page.locator("#times-table")).to_be_visible()
        write(page, "From", "01012026")
        go(page, "30 days", "main", back=True)
        expect(page.locator(".period [aria-current]")).to_have_text("30 days")
        go(page, "", "#flow-table")
        page.wait_for_url("**/tickets?q=*")
        scripts_are_there(page)

        tab_to(page, "Your account")
        press(page, "Enter")
        expect(page.get_by_role("link", name="Profile and settings")).to_be_visible()
        press(page, "Escape")
        expect(page.get_by_role("link", name="Profile and settings")).to_be_hidden()
        focus_is_kept(page)
        press(page, "Enter")
        go(page, "Profile and settings")
        write(page, "Look", "Dark", "main")
        go(page, "Save", "main")
        expect(page.get_by_text("Saved.")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        follow(page, "Your account")
        go(page, "Log out")
        expect(page.get_by_label("E-mail address")).to_be_focused()


def test_a_customer_registers_asks_and_settles(browser: Browser, desk: Desk) -> None:
    with window(browser, desk, 390) as page:
        page.goto("/login")
        go(page, "I have no account yet")
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.type("kim@example.test")
        press(page, "Enter")
        expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
        page.goto(newest_link(desk.database, "kim@example.test"))
        write(page, "Your name", "Kim Doe")
        write(page, "New password", "correct horse battery")
        press(page, "Enter")
        expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()

        go(page, "Ask for help", "main")
        write(page, "Subject", "My card has not arrived")
        write(page, "Your message", "It was sent two weeks ago.")
        choose_a_file(page, "Files")
        focus_is_kept(page)
        go(page, "Send")
        expect(page.get_by_role("heading", name="My card has not arrived")).to_be_visible()
        expect(page.get_by_role("link", name="receipt.txt")).to_be_visible()
        write(page, "Your answer", "It came!")
        go(page, "Send")
        expect(page.locator("#last")).to_contain_text("It came!")
        expect(page.locator("#last")).to_be_focused()
        go(page, "Mark as solved")
        expect(page.get_by_text("This request is solved.")).to_be_visible()
        assert hidden_stops(page) == []
        go(page, "Open it again")
        expect(page.get_by_text("We are on it")).to_be_visible()
        go(page, "My requests", "nav")
        go(page, "My card has not arrived")
        expect(page.get_by_role("heading", level=1)).to_have_text("My card has not arrived")


def test_one_always_sees_where_one_is(browser: Browser, desk: Desk) -> None:
    with somebody(browser, desk) as page:
        expect(page.locator("[data-count=open]")).not_to_have_text("")
        press(page, "j", "Control+a")
        expect(page.locator("#bulk")).to_be_visible()
        hidden = hidden_stops(page) + hidden_stops(page)
        press(page, "Escape")
        to_the_ticket(page)
        hidden += hidden_stops(page)
        assert not hidden, "\n".join(hidden)
