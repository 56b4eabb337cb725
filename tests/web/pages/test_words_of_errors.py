"""What is refused is said in the reader's language, wherever the words come from: forms, searches, addresses, mail."""

import pytest
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.ledger import receive
from deskbell.testing.factories import SYSTEM
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio

HOSTILE = "<b>%(number)s</b>"


async def reader(desk: Pages, role: Role, language: str) -> Browser:
    browser = await desk.browser_of(role)
    browser.client.cookies.set("deskbell_language", language)
    return browser


@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "Es gibt kein Ticket DB-404."), ("ar", "لا توجد تذكرة DB-404.")],
)
async def test_a_ticket_that_is_not_there(desk: Pages, language: str, said: str) -> None:
    page = await (await reader(desk, Role.AGENT, language)).client.get("/tickets/DB-404")
    assert page.status_code == 404
    assert said in page.text


async def test_what_somebody_typed_stays_as_it_is_and_is_escaped(desk: Pages) -> None:
    browser = await reader(desk, Role.AGENT, "de")
    page = await browser.send("/tickets/new", title="Hello", requester=HOSTILE, description="Hello")
    assert "&lt;b&gt;%(number)s&lt;/b&gt; ist keine E-Mail-Adresse: Sie hat kein @." in page.text
    assert HOSTILE not in page.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "status: kann nicht „opne“ sein. Möglich sind"),
        ("ar", "لا يمكن أن يكون status: «opne». الممكن هو"),
    ],
)
async def test_a_search_that_cannot_be_read(desk: Pages, language: str, said: str) -> None:
    page = await (await reader(desk, Role.AGENT, language)).client.get("/tickets?q=status:opne")
    assert said in page.text


async def test_a_time_within_a_search_that_there_is_not(desk: Pages) -> None:
    page = await (await reader(desk, Role.AGENT, "de")).client.get("/tickets?q=created:2026-02-30")
    assert "created: kann nicht „2026-02-30“ sein. 2026-02 hat 28 Tage." in page.text


@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "Das ist eine Domain wie example.com."), ("ar", "هذا نطاق مثل example.com.")],
)
async def test_a_field_of_an_administrators_form(desk: Pages, language: str, said: str) -> None:
    browser = await reader(desk, Role.ADMIN, language)
    signs = {"dkim_domain": "no domain", "dkim_selector": "x", "dkim_key": "y"}
    page = await browser.send("/admin/mailboxes", None, address="help@example.org", **signs)
    assert page.status_code == 422
    assert said in page.text


@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "Schreiben Sie zuerst etwas: Die Nachricht ist leer."), ("ar", "اكتب شيئًا أولًا: الرسالة فارغة.")],
)
async def test_a_field_of_a_customers_form(desk: Pages, language: str, said: str) -> None:
    page = await (await reader(desk, Role.CUSTOMER, language)).send("/requests", title="Help", content=" ")
    assert page.status_code == 422
    assert said in page.text


async def test_an_address_that_cannot_be_read(desk: Pages) -> None:
    page = await (await reader(desk, Role.ADMIN, "de")).client.get("/admin/people/x")
    assert page.status_code == 422
    assert "Das kann nicht gelesen werden oder fehlt: user_id." in page.text


@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "keine brauchbare From-Zeile"), ("ar", "لا ترويسة From صالحة")],
)
async def test_why_a_message_waits(desk: Pages, language: str, said: str) -> None:
    def come(session: Session) -> None:
        file_message(session, receive(session, b"Subject: Hello\n\nHello", source="test").id)

    async with desk.database.async_transaction(SYSTEM) as session:
        await session.run_sync(come)
    page = await (await reader(desk, Role.ADMIN, language)).client.get("/admin/mail?state=suspended")
    assert said in page.text


async def test_the_api_says_the_same_in_english(desk: Pages) -> None:
    browser = await reader(desk, Role.AGENT, "de")
    answer = await browser.client.get("/api/v1/tickets/DB-404", headers={"Accept": "application/json"})
    assert answer.json()["detail"] == "There is no ticket DB-404."
