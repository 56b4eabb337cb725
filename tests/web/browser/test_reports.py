"""Reports in a real browser: charts beside tables, from a figure to its tickets, light and dark, without scripts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.web.browser.axe import complaints
from tests.web.running import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, site: Site, logged_in: StorageState) -> Iterator[Page]:
    context = browser.new_context(base_url=site.url, locale="en-GB", storage_state=logged_in)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    faults = [fault for fault in faults if "status of 422" not in fault]
    assert not faults, "the browser's console has errors"


def colour(page: Page) -> str:
    """Return what the first pixels of the chart that are not transparent look like, as one text."""
    script = "(canvas) => canvas.toDataURL()"
    found: str = page.locator("#flow-table").locator("xpath=../preceding-sibling::div/canvas").evaluate(script)
    return found


def test_charts_are_drawn_from_the_tables_and_again_when_the_scheme_changes(page: Page) -> None:
    page.goto("/reports?period=30d&by=status")
    expect(page.get_by_role("img", name="tickets were created and")).to_be_visible()
    expect(page.locator("#times-table")).to_be_visible()
    expect(page.locator(".plot canvas")).to_have_count(3)
    light = colour(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("(light) => document.querySelector('.plot canvas').toDataURL() !== light", arg=light)


def test_a_figure_leads_to_its_tickets_and_back(page: Page) -> None:
    page.goto("/reports?period=30d&by=status")
    link = page.locator("#breakdown-table").get_by_role("row", name="Open").get_by_role("link").first
    count = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/tickets\?q=status:open"))
    expect(page.locator("main .title a")).to_have_count(min(int(count.replace(",", "")), 50))
    page.go_back()
    expect(page.locator(".plot canvas")).to_have_count(3)


def test_a_period_of_ones_own_is_in_the_address(page: Page) -> None:
    page.goto("/reports")
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_label("To", exact=True).fill("2026-01-31")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"/reports\?from=2026-01-01&to=2026-01-31&by=status$"))
    expect(page.get_by_role("heading", name="Reports")).to_be_visible()


@pytest.mark.parametrize("path", ["/reports?by=tag", "/reports?from=2026-02-01&to=2026-01-01"])
def test_axe_finds_nothing(page: Page, path: str) -> None:
    page.goto(path)
    if "by=tag" in path:
        expect(page.locator("#times-table")).to_be_visible()
        expect(page.locator("#breakdown-table")).to_be_visible()
    assert complaints(page) == []


def test_what_is_fetched_later_moves_nothing_above_it(page: Page) -> None:
    page.goto("/reports?by=status")
    expect(page.locator("#times-table")).to_be_visible()
    assert page.evaluate("document.querySelector('#times').getBoundingClientRect().top > 0")
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_without_scripts_the_tables_are_there_and_the_rest_is_behind_a_link(
    browser: Browser, site: Site, logged_in: StorageState
) -> None:
    context = browser.new_context(base_url=site.url, storage_state=logged_in, java_script_enabled=False)
    page = context.new_page()
    page.goto("/reports?by=priority")
    expect(page.locator("#flow-table tbody tr")).to_have_count(30)
    expect(page.locator(".plot").first).to_be_hidden()
    page.locator("#times").get_by_role("link", name="Show it").click()
    expect(page.locator("#times-table")).to_be_visible()
    context.close()
