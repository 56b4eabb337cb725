"""A person logs in, finds a ticket, answers it and leaves a note, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.running import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(base_url=site.url, locale="en-GB")
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    expected = [fault for fault in faults if "status of 401" not in fault]
    assert not expected, "the browser's console has errors"


def log_in(page: Page, site: Site, password: str = "") -> None:
    page.get_by_label("E-mail address").fill(site.email)
    page.get_by_label("Password").fill(password or site.password)
    page.get_by_role("button", name="Log in").click()


def test_an_agent_logs_in_opens_a_ticket_and_answers(page: Page, site: Site) -> None:
    page.goto("/tickets?q=tag:billing")
    expect(page).to_have_url(f"{site.url}/login?next=%2Ftickets%3Fq%3Dtag%3Abilling")
    log_in(page, site)
    expect(page).to_have_url(f"{site.url}/tickets?q=tag:billing")

    page.get_by_role("link", name="Charged twice for the November invoice").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Charged twice")
    expect(page.get_by_text("our card was charged 49.00")).to_be_visible()

    page.get_by_label("Your reply").fill("The second charge was <b>cancelled</b>.")
    page.get_by_label("then set").select_option("waiting_on_customer")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#waiting")).to_contain_text("The second charge was <b>cancelled</b>.")

    page.get_by_placeholder("Add a tag").fill("refund")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_title("Remove")).to_have_count(2)

    page.locator("#history > summary").click()
    expect(page.get_by_text("added the tag refund")).to_be_visible()

    page.locator("summary").filter(has_text="Your account").click()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{site.url}/login")
    page.goto("/tickets")
    expect(page).to_have_url(f"{site.url}/login?next=%2Ftickets")


def test_a_wrong_password_says_so_and_keeps_the_address(page: Page, site: Site) -> None:
    page.goto("/login")
    log_in(page, site, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("E-mail address or password is wrong.")
    expect(page.get_by_label("E-mail address")).to_have_value(site.email)
