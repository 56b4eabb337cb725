"""The list by keyboard and by mouse: triage, completion, an error, a view, a bulk change, palette, narrow windows."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.browser.axe import complaints
from tests.web.running import Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """The administrator's browser, logged in."""
    context = browser.new_context(
        base_url=site.url, locale="en-GB", viewport={"width": 1440, "height": 900}, bypass_csp=True
    )
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("E-mail address").fill(site.email)
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert not [fault for fault in faults if "status of 422" not in fault]


def rows(page: Page) -> int:
    return page.locator("#tickets tbody tr").count()


def test_triage_by_keyboard_alone(page: Page) -> None:
    page.goto("/tickets")
    expect(page.locator("[data-count=open]")).not_to_have_text("")
    first, second = (page.locator("#tickets tbody tr").nth(place) for place in (0, 1))
    page.keyboard.press("j")
    expect(first.locator(".title a")).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("#tickets [name=ids]:checked")).to_have_count(2)
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.keyboard.press("p")
    sheet = page.get_by_role("dialog", name="Change the priority")
    expect(sheet.get_by_label("Change to")).to_be_focused()
    page.keyboard.type("Urg")
    expect(sheet.get_by_role("heading", name="What will happen")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("main > .notice")).to_contain_text("changed.")
    expect(first.locator("[data-priority=urgent]")).to_be_visible()
    expect(second.locator("[data-priority=urgent]")).to_be_visible()
    assert "done=" not in page.url
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/tickets/DB-\d+$"))
    page.go_back()
    expect(page).to_have_url(re.compile("/tickets$"))
    page.keyboard.press("g")
    page.keyboard.press("u")
    expect(page.get_by_role("heading", level=1)).to_have_text("Unassigned")


def test_the_search_box_completes_and_remembers(page: Page) -> None:
    page.goto("/tickets")
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search tickets")
    expect(box).to_be_focused()
    page.keyboard.type("prio")
    offers = page.get_by_role("listbox", name="Completions")
    expect(offers.get_by_role("option").first).to_contain_text("priority:")
    page.keyboard.press("Tab")
    expect(box).to_have_value("priority:")
    expect(offers.get_by_role("option", name="urgent")).to_be_visible()
    page.keyboard.type("hi")
    page.keyboard.press("ArrowDown")
    expect(offers.get_by_role("option", selected=True)).to_have_text("high")
    chosen = offers.get_by_role("option", selected=True).get_attribute("id")
    expect(box).to_have_attribute("aria-activedescendant", chosen or "none")
    page.keyboard.press("Enter")
    expect(box).to_have_value("priority:high ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=priority%3Ahigh\+?$"))
    page.goto("/tickets")
    page.locator("#q").focus()
    expect(page.get_by_role("option", name="priority:high").first).to_be_visible()


def test_an_error_is_underlined_and_put_right_with_one_click(page: Page) -> None:
    page.goto("/tickets?q=card+statsu:open")
    expect(page.locator("#query-error mark")).to_contain_text("statsu")
    box = page.get_by_role("combobox", name="Search tickets")
    expect(box).to_be_focused()
    assert box.evaluate("it => it.value.slice(it.selectionStart, it.selectionEnd)") == "statsu"
    assert complaints(page) == []
    page.get_by_role("link", name="Use status:").click()
    expect(page.locator("#q")).to_have_value("card status:open")


def test_a_search_is_saved_as_a_view_and_deleted(page: Page) -> None:
    page.goto("/tickets?q=status:open")
    page.get_by_role("link", name="Save as view").click()
    sheet = page.get_by_role("dialog", name="Save as view")
    sheet.get_by_label("Name").fill("My <open> ones")
    sheet.get_by_label("Tags").check()
    assert complaints(page) == []
    sheet.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My <open> ones")
    expect(page.get_by_role("columnheader", name="Tags")).to_be_visible()
    expect(page.locator(".rail [aria-current=page] .count")).to_have_text(str(rows(page)))
    assert complaints(page) == []
    page.goto("/views")
    assert complaints(page) == []
    page.get_by_role("link", name="Change My <open> ones").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete this view").click()
    expect(page.get_by_text("You have no view yet")).to_be_visible()


def test_all_that_match_change_after_a_preview(page: Page) -> None:
    page.goto("/tickets?q=status:open,in_progress")
    many = rows(page)
    boxes = page.locator("#tickets [name=ids]")
    boxes.first.check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_label("Select the page").check()
    expect(page.get_by_text(f"{many} selected")).to_be_visible()
    assert complaints(page) == []
    page.get_by_role("button", name="Add a tag").click()
    sheet = page.get_by_role("dialog", name="Add a tag")
    sheet.get_by_label("Tag").fill("checked")
    sheet.get_by_role("button", name="Preview").click()
    expect(sheet.get_by_text(f"{many} tickets change.")).to_be_visible()
    assert complaints(page) == []
    sheet.get_by_role("button", name=f"Change {many} tickets").click()
    expect(page.locator("main > .notice")).to_contain_text(f"{many} tickets were changed.")
    expect(page.locator("#tickets").get_by_text("checked").first).to_be_visible()


def test_the_palette_finds_tickets_and_goes_there(page: Page) -> None:
    page.goto("/tickets")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Command palette")
    expect(palette.get_by_role("option", name="New ticket")).to_be_visible()
    page.keyboard.type("charged twice")
    expect(palette.get_by_role("option").first).to_contain_text("Charged twice")
    assert complaints(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Charged twice")
    page.goto("/tickets")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert complaints(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_have_text("New ticket")
    assert complaints(page) == []


def test_a_narrow_window_shows_cards_and_nothing_is_cut_off(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (
        "/tickets",
        "/tickets?q=card",
        "/views",
        "/views/new",
        "/tickets/new",
        "/profile",
        "/tickets/bulk?act=status&ids=1",
    ):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_function("document.documentElement.scrollWidth <= 390")
        if path in {"/tickets?q=card", "/profile"}:
            assert complaints(page) == []
    page.goto("/tickets")
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("link", name="Unassigned")).to_be_visible()


def test_without_scripts_views_and_bulk_changes_work(browser: Browser, context: BrowserContext, site: Site) -> None:
    plain = browser.new_context(base_url=site.url, java_script_enabled=False, storage_state=context.storage_state())
    page = plain.new_page()
    page.goto("/tickets?q=card")
    page.locator("#tickets [name=ids]").first.check()
    page.get_by_role("button", name="Priority").click()
    page.get_by_label("Change to").select_option("low")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Change 1 ticket").click()
    expect(page.locator("main > .notice")).to_contain_text("1 ticket was changed.")
    page.get_by_role("link", name="Save as view").click()
    page.get_by_label("Name").fill("Without scripts")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Without scripts")
    plain.close()
