"""`deskbell ticket bulk-status`, `bulk-assign` and `deskbell statistics`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Terminal

SAM = ("--as", "sam@example.test")
KIM = ("--as", "kim@example.test")


@pytest.fixture
def numbers(terminal: Terminal, ticket: str) -> list[str]:
    """Three tickets of Kim, about cards."""
    for n in range(2):
        terminal.ok("ticket", "open", "--requester", "kim@example.test", "-m", f"My card {n} is broken.")
    listed = terminal.ok("ticket", "list", "--json").json["tickets"]
    assert ticket in {found["number"] for found in listed}
    return sorted(found["number"] for found in listed)


def states(terminal: Terminal) -> dict[str, tuple[str, str | None]]:
    listed = terminal.ok("ticket", "list", "--json").json["tickets"]
    return {found["number"]: (found["status"], found["assignee"] and found["assignee"]["name"]) for found in listed}


def test_tickets_are_named_by_number_or_id(terminal: Terminal, numbers: list[str]) -> None:
    result = terminal.ok("ticket", "bulk-status", "resolved", numbers[0].lower(), "2", numbers[0], *SAM)
    assert result.out == "2 tickets are now resolved.\n"
    assert [status for status, _ in states(terminal).values()].count("resolved") == 2
    log = terminal.ok("audit", "show", numbers[0], "--json").out
    assert "deskbell ticket bulk-status" in log


def test_what_was_left_alone_is_told(terminal: Terminal, numbers: list[str]) -> None:
    terminal.ok("ticket", "delete", numbers[0])
    terminal.ok("ticket", "status", numbers[1], "closed")
    result = terminal.run("ticket", "bulk-status", "closed", *numbers, "DB-9999", "777", "%")
    assert (result.code, result.out) == (1, "1 ticket is now closed.\n")
    assert "1 ticket was so already." in result.err
    assert f"restore them first: {numbers[0]}\n" in result.err
    assert "There are no such tickets: DB-9999, %, 777" in result.err
    again = terminal.run("ticket", "bulk-status", "closed", *numbers, "DB-9999", "777", "--json")
    assert again.code == 1
    assert again.json == {
        "changed": 0,
        "found": 4,
        "unchanged": numbers[1:],
        "deleted": numbers[:1],
        "missing": ["DB-9999", "777"],
    }


def test_tickets_come_from_a_file_or_standard_input(terminal: Terminal, numbers: list[str], tmp_path: Path) -> None:
    file = tmp_path / "numbers.txt"
    file.write_text("\n".join(numbers), encoding="utf-8")
    assert terminal.ok("ticket", "bulk-assign", "sam@example.test", "--file", file).out.startswith("3 tickets are now")
    assert set(states(terminal).values()) == {("in_progress", "Sam Agent")}
    terminal.ok("ticket", "bulk-assign", "none", "--file", "-", stdin=" ".join(numbers))
    assert set(states(terminal).values()) == {("in_progress", None)}


def test_tickets_come_from_a_query(terminal: Terminal, numbers: list[str]) -> None:
    asked = ("ticket", "bulk-status", "waiting_on_customer", "--query", "status:open broken")
    assert terminal.ok(*asked, "--dry-run").out == "2 tickets would be now waiting on customer.\n"
    assert {status for status, _ in states(terminal).values()} == {"open"}
    assert terminal.ok(*asked).out == "2 tickets are now waiting on customer.\n"
    assert terminal.ok(*asked).out == "0 tickets are now waiting on customer.\n"
    assert len(numbers) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("resolved",), 2, "Name the tickets"),
        (("resolved", "DB-1", "--query", "status:open"), 2, "Name the tickets"),
        (("resolved", "--query", " "), 2, "all tickets"),
        (("resolved", "--query", "statsu:open"), 2, "status"),
        (("done", "DB-1"), 2, "done"),
        (("resolved", "--file", "/nowhere/at/all"), 2, "cannot be read"),
        (("resolved", "--file", "-"), 2, "names no tickets"),
        (("resolved", "DB-1\0", "9" * 30, "", "²"), 1, "no such tickets"),
        (("resolved", "DB-1", "--as", "nobody@example.test"), 1, "nobody@example.test"),
    ],
)
def test_what_makes_no_sense_is_one_line(bystander: Terminal, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = bystander.run("ticket", "bulk-status", *arguments)
    assert (result.code, said in result.err) == (code, True), result.err


def test_who_cannot_be_given_tickets_is_refused(terminal: Terminal, ticket: str) -> None:
    assert terminal.run("ticket", "bulk-assign", "kim@example.test", ticket).code == 2
    assert terminal.run("ticket", "bulk-assign", "nobody@example.test", ticket).code == 1
    customer = terminal.run("ticket", "bulk-assign", "none", ticket, *KIM)
    assert (customer.code, "Only the desk" in customer.err) == (1, True)


def test_figures_of_a_period(terminal: Terminal, numbers: list[str]) -> None:
    terminal.ok("ticket", "bulk-assign", "sam@example.test", *numbers[:2])
    terminal.ok("ticket", "status", numbers[0], "resolved")
    shown = terminal.ok("statistics").out
    assert "3 tickets, resolved in 0.0 h on average" in shown
    assert "1 open, 1 in progress, 0 waiting on customer, 1 resolved, 0 closed" in shown
    assert "Sam Agent" in shown
    found = terminal.ok("statistics", "--json").json
    assert (found["total"], found["status_counts"]["resolved"], found["priority_counts"]["medium"]) == (3, 1, 3)
    assert found["assignee_stats"][0]["ticket_count"] == 2
    assert terminal.ok("statistics", *KIM, "--json").json["total"] == 3
    assert terminal.ok("statistics", "--from", "2020-01-01", "--until", "2020-02-01", "--json").json["total"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "yesterday"),
        ("--from", "2026-02-30"),
        ("--from", "2026-02-02", "--until", "2026-02-01"),
        ("--from", "0001-01-01"),
        ("--until", "0001-01-01"),
        ("--until", "2026-01-01T00:00"),
        ("--from", "\0"),
    ],
)
def test_a_period_that_makes_no_sense_is_one_line(bystander: Terminal, arguments: tuple[str, ...]) -> None:
    result = bystander.run("statistics", *arguments)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result.err
