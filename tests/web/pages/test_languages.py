"""The language of pages for somebody who is not logged in, and of what is refused."""

import pytest

from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio


async def test_a_visitor_chooses_a_language_and_comes_back(desk: Pages) -> None:
    browser = await desk.browser()
    answer = await browser.client.post("/language", data={"language": "de", "next": "/login?next=/tickets"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/tickets")
    page = await browser.client.get("/login")
    assert '<html lang="de" dir="ltr"' in page.text
    assert "Passwort vergessen" in page.text


async def test_a_language_that_nobody_knows_forgets_the_choice(desk: Pages) -> None:
    browser = await desk.browser()
    for language in ("ar", "../../etc/passwd"):
        await browser.client.post("/language", data={"language": language})
    assert '<html lang="en"' in (await browser.client.get("/login")).text


async def test_choosing_a_language_leads_to_no_other_site(desk: Pages) -> None:
    browser = await desk.browser()
    answer = await browser.client.post("/language", data={"language": "de", "next": "//example.org"})
    assert answer.headers["location"] == "/"


async def test_what_is_refused_is_said_in_the_readers_language(agent: Browser) -> None:
    agent.client.cookies.set("deskbell_language", "de")
    page = await agent.send("/tickets/new", title=" ", requester="sam@example.org", description="Hello")
    assert "Ein Ticket braucht einen Titel." in page.text


async def test_a_page_that_is_not_there_says_so_in_the_readers_language(agent: Browser) -> None:
    agent.client.cookies.set("deskbell_language", "ar")
    page = await agent.client.get("/nowhere")
    assert page.status_code == 404
    assert "لا شيء في هذا العنوان." in page.text


async def test_the_api_answers_programs_in_english(agent: Browser) -> None:
    agent.client.cookies.set("deskbell_language", "de")
    answer = await agent.client.get("/api/v1/nowhere", headers={"Accept": "application/json"})
    assert answer.json()["detail"] == "There is nothing at this address."
