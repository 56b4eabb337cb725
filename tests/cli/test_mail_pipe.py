"""`deskbell mail receive` and `deskbell mail listen`: what a mail server is told, and what is in the ledger then."""

import io
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from deskbell.cli import app
from tests.cli.conftest import Terminal, start_program

LETTER = "From: Kim <kim@example.test>\nMessage-ID: <1@example.test>\nSubject: My card\n\nIt is late.\n"


class Pipe(io.TextIOWrapper):
    """Standard input as a mail server gives it."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw))


@pytest.fixture
def receive(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> "Receive":
    return Receive(terminal, monkeypatch)


class Receive:
    """Pipes messages into the command."""

    def __init__(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.terminal, self.monkeypatch = terminal, monkeypatch

    def __call__(self, raw: str | bytes, *options: str | Path) -> tuple[int, str]:
        self.terminal.capfd.readouterr()
        self.monkeypatch.setattr(sys, "stdin", Pipe(raw.encode() if isinstance(raw, str) else raw))
        code = app.run(["mail", "receive", *map(str, options)])
        captured = self.terminal.capfd.readouterr()
        return code, captured.out + captured.err

    def query(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.terminal.address.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def test_a_piped_message_is_written_down_with_its_envelope(receive: Receive) -> None:
    assert receive(LETTER, "--from", "kim@example.test", "--to", "help@example.test", "--to", "sam@example.test") == (
        0,
        "",
    )
    assert receive.query("select raw, source, state from inbound_messages") == [(LETTER.encode(), "pipe", "received")]
    [(sender, recipients)] = receive.query("select envelope_from, envelope_to from inbound_arrivals")
    assert (sender, recipients) == ("kim@example.test", ["help@example.test", "sam@example.test"])
    jobs = "select count(*) from jobs.procrastinate_jobs where task_name = 'mail.file_message'"
    assert receive.query(jobs) == [(1,)]
    assert receive(LETTER)[0] == 0, "the same message again is no fault"
    assert receive.query("select count(*) from inbound_messages") == [(1,)]


@pytest.mark.parametrize(
    ("line", "sender"),
    [
        ("From kim@example.test  Mon Nov 23 09:00:00 2026\n", "kim@example.test"),
        ("From MAILER-DAEMON  Mon Nov 23 09:00:00 2026\n", ""),
    ],
)
def test_the_line_that_postfix_puts_in_front_is_the_envelope(receive: Receive, line: str, sender: str) -> None:
    assert receive(line + LETTER)[0] == 0
    assert receive.query("select raw from inbound_messages") == [(LETTER.encode(),)]
    assert receive.query("select envelope_from from inbound_arrivals") == [(sender,)]


def test_filed_at_once_it_says_what_it_became(receive: Receive) -> None:
    code, said = receive(LETTER, "--file-now")
    assert (code, said) == (0, "Message 1 is ticket of DB-1001.\n")
    code, said = receive(LETTER.replace("late.", "late!"), "--file-now")
    assert code == 0
    assert said.startswith("Message 2 is duplicate")


def test_a_message_may_be_in_a_file(receive: Receive, tmp_path: Path) -> None:
    file = tmp_path / "message.eml"
    file.write_text(LETTER)
    assert receive("", file)[0] == 0
    code, said = receive("", tmp_path / "none.eml")
    assert (code, "No such file" in said) == (66, True)
    code, said = receive("", tmp_path)
    assert code == 75
    assert receive.query("select count(*) from inbound_messages") == [(1,)]


@pytest.mark.parametrize("raw", ["", "\n\r\n ", "From kim@example.test  Mon Nov 23 09:00:00 2026\n"])
def test_nothing_is_no_message(receive: Receive, raw: str) -> None:
    code, said = receive(raw)
    assert (code, said) == (65, "There is no message: nothing came in.\n")


def test_what_is_too_large_is_sent_back(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_MAIL_ACCEPT_BYTES", "70000")
    code, said = receive("x" * 70_001)
    assert (code, "DESKBELL_MAIL_ACCEPT_BYTES" in said) == (65, True)


@pytest.mark.parametrize("wrong", [["--form", "x"], ["a", "b"], ["--to"]])
def test_asked_wrongly_it_says_so_as_mail_servers_read_it(receive: Receive, wrong: list[str]) -> None:
    code, said = receive(LETTER, *wrong)
    assert code == 64
    assert said.startswith("Error:")


def test_without_a_database_the_mail_server_tries_again(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    code, said = receive(LETTER)
    assert code == 75
    assert said.count("\n") <= 2


def test_on_a_full_disk_the_mail_server_tries_again(receive: Receive) -> None:
    receive.query(
        "create function full_disk() returns trigger language plpgsql as $$ begin raise disk_full; end $$;"
        "create trigger full_disk before insert on inbound_messages execute function full_disk()"
    )
    code, said = receive(LETTER)
    assert (code, "disk space" in said) == (75, True)
    receive.query("drop trigger full_disk on inbound_messages")
    assert receive(LETTER)[0] == 0


def test_stopped_before_it_has_written_the_mail_server_tries_again(receive: Receive) -> None:
    """SIGTERM while the message waits for a lock: a mail server that shuts down asks its programs to end."""
    receive(LETTER)
    program = (sys.executable, "-c", "from deskbell.cli.app import main; main()", "mail", "receive")
    with psycopg.connect(receive.terminal.address.dsn) as holder:
        holder.execute("lock table inbound_messages in access exclusive mode")
        process = subprocess.Popen(program, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdin
        process.stdin.write(LETTER.replace("<1@", "<2@"))
        process.stdin.close()
        waiting = "select count(*) from pg_locks where not granted and relation = 'inbound_messages'::regclass"
        while receive.query(waiting) != [(1,)]:
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.stdin = None
        _, said = process.communicate(timeout=60)
    assert process.returncode == 75, said
    assert receive.query("select count(*) from inbound_messages") == [(1,)]


def test_a_listener_runs_alone_until_it_is_told_to_stop(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ok("db", "upgrade")
    path = tmp_path / "lmtp"
    process = terminal.start("mail", "listen", "--address", f"lmtp+unix://{path}", "--address", "smtp://127.0.0.1:0")
    assert process.stdout
    said = process.stdout.readline()
    assert f"lmtp+unix://{path}" in said
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        lines = caller.makefile("rwb")
        letter = LETTER.replace("\n", "\r\n")
        answer = lines.readline()
        for line in ("LHLO x", "MAIL FROM:<>", "RCPT TO:<help@example.test>", "DATA", f"{letter}."):
            lines.write(line.encode() + b"\r\n")
            lines.flush()
            answer = lines.readline()
            while answer[3:4] == b"-":
                answer = lines.readline()
        assert answer.startswith(b"250 2.0.0 Taken as message 1"), answer
        lines.close()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.endswith("Stopped.\n"), "Traceback" in err) == (0, True, False), err


@pytest.mark.parametrize("address", [(), ("--address", "http://x:1"), ("--address", "lmtp://nowhere")])
def test_a_listener_wants_an_address_that_is_one(bystander: Terminal, address: tuple[str, ...]) -> None:
    result = bystander.run("mail", "listen", *address)
    assert (result.code, "lmtp://127.0.0.1:2424" in result.err) == (2, True)


def test_a_wrong_setting_is_named(bystander: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_MAIL_LISTEN", "lmtp:/127.0.0.1")
    assert "DESKBELL_MAIL_LISTEN is wrong" in bystander.run("mail", "list").err
    monkeypatch.setenv("DESKBELL_MAIL_LISTEN", "")
    monkeypatch.setenv("DESKBELL_MAIL_LISTEN_NETWORKS", "192.0.2.1/24")
    assert "DESKBELL_MAIL_LISTEN_NETWORKS is wrong" in bystander.run("mail", "list").err


def test_the_worker_takes_mail_too_and_another_one_takes_over(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        env = {"DESKBELL_MAIL_LISTEN": f"smtp://127.0.0.1:{port}"}
        process = start_program("worker", env=env)
        terminal.processes.append(process)
        assert process.stderr
        while "mail_listener_waits" not in process.stderr.readline():
            assert process.poll() is None
    while '"mail_listener"' not in process.stderr.readline():
        assert process.poll() is None
    with socket.create_connection(("127.0.0.1", port)) as caller:
        assert caller.recv(3) == b"220"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
