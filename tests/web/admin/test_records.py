"""The audit log with its filters and its export; jobs; mail; the state of the machinery."""

import csv
import json
import tracemalloc
from io import StringIO

import psycopg
import pytest
from sqlalchemy.orm import Session
from starlette.datastructures import State

from deskbell.accounts.models import Role
from deskbell.audit import browsing
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.ledger import receive
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.labels import create_tag
from deskbell.web.admin.export import Export
from deskbell.web.pages import originals
from tests.web.api.test_system import fail_job
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio

MANY = 20_000
FILL = """
insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes, created_at)
select coalesce((select min(id) from operations), 1), null, 'import', '', 'tickets', n, 'UPDATE',
       '{"title": ["old", "new"]}', clock_timestamp()
  from generate_series(1, %(many)s::int) n
"""


def fill(address: Address, many: int) -> int:
    """Write the log as nobody but the superuser may; return of which operation."""
    with psycopg.connect(address.dsn, autocommit=True) as connection:
        connection.execute(FILL, {"many": many})
        [[operation]] = connection.execute("select coalesce(min(id), 1) from operations").fetchall()
        return int(operation)


async def test_the_log_is_filtered(desk: Pages, admin: Browser) -> None:
    boss = await desk.make(lambda f: f.user(Role.ADMIN, email="boss@example.org", full_name="Boss"))
    browser = await desk.browser(boss)
    await browser.send("/admin/teams", name="Zebra")
    ticket = await desk.make(lambda f: f.ticket())
    for query, there, gone in (
        ("who=boss@example.org", "Teams", "Tickets "),
        ("who=system&table=tickets", "Tickets ", "Teams "),
        (f"ticket={ticket.ticket_number}", f"Tickets {ticket.id}", "Teams "),
        ("table=teams&action=CREATE&channel=web", "Teams", "Tickets "),
        ("since=2000-01-01&until=2099-01-01", "Tickets ", "Nothing fits"),
        ("until=2000-01-01", "Nothing fits", "Teams "),
        ("since=2099-01-01", "Nothing fits", "Teams "),
        (f"table=tickets&record={ticket.id}", f"Tickets {ticket.id}", "Teams "),
    ):
        answer = await admin.client.get(f"/admin/audit?{query}")
        shown = answer.text.split("<tbody>")[-1] if "<tbody>" in answer.text else answer.text
        assert (answer.status_code, there in shown, gone in shown) == (200, True, False), query


async def test_a_filter_that_cannot_be_read_says_why(admin: Browser) -> None:
    for query, field in (("who=nobody@example.org", "who"), ("ticket=DB-999999", "ticket"), ("record=7", "record")):
        answer = await admin.client.get(f"/admin/audit?{query}")
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True)
    assert (await admin.client.get("/admin/audit?since=tomorrow")).status_code == 422


async def test_an_operation_is_shown_whole(admin: Browser) -> None:
    answer = await admin.send("/admin/teams", name="Zebra")
    assert answer.status_code == 303
    listed = (await admin.client.get("/admin/audit?table=teams")).text
    number = listed.split("/admin/audit/operations/")[1].split('"')[0]
    page = (await admin.client.get(f"/admin/audit/operations/{number}")).text
    assert "POST /admin/teams" in page
    leads = await admin.client.get(f"/admin/audit?operation={number}")
    assert leads.headers["location"] == f"/admin/audit/operations/{number}"


def test_what_little_fits_is_looked_for_in_steps(fresh_database: Database, fresh_address: Address) -> None:
    Factory(fresh_database).team(name="Early")
    fill(fresh_address, 70)
    steps: list[browsing.Step] = []
    while not steps or steps[-1].before:
        before = steps[-1].before if steps else None
        with fresh_database.transaction(SYSTEM) as session:
            wanted = browsing.ChangeFilter(table_name="teams")
            steps.append(browsing.find_changes(session, wanted, limit=5, before=before, window=20))
    assert [row.table_name for step in steps for row in step.rows] == ["teams"]
    assert len(steps) in {4, 5}
    assert [step.back_to is not None for step in steps] == [True] * (len(steps) - 1) + [False]
    fresh_database.close()


def test_a_moment_is_found_by_halving(fresh_database: Database, fresh_address: Address) -> None:
    fill(fresh_address, 3_000)
    with fresh_database.transaction(SYSTEM) as session:
        everything = browsing.find_changes(session, browsing.ChangeFilter(), limit=5_000).rows
        for row in (everything[0], everything[1_500], everything[-1]):
            later = browsing.ChangeFilter(since=row.created_at)
            found = browsing.find_changes(session, later, limit=5_000).rows
            assert {one.id for one in found} == {one.id for one in everything if one.created_at >= row.created_at}
            earlier = browsing.ChangeFilter(until=row.created_at)
            rest = browsing.find_changes(session, earlier, limit=5_000).rows
            assert len(found) + len(rest) == len(everything)
    fresh_database.close()


async def test_a_spreadsheet_is_given_no_formula(desk: Pages, admin: Browser) -> None:
    formula = '=HYPERLINK("http://x","y")'
    user = await desk.make(lambda f: f.user(Role.ADMIN, full_name=formula))
    async with desk.database.async_transaction(actor(user)) as session:
        await session.run_sync(lambda db: create_tag(db, name="+1"))
    answer = await admin.client.get("/admin/audit/export?as=csv&table=tags")
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert rows
    assert rows[0]["user_name"] == f"'{formula}"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-log.csv"')
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


