"""The ticket's page and its forms."""

from pathlib import Path

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.models import Ticket
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
async def ticket(desk: Pages) -> Ticket:
    return await desk.make(lambda f: f.ticket())


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    async with database.async_transaction(SYSTEM) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def test_pages_ignore_an_idempotency_key_instead_of_failing(agent: Browser, ticket: Ticket) -> None:
    path, key = f"/tickets/{ticket.ticket_number}/tags", {"Idempotency-Key": "x"}
    for name in ("billing", "refund"):
        assert (await agent.send(path, headers=key, name=name)).status_code == 303
    assert "refund" in (await agent.client.get(f"/tickets/{ticket.ticket_number}")).text


async def test_giving_away_an_open_ticket_does_not_open_it_again(desk: Pages, agent: Browser, ticket: Ticket) -> None:
    helper = await desk.make(lambda f: f.user(Role.AGENT))
    path = f"/tickets/{ticket.ticket_number}/properties"
    sent = await agent.send(path, version="1", status="open", priority="medium", assignee_id=str(helper.id))
    assert sent.status_code == 303
    assert await rows(desk.database, "select status::text, assignee_id from tickets") == [("in_progress", helper.id)]


async def test_a_form_that_changes_nothing_changes_nothing(desk: Pages, agent: Browser, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.ticket_number}/properties"
    assert (await agent.send(path, version="1", status="open", priority="medium")).status_code == 303
    assert await rows(desk.database, "select version from tickets") == [(1,)]


async def test_a_stale_form_changes_nothing(desk: Pages, agent: Browser, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.ticket_number}/properties"
    assert (await agent.send(path, status="resolved", was_status="open")).status_code == 303
    assert (await agent.send(path, status="closed", was_status="open")).status_code == 412
    assert await rows(desk.database, "select status::text from tickets") == [("resolved",)]


async def test_a_busy_ticket_does_not_lose_what_was_typed(live: Pages) -> None:
    live.database.server_parameters["lock_timeout"] = "100ms"
    ticket = await live.make(lambda f: f.ticket())
    browser = await live.browser_of(Role.AGENT)
    number = ticket.ticket_number
    async with live.database.async_transaction(SYSTEM) as session:
        await session.execute(text("select 1 from tickets for update"))
        answer = await browser.send(f"/tickets/{number}/reply", version="1", content="Hours of work")
    assert answer.status_code == 409
    assert "Hours of work" in answer.text


@pytest.mark.parametrize(
    ("number", "fields", "status"),
    [
        ("DB-999999", {"content": "x"}, 404),
        ("", {"seen_status": "closed", "content": "x"}, 409),
        ("", {"content": " "}, 422),
    ],
)
async def test_files_of_a_refused_reply_do_not_fill_the_disk(
    agent: Browser, ticket: Ticket, tmp_path: Path, number: str, fields: dict[str, str], status: int
) -> None:
    path = f"/tickets/{number or ticket.ticket_number}/reply"
    sent = {"csrf_token": agent.token, **fields}
    answer = await agent.client.post(path, data=sent, files={"files": ("a.txt", b"refused")})
    assert answer.status_code == status
    assert stored(tmp_path) == []


async def test_a_second_file_that_is_too_large_takes_the_first_with_it(
    desk: Pages, agent: Browser, ticket: Ticket, tmp_path: Path
) -> None:
    large = bytes(desk.app.state.resources.attachment_bytes + 1)
    files = [("files", ("a.txt", b"small")), ("files", ("b.bin", large))]
    sent = {"csrf_token": agent.token, "version": "1", "content": "See the files"}
    answer = await agent.client.post(f"/tickets/{ticket.ticket_number}/reply", data=sent, files=files)
    assert answer.status_code == 413
    assert "See the files" in answer.text
    assert await rows(desk.database, "select id from comments") == []
    assert len(stored(tmp_path)) == 1, "it belongs to nobody, and is swept"


async def test_files_of_a_reply_are_kept_even_if_the_same_was_refused_before(
    desk: Pages, agent: Browser, ticket: Ticket, tmp_path: Path
) -> None:
    path = f"/tickets/{ticket.ticket_number}/reply"
    for seen, status in (("closed", 409), ("open", 303)):
        sent = {"csrf_token": agent.token, "seen_status": seen, "content": "See the file"}
        answer = await agent.client.post(path, data=sent, files={"files": ("a.txt", b"the same")})
        assert answer.status_code == status, answer.text
    assert len(stored(tmp_path)) == len(await rows(desk.database, "select storage_key from draft_files")) == 1


async def test_the_list_does_not_load_the_texts(agent: Browser, ticket: Ticket) -> None:
    page = await agent.client.get("/tickets?q=status:open")
    assert ticket.ticket_number in page.text
