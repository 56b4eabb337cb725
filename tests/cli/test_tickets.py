"""`deskbell ticket` and `deskbell audit`: find, read, change, and see what was changed."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Terminal

SAM = ("--as", "sam@example.test")
KIM = ("--as", "kim@example.test")


def test_a_list_shows_what_matches(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "open", "--requester", "lee@example.test", "-m", "How do I top up?")
    assert terminal.ok("ticket", "list", "status:open card").out.count("DB-") == 1
    assert ticket in terminal.ok("ticket", "list", "requester:kim@example.test").out
    nothing = terminal.ok("ticket", "list", "status:closed")
    assert (nothing.out, nothing.err) == ("", "No ticket matches 'status:closed'.\n")


def test_any_query_is_explained_with_its_plan(terminal: Terminal, ticket: str) -> None:
    """As the role that asks, with its values, and without doing anything twice."""
    told = terminal.ok("ticket", "list", "card", "--explain", *SAM)
    assert ticket in told.out
    assert "Execution Time" in told.err
    assert "search_documents" in told.err
    terminal.ok("ticket", "status", ticket, "resolved", "--explain", *SAM)
    assert terminal.ok("audit", "show", ticket, "--json").out.count('"resolved"') == 1


def test_a_list_goes_on_at_its_cursor(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "open", "--requester", "kim@example.test", "-m", "How do I top up?")
    first = terminal.ok("ticket", "list", "--limit", "1", "--json").json
    rest = terminal.ok("ticket", "list", "--limit", "1", "--cursor", first["next_cursor"], "--json").json
    assert [rest["tickets"][0]["number"], rest["next_cursor"]] == [ticket, None]
    other = terminal.run("ticket", "list", "other words", "--cursor", first["next_cursor"])
    assert (other.code, "belongs to another query" in other.err) == (2, True)
    assert "--cursor" in terminal.ok("ticket", "list", "--limit", "1").err


@pytest.mark.parametrize(
    ("query", "position", "said"),
    [
        ("card status:opn", 12, "Did you mean `open`?"),
        ('"card', 0, "not closed"),
        ("statsu:open", 0, "Did you mean `status:`?"),
    ],
)
def test_a_query_that_is_wrong_is_marked_where_it_is_wrong(
    terminal: Terminal, query: str, position: int, said: str
) -> None:
    result = terminal.run("ticket", "list", query)
    assert (result.code, result.out) == (2, "")
    message, shown, mark = result.err.splitlines()
    assert said in message
    assert shown == f"  {query}"
    assert mark == f"  {' ' * position}^"


def test_a_ticket_is_shown_with_its_thread(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "reply", ticket, "-m", "It was sent.", "--status", "waiting_on_customer", *SAM)
    terminal.ok("ticket", "note", ticket, *SAM, stdin="Ask the printer.\n")
    terminal.ok("ticket", "tag", ticket, "card", "late")
    shown = terminal.ok("ticket", "show", ticket.lower()).out
    assert "waiting on customer" in shown
    assert "card, late" in shown
    assert re.search(r"Sam Agent, .*INTERNAL NOTE.*\nAsk the printer\.", shown)


def test_a_customer_is_not_shown_what_is_internal(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "note", ticket, "-m", "Ask the printer.", *SAM)
    terminal.ok("ticket", "tag", ticket, "difficult")
    shown = terminal.ok("ticket", "show", ticket, *KIM).out
    assert "My card has not arrived." in shown
    assert "printer" not in shown
    assert "difficult" not in shown
    document = terminal.ok("ticket", "show", ticket, *KIM, "--json").json
    assert document["comments"] == []
    assert "tags" not in document
    terminal.ok("user", "create", "lee@example.test")
    assert (
        terminal.run("ticket", "show", ticket, "--as", "lee@example.test").err
        == f"Error: There is no ticket {ticket}.\n"
    )


def test_a_ticket_is_changed_by_one_command_each(terminal: Terminal, ticket: str, tmp_path: Path) -> None:
    photo = tmp_path / "photo.txt"
    photo.write_text("a photo", encoding="utf-8")
    terminal.ok("ticket", "assign", ticket, "sam@example.test", *SAM)
    terminal.ok("ticket", "priority", ticket, "urgent")
    terminal.ok("ticket", "status", ticket, "resolved", *SAM)
    terminal.ok("ticket", "attach", ticket, photo, *SAM)
    terminal.ok("ticket", "tag", ticket, "card")
    terminal.ok("ticket", "untag", ticket, "card")
    document = terminal.ok("ticket", "show", ticket, "--json").json
    assert (document["status"], document["priority"], document["tags"]) == ("resolved", "urgent", [])
    assert document["assignee"]["email"] == "sam@example.test"
    assert [file["name"] for file in document["attachments"]] == ["photo.txt"]
    terminal.ok("ticket", "assign", ticket, "none")
    assert terminal.ok("ticket", "show", ticket, "--json").json["assignee"] is None


def test_a_deleted_ticket_can_be_restored(terminal: Terminal, ticket: str) -> None:
    assert "was deleted." in terminal.ok("ticket", "delete", ticket).out
    assert "already" in terminal.ok("ticket", "delete", ticket).out
    assert ticket not in terminal.ok("ticket", "list").out
    assert "DELETED" in terminal.ok("ticket", "show", ticket).out
    assert "is back" in terminal.ok("ticket", "restore", ticket).out
    assert ticket in terminal.ok("ticket", "list").out


def test_who_writes_must_be_said(terminal: Terminal, ticket: str) -> None:
    result = terminal.run("ticket", "reply", ticket, "-m", "Hello")
    assert (result.code, "--as sam@example.org" in result.err) == (2, True)


def test_who_acts_can_be_set_in_the_environment(terminal: Terminal, ticket: str) -> None:
    terminal.monkeypatch.setenv("DESKBELL_DEFAULT_ACTOR", "sam@example.test")
    terminal.ok("ticket", "reply", ticket, "-m", "Hello")
    assert "Sam Agent" in terminal.ok("ticket", "show", ticket).out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ticket", "show", "DB-9"), 1, "There is no ticket DB-9."),
        (
            ("ticket", "show", "DB-9", "--as", "no@example.test"),
            1,
            "There is no user with the address no@example.test.",
        ),
        (("ticket", "status", "DB-9", "done"), 2, "'done' is not one of 'open'"),
        (("ticket", "list", "--limit", "0"), 2, "--limit"),
        (("ticket", "list", "--cursor", "xyz"), 2, "The cursor was altered"),
        (("ticket", "lst"), 2, "Did you mean 'list'? Try `deskbell ticket --help`."),
        (("ticket", "show"), 2, "Missing argument 'NUMBER'."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    bystander: Terminal, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = bystander.run(*arguments)
    assert (result.code, result.out, len(result.err.splitlines())) == (code, "", 1)
    assert said in result.err


def test_the_history_says_who_changed_what_through_what(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "tag", ticket, "late")
    terminal.ok("ticket", "untag", ticket, "late")
    terminal.ok("ticket", "assign", ticket, "sam@example.test", *SAM)
    said = [re.split(r"\s{2,}", line.strip()) for line in terminal.ok("audit", "show", ticket).out.splitlines()]
    assert [line[1:] for line in said] == [
        ["Who", "Through", "What", "Change"],
        ["the system", "cli (deskbell ticket open)", "ticket", "created"],
        ["the system", "cli (deskbell ticket tag)", "tag", "added: late"],
        ["the system", "cli (deskbell ticket untag)", "tag", "removed: late"],
        ["Sam Agent", "cli (deskbell ticket assign)", "ticket", "assignee: nothing → Sam Agent"],
        ["Sam Agent", "cli (deskbell ticket assign)", "ticket", "status: open → in_progress"],
    ]
    changes = terminal.ok("audit", "show", ticket, "--json").json["changes"]
    assert [change["action"] for change in changes] == ["CREATE", "CREATE", "DELETE", "UPDATE"]


def test_the_history_is_not_for_customers(terminal: Terminal, ticket: str) -> None:
    result = terminal.run("audit", "show", ticket, *KIM)
    assert (result.code, result.out) == (1, "")


def test_what_others_wrote_cannot_steer_the_terminal(terminal: Terminal, ticket: str) -> None:
    with psycopg.connect(terminal.address.dsn) as connection:
        connection.execute("update tickets set title = E'red \\x1b[31m alert', description = E'beep\\x07 \\u202eback'")
    for command in (("ticket", "list"), ("ticket", "show", ticket), ("audit", "show", ticket)):
        assert not re.search("[\x07\x1b\u202e]", terminal.ok(*command).out)