async def test_the_export_keeps_to_the_filters(live: Pages, fresh_address: Address) -> None:
    admin = await live.browser_of(Role.ADMIN)
    operation = fill(fresh_address, 2_500)
    await live.make(lambda f: f.team(name="Zebra"))
    answer = await admin.client.get("/admin/audit/export?as=jsonl&table=teams")
    assert {row["table_name"] for row in map(json.loads, answer.text.splitlines())} == {"teams"}
    everything = (await admin.client.get("/admin/audit/export?as=jsonl&table=tickets&channel=import")).text.splitlines()
    ids = [json.loads(line)["id"] for line in everything]
    assert (len(ids), ids) == (2_500, sorted(set(ids), reverse=True))
    assert json.loads(everything[0])["changes"] == {"title": ["old", "new"]}
    one = (await admin.client.get(f"/admin/audit/export?as=csv&operation={operation}")).text
    assert len(one.splitlines()) >= 2_500
    assert (await admin.client.get(f"/admin/audit/export?operation={2**40}")).status_code == 404


async def test_many_rows_are_sent_in_bounded_memory(live: Pages, fresh_address: Address) -> None:
    """Each piece is forgotten when it is sent; the tests' HTTP client gathers them, so the stream is asked itself."""
    await live.browser_of(Role.ADMIN)
    fill(fresh_address, MANY)
    begun = Export(live.database, SYSTEM, browsing.ChangeFilter(channel="import"), None, state := State())
    peaks, lines = [], 0
    tracemalloc.start()
    async for piece in begun.pieces("csv"):
        lines += piece.count(b"\n")
        if lines > MANY // 10:
            peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert (lines - 1, state.shown) == (MANY, MANY)
    assert peaks[-1] < 8 * 1024 * 1024
    assert peaks[-1] - peaks[0] < 1.5 * 1024 * 1024, "the text of all rows is larger"


async def test_a_failed_job_is_tried_again(desk: Pages, admin: Browser) -> None:
    async with desk.database.async_transaction(SYSTEM) as session:
        job = await session.run_sync(fail_job)
    assert "1 job failed." in (await admin.client.get("/admin")).text
    page = (await admin.client.get("/admin/jobs?state=failed")).text
    assert "ValueError: broken" in page
    answer = await admin.send(f"/admin/jobs/{job}/retry?state=failed")
    assert answer.headers["location"] == "/admin/jobs?state=failed"
    assert f"Job {job} is tried again." in (await admin.client.get("/admin/jobs")).text
    again = await admin.send(f"/admin/jobs/{job}/retry")
    assert (again.status_code, "waits for its first try" in again.text or 'role="alert"' in again.text) == (409, True)


def take_in(session: Session, raw: bytes) -> int:
    message = receive(session, raw, source="test").id
    file_message(session, message)
    return message


async def test_a_message_is_shown_with_its_reason_and_as_it_came(desk: Pages, admin: Browser) -> None:
    raw = b"Subject: No sender\r\nX-Odd: \xff<b>\r\n\r\nHello <script>alert(1)</script>\r\n"
    async with desk.database.async_transaction(SYSTEM) as session:
        message = await session.run_sync(take_in, raw)
    assert "1 message is suspended." in (await admin.client.get("/admin")).text
    assert "No sender" in (await admin.client.get("/admin/mail?state=suspended")).text
    assert "No sender" not in (await admin.client.get("/admin/mail?state=failed")).text
    page = (await admin.client.get(f"/admin/mail/{message}")).text
    assert "It does not say from whom it is" in page
    body = await admin.client.get(f"/admin/mail/{message}/body")
    assert "&lt;script&gt;" in body.text
    assert "sandbox" in body.headers["content-security-policy"]
    sent = await admin.client.get(f"/admin/mail/{message}/raw")
    assert (sent.content, sent.headers["content-type"]) == (raw, "message/rfc822")
    assert sent.headers["content-disposition"].startswith("attachment")


async def test_a_huge_message_is_not_read_for_a_page(desk: Pages, admin: Browser) -> None:
    raw = b"From: a@example.org\nSubject: Big\n\n" + b"x" * originals.SHOWN_BYTES
    async with desk.database.async_transaction(SYSTEM) as session:
        message = await session.run_sync(take_in, raw)
    page = (await admin.client.get(f"/admin/mail/{message}")).text
    assert "too large to be read here" in page
    assert "xxxxxxxxxx" not in page.split("Headers")[-1]
    assert len(page) < 100_000
    assert "too large" in (await admin.client.get(f"/admin/mail/{message}/body")).text


async def test_what_could_not_be_sent_is_shown_without_its_words(desk: Pages, admin: Browser) -> None:
    async with desk.database.async_transaction(SYSTEM) as session:
        session.add(
            OutboundMessage(
                kind=OutboundKind.RESET,
                state=OutboundState.FAILED,
                reason="550 <b>no such user</b>",
                recipient="kim@example.org",
                subject="Your link",
                text="https://desk.test/secret-link",
            )
        )
    assert "1 message could not be sent." in (await admin.client.get("/admin")).text
    page = (await admin.client.get("/admin/outbox?state=failed")).text
    assert "550 &lt;b&gt;no such user" in page
    assert "secret-link" not in page
    assert "kim@example.org" not in (await admin.client.get("/admin/outbox?state=sent")).text
