"""`deskbell demo` for a person: made-up tickets, a word about them, and never on a real desk."""

import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deskbell.cli import interrupts
from tests.cli.conftest import Terminal


def ask(terminal: Terminal, query: str) -> Any:
    with psycopg.connect(terminal.address.dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row
        return row[0]


def count(terminal: Terminal) -> int:
    return int(ask(terminal, "select count(*) from tickets"))


def test_tickets_are_made_counted_and_indexed(terminal: Terminal) -> None:
    said = terminal.ok("demo", "--tickets", "120", "--seed", "5", "--until", "2026-11-01")
    assert said.out.startswith("120 tickets, ")
    assert "tickets/s" in said.out
    assert said.err == ""  # no progress bar where nobody watches
    assert (count(terminal), ask(terminal, "select count(*) from search_documents")) == (120, 120)
    assert ask(terminal, "select max(updated_at) < '2026-11-02' from tickets")
    assert ask(terminal, "select reltuples from pg_class where relname = 'tickets'") == 120  # plans know how many


def test_a_program_gets_one_document(terminal: Terminal) -> None:
    document = terminal.ok("demo", "--tickets", "30", "--json").json
    assert document["tickets"] == 30
    assert {"comments", "attachments", "tags", "seconds"} <= document.keys()
    assert document["interrupted"] is False


def test_without_a_number_the_few_written_by_hand_are_loaded_once(terminal: Terminal) -> None:
    terminal.ok("demo")
    assert count(terminal) == 12
    again = terminal.run("demo")
    assert again.code == 1
    assert "are here already" in again.err
    terminal.ok("demo", "--tickets", "10")
    assert count(terminal) == 22


def test_a_desk_of_real_people_is_refused_unless_forced(terminal: Terminal, ticket: str) -> None:
    for arguments in (("demo",), ("demo", "--tickets", "10")):
        refused = terminal.run(*arguments)
        assert refused.code == 1
        assert "tickets of real people" in refused.err
        assert "--force" in refused.err
    assert count(terminal) == 1, ticket
    terminal.ok("demo", "--tickets", "10", "--force")
    assert count(terminal) == 11


@pytest.mark.parametrize("number", ["0", "-1", "1000000000", "many", "1.5"])
def test_a_number_that_makes_no_sense_is_refused(bystander: Terminal, number: str) -> None:
    refused = bystander.run("demo", f"--tickets={number}")
    assert refused.code == 2
    assert "--tickets" in refused.err


@pytest.mark.parametrize("date", ["yesterday", "2026-13-01", "2999-01-01"])
def test_an_end_that_is_no_date_or_has_not_come_is_refused(bystander: Terminal, date: str) -> None:
    refused = bystander.run("demo", "--tickets", "10", "--until", date)
    assert refused.code == 2
    assert date in refused.err


def test_two_people_can_log_in_when_asked_for(terminal: Terminal) -> None:
    document = terminal.ok("demo", "--tickets", "10", "--generate-password", "--json").json
    assert len(document["password"]) >= 20
    with_password = "select count(*) from users where password_hash is not null and email = any(array['{}', '{}'])"
    assert ask(terminal, with_password.format(document["agent"], document["customer"])) == 2
    assert ask(terminal, "select count(*) from users where password_hash is not null") == 2


def test_ctrl_c_leaves_complete_tickets_and_says_so(terminal: Terminal) -> None:
    process = terminal.start("demo", "--tickets", "2000000")
    while not count(terminal):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == interrupts.STOPPED, out + err
    assert "What is there is complete." in err
    assert 0 < count(terminal) == ask(terminal, "select count(*) from search_documents") < 2_000_000


def test_the_storage_is_the_desks_own(terminal: Terminal, tmp_path: Path) -> None:
    terminal.monkeypatch.setenv("DESKBELL_STORAGE_PATH", str(tmp_path))
    terminal.ok("demo", "--tickets", "100")
    kept = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    with psycopg.connect(terminal.address.dsn) as connection:
        assert {row[0] for row in connection.execute("select sha256 from attachments")} <= kept
