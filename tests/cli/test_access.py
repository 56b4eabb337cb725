"""`deskbell audit access`, `partitions` and `prune`; and that the command line is recorded like everything else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from typer.main import get_command

from deskbell.cli.app import app
from tests.cli.conftest import Terminal

SHOWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ticket list": ("ticket list", ()),
    "ticket show": ("ticket", ("DB-1001",)),
    "ticket history": ("history", ("DB-1001",)),
    "audit show": ("history", ("DB-1001",)),
    "audit access": ("access log", ()),
    "search tickets": ("search", ("card",)),
    "view run": ("ticket list", ("1",)),
    "mail list": ("mail", ()),
    "mail outbox": ("mail", ()),
    "mail show": ("mail", ("1",)),
    "user list": ("user list", ()),
    "organization list": ("organization list", ()),
}
"""Each command that shows what customers wrote or who they are: the kind of its entry, and arguments to try it with."""
SHOWS_NOTHING = {
    "audit partitions": "figures",
    "audit prune": "figures",
    "db": "the schema, and the owner's own shell, which is beyond the application",
    "demo": "makes an example",
    "jobs": "the state of the worker",
    "import": "only brings in",
    "letter": "what the desk's letters say",
    "mail compare": "says how many folders",
    "mail gaps": "numbers of messages",
    "mail listen": "only brings in",
    "mail receive": "only brings in; with --file-now it says the number of the ticket",
    "mail reject": "says what was decided",
    "mail release": "says what was decided",
    "mail replay": "figures",
    "mailbox": "addresses of the desk and the state of their servers, without secrets",
    "organization create": "says what was typed",
    "search language": "a setting",
    "search reindex": "figures",
    "report": "figures",
    "secrets": "figures",
    "serve": "shows nothing itself",
    "statistics": "figures",
    "storage": "figures",
    "team": "colleagues",
    "ticket": "changes, which stand in the audit log",
    "token": "accounts and tokens without secrets",
    "user": "says what was typed",
    "version": "the program's version",
    "view": "saved queries; what they find is recorded by `view run`",
    "worker": "shows nothing itself",
}
"""Each other command, or the group of the others, and why it is not recorded."""


def commands(group: Any, path: str = "") -> list[str]:
    if not hasattr(group, "commands"):
        return [path]
    return [found for name, each in group.commands.items() for found in commands(each, f"{path} {name}".strip())]


def test_each_command_is_recorded_or_says_why_not() -> None:
    """Whoever adds a command says here what it shows, and calls `note_reading` where that is something."""
    known = commands(get_command(app))
    assert len(known) > 40
    reasons = {name: SHOWS_NOTHING.get(name) or SHOWS_NOTHING.get(name.split()[0]) for name in known}
    assert [name for name in known if name not in SHOWS and not reasons[name]] == []
    assert sorted(SHOWS.keys() - set(known)) == []


def entries(terminal: Terminal, columns: str = "kind, act, channel, role, user_id") -> list[Any]:
    with psycopg.connect(terminal.address.dsn) as connection:
        return connection.execute(f"select {columns} from access_logs order by id".encode()).fetchall()  # noqa: S608 - columns of this file


@pytest.fixture
def desk(terminal: Terminal) -> Terminal:
    terminal.ok("user", "create", "ada@example.org", "--role", "admin", "--generate-password")
    terminal.ok("ticket", "open", "--requester", "kim@example.org", "--message", "My card is late.")
    letter = terminal.data_dir / "message.eml"
    letter.write_text("From: kim@example.org\nSubject: Hello\nMessage-ID: <a@b>\n\nHello\n")
    terminal.ok("import", "mail", letter)
    terminal.ok("view", "create", "All", "", "--as", "ada@example.org")
    return terminal


@pytest.mark.parametrize("name", SHOWS)
def test_what_a_command_shows_is_recorded_before_it_ends(desk: Terminal, name: str) -> None:
    kind, arguments = SHOWS[name]
    before = len(entries(desk))
    desk.ok(*name.split(), *arguments)
    assert entries(desk)[before:] == [(kind, f"deskbell {name}", "cli", "system", None)]
    [(address,)] = entries(desk, "address")[before:]
    assert "@" in address


def test_who_looked_at_a_ticket(desk: Terminal) -> None:
    desk.ok("ticket", "show", "DB-1001", "--as", "ada@example.org")
    desk.ok("ticket", "list", "card")
    [entry] = desk.ok("audit", "access", "db-1001", "--json").json["entries"]
    assert (entry["kind"], entry["ticket_number"], entry["act"]) == ("ticket", "DB-1001", "deskbell ticket show")
    assert "DB-1001" in desk.ok("audit", "access", "DB-1001").out
    found = desk.ok("audit", "access", "--kind", "access log", "--json").json["entries"]
    assert [each["query"] for each in found] == ["DB-1001", "db-1001"]
    assert desk.ok("audit", "access", "--user", "kim@example.org").err.startswith("Nobody has read that")


def test_only_administrators_ask(desk: Terminal) -> None:
    result = desk.run("audit", "access", "--as", "kim@example.org")
    assert (result.code, "administrator" in result.err) == (1, True)


def test_what_is_no_kind_is_told_with_those_that_are(desk: Terminal) -> None:
    result = desk.run("audit", "access", "--kind", "tickets")
    assert result.code == 2
    assert "'ticket list'" in result.err


def test_it_can_be_turned_off(desk: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_ACCESS_LOG_ENABLED", "false")
    desk.ok("ticket", "show", "DB-1001")
    assert entries(desk) == []


def test_months_and_what_goes_next_are_shown_and_dropped(desk: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_ACCESS_LOG_MONTHS", "2")
    old = datetime.now(UTC) - timedelta(days=100)
    with psycopg.connect(desk.address.dsn, autocommit=True) as connection:
        connection.execute(
            "insert into access_logs (at, role, channel, act, kind, query, address, request_id)"
            " values (%s, 'agent', 'api', '', 'ticket', '', '', '')",
            (old,),
        )
        assert "access_logs_default holds 1 entry" in desk.ok("audit", "partitions").err
        connection.execute("select deskbell_make_partitions(3)")
    name = f"access_logs_y{old:%Y}m{old:%m}"
    listed = desk.ok("audit", "partitions", "--json").json
    assert [part["name"] for part in listed["partitions"] if part["dropped_next"]] == [name]
    assert listed["months_kept"] == {"audit_logs": 0, "access_logs": 2}
    assert desk.ok("audit", "prune", "--dry-run").out.splitlines()[-1] == "1 month would be dropped."
    assert name in desk.ok("audit", "partitions").out
    assert desk.ok("audit", "prune").out.splitlines()[-1] == "1 month dropped."
    assert desk.ok("audit", "prune").out == "No month is older than what is kept.\n"
    assert name not in desk.ok("audit", "partitions").out


@pytest.mark.parametrize(("name", "value"), [("AUDIT_MONTHS", "5"), ("ACCESS_LOG_MONTHS", "-1")])
def test_too_few_months_are_refused(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"DESKBELL_{name}", value)
    result = terminal.run("audit", "partitions")
    assert result.code == 2
    assert f"DESKBELL_{name}" in result.err
