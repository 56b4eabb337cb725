"""Reports on the terminal: as a table, as CSV, as JSON, and what is refused."""

import csv
from io import StringIO
from typing import get_args

import pytest

from deskbell.cli import reports
from deskbell.reports import By, DayOfFlow, ResponseTimes
from tests.cli.conftest import Terminal

FIELDS = {"flow": DayOfFlow._fields, "times": ResponseTimes._fields}


@pytest.fixture
def ticket(terminal: Terminal) -> Terminal:
    terminal.ok("ticket", "open", "--requester", "kim@example.org", "--message", "My card is late.")
    return terminal


@pytest.mark.parametrize("report", FIELDS)
def test_a_report_is_a_table_or_csv_or_json(ticket: Terminal, report: str) -> None:
    shown = ticket.ok("report", report, "--by", "priority").out
    assert "Priority" in shown
    assert "medium" in shown
    rows = list(csv.DictReader(StringIO(ticket.ok("report", report, "--by", "priority", "--csv").out)))
    found = ticket.ok("report", report, "--by", "priority", "--json").json
    assert [list(row) for row in rows] == [list(FIELDS[report])] * len(rows)
    plain = [{name: "" if value is None else str(value) for name, value in one.items()} for one in found]
    assert rows == plain
    assert found[-1]["value"] == "medium"


def test_the_last_day_is_today_when_nothing_is_said(ticket: Terminal) -> None:
    found = ticket.ok("report", "flow", "--json").json
    assert len(found) == 30
    assert [one["created"] for one in found][-2:] == [0, 1]


def test_a_period_without_tickets_says_so(ticket: Terminal) -> None:
    result = ticket.ok("report", "times", "--from", "2020-01-01", "--until", "2020-02-01")
    assert (result.out, result.err) == ("", "There were no tickets in this period.\n")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--from", "yesterday"), "--from"),
        (("--until", "0001-01-02"), "--until"),
        (("--from", "2026-02-01", "--until", "2026-01-01"), "end"),
        (("--by", "mood"), "--by"),
    ],
)
def test_what_makes_no_sense_is_refused(ticket: Terminal, options: tuple[str, ...], what: str) -> None:
    result = ticket.run("report", "flow", *options)
    assert result.code == 2
    assert what in result.err


def test_customers_read_no_reports(ticket: Terminal) -> None:
    assert "Only the desk" in ticket.run("report", "flow", "--as", "kim@example.org").err


def test_the_command_knows_what_reports_know() -> None:
    assert get_args(reports.By) == tuple(by.value for by in By)
