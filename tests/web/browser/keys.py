"""What somebody without a mouse does and sees: go from one control to the next, and find where the focus is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.web.running import Site

RAVI = "ravi@example.test"
TICKET = "Charged twice for the November invoice"
NAME = """within => {
  const focused = document.activeElement;
  if (!focused.matches("a, button, input, select, summary, textarea") || !focused.closest(within || "*")) return "";
  return (focused.labels?.[0] ?? focused).textContent;
}"""

# What hides the focused control from who looks for it: nothing marks it, something lies above it, or it is not there.
HIDDEN = """() => {
  const focused = document.activeElement;
  if (focused === document.body) return "";
  const shown = [focused, focused.closest("label") ?? focused.labels?.[0]].filter(Boolean);
  const marks = shown.flatMap((it) => [getComputedStyle(it), getComputedStyle(it, "::after")]);
  const name = `${focused.outerHTML.slice(0, 90)}…`;
  if (!marks.some((it) => it.outlineStyle !== "none" && parseFloat(it.outlineWidth) >= 2)) return `unmarked: ${name}`;
  const rects = shown.flatMap((it) => [...it.getClientRects()]);
  const isSeen = rects.some((rect) => {
    const [left, right] = [Math.max(rect.left, 0), Math.min(rect.right, innerWidth)];
    const [top, bottom] = [Math.max(rect.top, 0), Math.min(rect.bottom, innerHeight)];
    if (right <= left || bottom <= top) return false;
    const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return shown.some((it) => it.contains(above) || above?.contains(it) && above.matches("label, summary, a"));
  });
  return isSeen ? "" : `out of sight: ${name}`;
}"""


@dataclass(frozen=True)
class Desk:
    """A desk with a second agent, and what its database has, as the superuser sees it."""

    site: Site
    ravis_password: str
    database: psycopg.Connection


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, name: str, within: str = "", *, back: bool = False) -> None:
    """Press Tab until what has this name has the focus, as somebody without a mouse does."""
    for _ in range(200):
        press(page, "Shift+Tab" if back else "Tab")
        if (found := page.evaluate(NAME, within)) and name in found:
            return
    pytest.fail(f"{name} cannot be reached by keyboard")


def follow(page: Page, name: str, within: str = "", *, back: bool = False) -> None:
    tab_to(page, name, within, back=back)
    press(page, "Enter")


def go(page: Page, name: str, within: str = "", *, back: bool = False) -> None:
    """Follow a link or send a form, and wait for the page that comes."""
    tab_to(page, name, within, back=back)
    with page.expect_navigation():
        press(page, "Enter")


def write(page: Page, name: str, text: str, within: str = "") -> None:
    tab_to(page, name, within)
    page.keyboard.type(text)


def focus_is_kept(page: Page) -> None:
    """Check that who goes on by keyboard goes on from where they were, and not from the top of the page."""
    assert page.evaluate("document.activeElement !== document.body"), "nothing has the focus"


def hidden_stops(page: Page) -> list[str]:
    """Go through all the page by Tab; return what one cannot see while it has the focus."""
    found: list[str] = []
    for _ in range(200):
        press(page, "Tab")
        if page.evaluate("document.activeElement === document.body"):
            return found
        if wrong := page.evaluate(HIDDEN):
            found.append(wrong)
    pytest.fail("the end of the page is not reached by keyboard")


def scripts_are_there(page: Page) -> None:
    """Wait until a page of the desk hears its shortcuts, and on a ticket its composer too."""
    expect(page.locator("[data-action=show-keys]:not([hidden])")).to_have_count(1)
    expect(page.locator(".toolbar[hidden]")).to_have_count(0)


@contextmanager
def window(browser: Browser, desk: Desk, size: int = 1280) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(
        base_url=desk.site.url, locale="en-GB", viewport={"width": size, "height": 800}
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


@contextmanager
def somebody(browser: Browser, desk: Desk, path: str = "/tickets", email: str = "") -> Iterator[Page]:
    """Log in by keyboard, and come to a path."""
    with window(browser, desk) as page:
        page.goto(f"/login?next={path}")
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.type(email or desk.site.email)
        press(page, "Tab")
        page.keyboard.type(desk.ravis_password if email else desk.site.password)
        press(page, "Enter")
        page.wait_for_url(f"**{path}")
        scripts_are_there(page)
        yield page


def to_the_ticket(page: Page) -> None:
    press(page, "Control+k")
    palette = page.get_by_role("dialog", name="Command palette")
    expect(palette.get_by_role("combobox")).to_be_focused()
    page.keyboard.type(TICKET)
    expect(palette.get_by_role("option", selected=True)).to_contain_text(TICKET)
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(TICKET)
    scripts_are_there(page)


def choose_a_file(page: Page, name: str) -> None:
    """Open the system's window for files by keyboard; that window is not the page's."""
    tab_to(page, name)
    with page.expect_file_chooser() as chooser:
        press(page, "Space")
    chooser.value.set_files([FilePayload(name="receipt.txt", mimeType="text/plain", buffer=b"Paid")])
