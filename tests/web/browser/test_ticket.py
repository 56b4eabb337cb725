"""The ticket's page in a real browser: reply with undo, drafts that survive, files, mentions, the guard, the past."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser.axe import complaints
from tests.web.running import Site, deskbell, serving

pytestmark = pytest.mark.browser

RAVI = "ravi@example.test"
TICKET = "Charged twice for the November invoice"
GRACE = 5
PASTE = """
() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const bytes = Uint8Array.from(atob(canvas.toDataURL("image/png").split(",")[1]), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "screen <1>.png", { type: "image/png" }));
  const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  document.getElementById("content").dispatchEvent(event);
}
"""


@dataclass(frozen=True)
class Two:
    """A desk with a second agent."""

    site: Site
    password: str


@pytest.fixture(scope="module")
def desk(folder: Path, own_settings: dict[str, str]) -> Iterator["Two"]:
    """A desk of its own, with a short grace and a second agent."""
    further = {"DESKBELL_WORKSPACE_UNDO_SECONDS": str(GRACE), "DESKBELL_WEB_LOGIN_RATE": "1000/minute"}
    settings = {**own_settings, **further}
    with serving(folder, settings) as site:
        who = (RAVI, "--name", "Ravi <b>Patel</b>", "--role", "agent")
        made = deskbell(folder, "user", "create", *who, "--generate-password", "--json", settings=settings)
        yield Two(site, json.loads(made.stdout)["password"])
        site.process.send_signal(signal.SIGINT)
        assert site.process.wait(timeout=60) == 0


@contextmanager
def somebody(browser: Browser, desk: Two, email: str = "", *, javascript: bool = True) -> Iterator[Page]:
    """Log somebody in, with a browser of their own, and open the ticket."""
    context = browser.new_context(base_url=desk.site.url, locale="en-GB", java_script_enabled=javascript)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email or desk.site.email)
    page.get_by_label("Password").fill(desk.password if email else desk.site.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name=TICKET).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(TICKET)
    expect(page.get_by_role("toolbar", include_hidden=True)).to_be_visible(visible=javascript)  # scripts have come
    yield page
    context.close()
    assert faults == []


def begin(page: Page, words: str, *, note: bool = False) -> None:
    if note:
        page.locator("#composer").get_by_text("Internal note", exact=True).click()
    page.get_by_label("Your internal note" if note else "Your reply").fill(words)


def is_sent(page: Page, words: str) -> None:
    """Wait until it is in the thread; a test that is tried again says the same again."""
    expect(page.locator("#thread article").get_by_text(words).last).to_be_visible()
    expect(page.locator("#waiting")).to_have_count(0)


def test_a_reply_is_called_back_and_then_sent(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk) as page:
        begin(page, "The second charge was **cancelled**.")
        page.get_by_label("then set").select_option("waiting_on_customer")
        page.get_by_label("Your reply").press("Control+Enter")
        expect(page.locator("#waiting-state")).to_contain_text("Sending in")
        page.get_by_role("button", name="Undo sending").click()
        expect(page.get_by_label("Your reply")).to_have_value("The second charge was **cancelled**.")
        expect(page.get_by_label("then set")).to_have_value("waiting_on_customer")
        page.get_by_role("button", name="Send reply").click()
        is_sent(page, "The second charge was cancelled.")
        expect(page.get_by_label("Status", exact=True)).to_have_value("waiting_on_customer")
        expect(page.get_by_label("Your reply")).to_have_value("")


def test_a_note_mentions_a_colleague_who_finds_it(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk) as page:
        begin(page, "", note=True)
        text = page.get_by_label("Your internal note")
        text.press_sequentially("Please look, @rav")
        expect(page.locator("#mentions").get_by_role("option", name="Ravi <b>Patel</b>")).to_be_visible()
        text.press("Enter")
        expect(text).to_have_value("Please look, @Ravi <b>Patel</b> ")
        page.get_by_role("button", name="Add note").click()
        is_sent(page, "Please look,")
        expect(page.locator(".mentioned").last).to_contain_text("Ravi <b>Patel</b>")
        number = page.locator("h1 span").inner_text()
        url = page.url.partition("#")[0]
    with somebody(browser, desk, RAVI) as page:
        page.goto("/tickets?q=mentions:me")
        expect(page.locator(f'a[href^="{url.removeprefix(desk.site.url)}"]').first).to_be_visible()
        assert number


def test_a_draft_survives_the_end_of_its_browser(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk) as page:
        begin(page, "Half a thought")
        expect(page.locator("#draft-state")).to_have_text("Draft saved")
        page.evaluate(PASTE)
        expect(page.locator("#draft-files li")).to_contain_text("screen _1_.png")
        page.context.close()  # as a crash does: nothing is asked, nothing said
    with somebody(browser, desk) as page:
        expect(page.get_by_label("Your reply")).to_have_value("Half a thought")
        page.get_by_role("button", name="Remove the file").click()
        expect(page.locator("#draft-files li")).to_have_count(0)
        page.get_by_role("button", name="Discard draft").click()
        expect(page.get_by_label("Your reply")).to_have_value("")


def test_a_pasted_picture_is_sent_and_opens_large(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk) as page:
        begin(page, "See the picture")
        page.evaluate(PASTE)
        expect(page.locator("#draft-files li img")).to_be_visible()
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#preview")).to_contain_text("See the picture")
        page.get_by_role("button", name="Send reply").click()
        is_sent(page, "See the picture")
        page.locator("#thread a[data-image]").last.click()
        expect(page.get_by_role("dialog", name="Picture")).to_be_visible()


def test_the_guard_stops_what_would_cross_another_message(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk) as page, somebody(browser, desk, RAVI) as other:
        begin(page, "All is fine.")
        begin(other, "Wait, it is *not*", note=True)
        other.get_by_label("then set").select_option("in_progress")
        other.get_by_role("button", name="Add note").click()
        is_sent(other, "Wait, it is not")
        page.get_by_role("button", name="Send reply").click()
        news = page.get_by_role("alert").filter(has_text="Nothing was sent")
        expect(news).to_contain_text("Wait, it is not")
        expect(news).to_contain_text("→ In progress by Ravi <b>Patel</b>")
        expect(page.get_by_label("Your reply")).to_have_value("All is fine.")
        page.get_by_role("button", name="Send anyway").click()
        is_sent(page, "All is fine.")


def test_properties_save_themselves_and_the_slider_goes_back(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk) as page:
        page.get_by_label("Priority", exact=True).select_option("low")
        expect(page.locator("#toast")).to_contain_text("Priority: Low")
        page.locator("#toast").get_by_role("button", name="Undo").click()
        expect(page.locator("#toast")).to_contain_text("Priority: High")
        expect(page.locator("#ticket-head .priority")).to_have_text("High")
        page.locator("#history > summary").click()
        expect(page.locator("#acts li").first).to_contain_text("changed priority")
        page.get_by_role("link", name="See the ticket as it was").click()
        messages = page.locator("#thread article").count()
        page.get_by_label("Move through the changes").fill("0")
        expect(page.locator("#thread article")).not_to_have_count(messages)
        expect(page.locator("#composer")).to_have_count(0)
        page.reload()
        expect(page.locator("#thread article")).not_to_have_count(messages)
        page.get_by_role("link", name="Next change").click()
        expect(page.get_by_text("This is the ticket as it was on")).to_be_visible()


def test_without_a_script_one_replies_and_takes_it_back(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk, javascript=False) as page:
        begin(page, "Plain *forms*")
        page.get_by_role("button", name="Save draft").click()
        expect(page.get_by_label("Your reply")).to_have_value("Plain *forms*")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#preview em")).to_have_text("forms")
        page.get_by_role("button", name="Send reply").click()
        expect(page.locator("#waiting-state")).to_contain_text("Sending in")
        page.get_by_role("button", name="Undo sending").click()
        expect(page.get_by_label("Your reply")).to_have_value("Plain *forms*")
        page.get_by_label("Priority", exact=True).select_option("urgent")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#ticket-head .priority")).to_have_text("Urgent")


def test_axe_finds_nothing(browser: Browser, desk: Two) -> None:
    with somebody(browser, desk) as page:
        number = page.url.partition("#")[0]
        begin(page, "Hello")
        page.get_by_role("button", name="Send reply").click()
        expect(page.locator("#waiting")).to_be_visible()
        for address in (None, f"{number}/history", f"{number}?at=2099-01-01T00:00:00Z"):
            if address:
                page.goto(address)
            assert complaints(page) == []
