"""`deskbell ticket history` and `ticket show --as-of`."""

from datetime import UTC, datetime

import pytest

from deskbell.cli.ticket_past import moment
from tests.cli.conftest import Terminal

SAM = ("--as", "sam@example.test")
KIM = ("--as", "kim@example.test")


def test_the_history_tells_what_each_act_did(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "reply", ticket, "-m", "It was sent.", "--status", "resolved", *SAM)
    terminal.ok("ticket", "tag", ticket, "card", "late", *SAM)
    told = terminal.ok("ticket", "history", ticket.lower()).out
    assert [line.rstrip().split("  ")[-1].strip() for line in told.splitlines()] == [
        "What",
        "added the tags card, late",
        "wrote a reply, changed status",
        "status: open → resolved",
        "opened the ticket",
    ]
    assert "Sam Agent" in told
    assert "cli (deskbell ticket reply)" in told
    document = terminal.ok("ticket", "history", ticket, "--json").json
    assert document["acts"][0]["summary"] == "added the tags card, late"
    assert document["acts"][1]["changes"][1]["fields"] == {"status": ["open", "resolved"]}


def test_a_long_history_goes_on_at_its_cursor(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "priority", ticket, "urgent", *SAM)
    first = terminal.ok("ticket", "history", ticket, "--limit", "1", "--json").json
    rest = terminal.ok("ticket", "history", ticket, "--limit", "1", "--json", "--cursor", first["next_cursor"]).json
    assert [act["summary"] for act in (*first["acts"], *rest["acts"])] == ["changed priority", "opened the ticket"]
    assert "--cursor" in terminal.ok("ticket", "history", ticket, "--limit", "1").err


def test_a_ticket_is_shown_as_it_was(terminal: Terminal, ticket: str) -> None:
    opened = terminal.ok("ticket", "history", ticket, "--json").json["acts"][0]["at"]
    terminal.ok("ticket", "note", ticket, "-m", "Ask the printer.", *SAM)
    terminal.ok("ticket", "tag", ticket, "difficult", *SAM)
    terminal.ok("ticket", "status", ticket, "closed", *SAM)
    shown = terminal.ok("ticket", "show", ticket, "--as-of", opened).out
    assert "My card has not arrived." in shown
    assert "printer" not in shown
    assert "difficult" not in shown
    assert "closed" not in shown
    assert "version" not in shown
    document = terminal.ok("ticket", "show", ticket, "--as-of", opened, "--json").json
    assert (document["status"], document["tags"], document["comments"]) == ("open", [], [])
    assert datetime.fromisoformat(document["as_of"]) == datetime.fromisoformat(opened)
    assert not {"version", "updated_at"} & document.keys()
    assert "printer" in terminal.ok("ticket", "show", ticket, "--as-of", "2999-01-01").out


def test_before_it_was_there_it_is_not_found(terminal: Terminal, ticket: str) -> None:
    result = terminal.run("ticket", "show", ticket, "--as-of", "1999-12-31 23:59")
    assert (result.code, result.out) == (1, "")
    assert "and not before" in result.err


def test_the_past_is_for_the_desk(terminal: Terminal, ticket: str) -> None:
    for command in (("history", ticket), ("show", ticket, "--as-of", "2999-01-01")):
        result = terminal.run("ticket", *command, *KIM)
        assert (result.code, "Only the desk sees" in result.err) == (1, True)


@pytest.mark.parametrize("typed", ["yesterday", "14:05", "2026-13-01", "2026-11-20 25:00", "\x00", "99999-01-01"])
def test_a_time_that_is_none_is_said_so(bystander: Terminal, typed: str) -> None:
    result = bystander.run("ticket", "show", "DB-1", "--as-of", typed)
    assert (result.code, "Write it like 2026-11-20" in result.err) == (2, True)


def test_a_time_is_of_this_machine_unless_it_says_otherwise() -> None:
    expected = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
    for typed in ("2026-11-20T14:05Z", "2026-11-20 15:05+01:00", " 2026-11-20 14:05:00.000000+00:00 "):
        assert moment(typed) == expected
    assert moment("2026-11-20 14:05") == datetime(2026, 11, 20, 14, 5).astimezone()
