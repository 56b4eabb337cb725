"""`deskbell import mail`: everything is written down first, and every message ends in a state."""

from pathlib import Path

import pytest

from tests.cli.conftest import Terminal

HELLO = "From: Kim <kim@example.test>\nSubject: My card\nMessage-ID: <1@example.test>\n\nWhere is it?\n"
ANSWER = (
    "From: Kim <kim@example.test>\nSubject: Re: My card\nMessage-ID: <2@example.test>\nIn-Reply-To: <1@example.test>\n"
    "\nIt came today.\n\nOn Mon, 2 Mar 2026 Sam wrote:\n> It was sent.\n> Wait a little.\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "1.eml").write_text(HELLO, encoding="utf-8")
    (inbox / "2.eml").write_text(ANSWER, encoding="utf-8")
    return inbox


def test_messages_become_tickets_and_comments(terminal: Terminal, folder: Path) -> None:
    result = terminal.ok("import", "mail", folder)
    assert "2 messages added, 0 known already, 0 skipped." in result.out
    assert "Filed as: 1 ticket, 1 comment." in result.out
    shown = terminal.ok("ticket", "show", "DB-1001").out
    assert "Where is it?" in shown
    assert "It came today." in shown
    assert "quoted lines (--quotes shows them)" in shown
    assert "> Wait a little." not in shown
    assert "> > Wait a little." in terminal.ok("ticket", "show", "DB-1001", "--quotes").out


def test_a_second_run_adds_nothing_and_says_so(terminal: Terminal, folder: Path) -> None:
    terminal.ok("import", "mail", folder)
    again = terminal.ok("import", "mail", folder)
    assert "0 messages added, 2 known already" in again.out
    assert "Nothing new" in again.out


def test_one_bad_message_does_not_stop_the_rest(terminal: Terminal, folder: Path) -> None:
    (folder / "0.eml").write_bytes(b"")
    result = terminal.run("import", "mail", folder, "--json")
    assert result.code == 1
    assert [each["state"] for each in result.json["filed"]] == ["failed", "ticket", "comment"]
    assert "0 bytes" in result.json["filed"][0]["reason"]


def test_what_cannot_be_read_is_named_on_standard_error(terminal: Terminal, folder: Path) -> None:
    result = terminal.run("import", "mail", folder / "nope.eml", folder / "1.eml")
    assert result.code == 1
    assert f"{folder / 'nope.eml'}: does not exist." in result.err
    assert "1 message added" in result.out


def test_another_file_in_a_folder_is_mentioned_and_no_fault(terminal: Terminal, folder: Path) -> None:
    (folder / "README").write_text("Exported on Monday\n", encoding="utf-8")
    result = terminal.ok("import", "mail", folder)
    assert f"{folder / 'README'}: does not look like a message" in result.err
    assert terminal.run("import", "mail", folder / "README").code == 1


def test_the_ledger_lists_what_came_in(terminal: Terminal, folder: Path) -> None:
    assert "No mail has come in." in terminal.ok("mail", "list").err
    (folder / "0.eml").write_bytes(b"")
    terminal.run("import", "mail", folder)
    everything = terminal.ok("mail", "list", "--json").json["messages"]
    assert [each["state"] for each in everything] == ["comment", "ticket", "failed"]
    assert everything[0]["ticket"] == everything[1]["ticket"] == "DB-1001"
    [failed] = terminal.ok("mail", "list", "--state", "failed", "--json").json["messages"]
    assert failed["source"] == str(folder / "0.eml")
    assert "DB-1001" in terminal.ok("mail", "list").out


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("kim@example.test",), 2),
        (("nobody@example.org",), 0),
        (("--since", "2020-01-01"), 2),
        (("--until", "2020-01-01"), 0),
        (("--mailbox", "Help@Example.org"), 0),
        (("--state", "ticket", "--since", "2020-01-01", "card"), 1),
    ],
)
def test_the_ledger_is_narrowed_by_who_where_and_when(
    terminal: Terminal, folder: Path, asked: tuple[str, ...], found: int
) -> None:
    terminal.ok("import", "mail", folder)
    terminal.ok("mailbox", "add", "help@example.org")
    assert len(terminal.ok("mail", "list", *asked, "--json").json["messages"]) == found


@pytest.mark.parametrize(("wrong", "code"), [(("--since", "soon"), 2), (("--mailbox", "nowhere@example.org"), 1)])
def test_a_wrong_filter_of_the_ledger_is_named(terminal: Terminal, wrong: tuple[str, str], code: int) -> None:
    result = terminal.run("mail", "list", *wrong)
    assert (result.code, wrong[1] in result.err) == (code, True)
