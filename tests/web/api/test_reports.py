"""Reports over HTTP: as JSON, as CSV, and not for customers."""

import csv
from io import StringIO

import httpx
import pytest

from deskbell.accounts.models import Role
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
PERIOD = "start_date=2026-11-01&end_date=2036-11-01"
REPORTS = ["flow", "times"]


async def reader(desk: Desk, role: Role = Role.AGENT) -> httpx.AsyncClient:
    return await desk.as_(await desk.make(lambda f: f.user(role)))


@pytest.mark.parametrize("report", REPORTS)
async def test_a_file_has_what_the_answer_has(desk: Desk, report: str) -> None:
    """Text that a spreadsheet would run as a formula has an apostrophe before it."""
    ticket = await desk.make(lambda f: f.ticket())
    await desk.make(lambda f: f.tag("=1+1"))
    client = await reader(desk)
    await client.put(f"/api/v1/tickets/{ticket.ticket_number}/tags/=1+1")
    answer = await client.get(f"/api/v1/reports/{report}?{PERIOD}&by=tag")
    file = await client.get(f"/api/v1/reports/{report}.csv?{PERIOD}&by=tag")
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.headers["Content-Disposition"].startswith(f'attachment; filename="{report}-2026-11-01.csv"')
    rows = list(csv.DictReader(StringIO(file.text, newline="")))
    assert rows
    assert {row["name"] for row in rows} == {"'=1+1"}
    shown = [{key: "" if value is None else str(value) for key, value in one.items()} for one in answer.json()]
    assert [row | {"name": "=1+1"} for row in rows] == shown


@pytest.mark.parametrize("path", [f"{report}{kind}" for report in REPORTS for kind in ("", ".csv")])
async def test_customers_are_refused(desk: Desk, path: str) -> None:
    answer = await (await reader(desk, Role.CUSTOMER)).get(f"/api/v1/reports/{path}?{PERIOD}")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
