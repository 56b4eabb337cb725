"""Whatever is wrong outside: one clear line, an exit code, no traceback unless it is asked for."""

import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from deskbell.cli.faults import fault_of
from deskbell.kernel.errors import ConflictError, InvalidError, NotFoundError, SetupError
from tests.cli.conftest import PROGRAM, Result, Terminal, start_program


def said(result: Result) -> str:
    """The one line of an error that must be put right outside."""
    assert (result.code, result.out) == (3, "")
    [line] = result.err.splitlines()
    assert line.startswith("Error: ")
    return line


def execute(terminal: Terminal, statement: str) -> None:
    with psycopg.connect(terminal.address.dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def with_url(terminal: Terminal, url: str) -> Result:
    terminal.monkeypatch.setenv("DESKBELL_DATABASE_URL", url)
    return terminal.run("ticket", "list")


def test_a_port_in_use_is_said_with_who_has_it_before_anything_is_done(tmp_path: Path, bystander: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = bystander.run("serve", "--port", str(port), "--data-dir", tmp_path / "desk")
    line = said(result)
    assert f"Port {port} on 127.0.0.1 is in use by " in line
    assert f"(process {os.getpid()})" in line
    assert f"--port {port + 1}" in line
    assert not (tmp_path / "desk").exists()


def test_a_host_that_is_not_ours_is_said_so(bystander: Terminal) -> None:
    assert "192.0.2.1 is no address of this machine" in said(bystander.run("serve", "--host", "192.0.2.1"))


def test_a_database_that_is_down(bystander: Terminal) -> None:
    line = said(with_url(bystander, "postgresql://u:secret@127.0.0.1:1/desk"))
    assert "Cannot use the database u@127.0.0.1:1/desk" in line
    assert "DESKBELL_DATABASE_URL" in line
    assert "secret" not in line


def test_a_wrong_password_in_the_url(bystander: Terminal) -> None:
    wrong = bystander.address.as_role(bystander.address.user, "wr0ng-secret").dsn
    line = said(with_url(bystander, wrong))
    assert "password authentication failed" in line
    assert "wr0ng" not in line


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:secret@host/x", "must begin with postgresql://"),
        ("postgresql://u:secret@host:x/y", "has a port that is not a number"),
    ],
)
def test_a_malformed_url(bystander: Terminal, url: str, reason: str) -> None:
    result = with_url(bystander, url)
    assert (result.code, len(result.err.splitlines())) == (2, 1)
    assert f"DESKBELL_DATABASE_URL {reason}" in result.err
    assert "secret" not in result.err


@pytest.mark.parametrize(
    ("name", "value"),
    [("DESKBELL_WEB_PORT", "eighty"), ("DESKBELL_DATABASE_POOL_SIZE", "0"), ("DESKBELL_TICKET_PREFIX", "?")],
)
def test_a_wrong_setting_is_named(bystander: Terminal, name: str, value: str) -> None:
    bystander.monkeypatch.setenv(name, value)
    result = bystander.run("ticket", "list")
    assert (result.code, len(result.err.splitlines())) == (2, 1)
    assert f"The setting {name} is wrong" in result.err


@pytest.mark.parametrize("command", [("ticket", "list"), ("db", "status"), ("db", "upgrade"), ("worker",)])
def test_a_database_from_a_newer_deskbell(terminal: Terminal, command: tuple[str, ...]) -> None:
    execute(terminal, "update alembic_version set version_num = '9999'")
    assert "it was used by a newer one" in said(terminal.run(*command))


def test_a_read_only_database_can_be_read(terminal: Terminal, ticket: str) -> None:
    """One transaction after another, as on a standby: the whole database says no to writing."""
    execute(terminal, f"alter database {terminal.address.database} set default_transaction_read_only = on")
    assert ticket in terminal.ok("ticket", "list").out
    assert "read-only" in said(terminal.run("ticket", "tag", ticket, "late"))


def test_a_data_directory_that_is_a_file(bystander: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "desk"):
        line = said(bystander.run("ticket", "list", "--data-dir", place))
        assert f"The data directory {place} cannot be made: a file is in its place" in line
        assert "--data-dir" in line


def test_a_data_directory_from_a_newer_postgresql(bystander: Terminal) -> None:
    place = bystander.data_dir.with_name("newer")
    shutil.copytree(
        bystander.data_dir / "postgres", place / "postgres", ignore=shutil.ignore_patterns("postmaster.pid")
    )
    owner = (bystander.data_dir / "postgres").stat()
    for path in ((place / "postgres"), *(place / "postgres").rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    (place / "postgres" / "PG_VERSION").write_text("99\n", encoding="ascii")
    bystander.monkeypatch.delenv("DESKBELL_DATABASE_URL")
    line = said(bystander.run("ticket", "list", "--data-dir", place))
    assert "was made by PostgreSQL 99" in line


def test_a_full_disk() -> None:
    """On a small file system of its own, which only root can make."""
    with tempfile.TemporaryDirectory(prefix="deskbell-test-") as folder:
        small = Path(folder) / "small"
        small.mkdir()
        code, out, err = run_on_small_disk(small)
    assert (code, out) == (3, "")
    expected = f"Error: The disk that holds {small / 'desk'} is full. Free some space, then start again."
    assert err.splitlines()[-1] == expected
    assert "Traceback" not in err


def run_on_small_disk(small: Path) -> tuple[int, str, str]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        process = start_program("ticket", "list", env={"DESKBELL_DATA_DIR": str(small / "desk")})
        out, err = process.communicate(timeout=60)
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
    return process.returncode, out, err


def test_debug_shows_where(bystander: Terminal) -> None:
    result = bystander.run("ticket", "show", "DB-9", "--debug")
    assert result.code == 1
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1] == "Error: There is no ticket DB-9."


@pytest.mark.usefixtures("ticket")
def test_a_reader_who_leaves_early_is_no_fault() -> None:
    """`deskbell ticket list | head -1`."""
    process = subprocess.Popen(
        [*PROGRAM, "ticket", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, text=True
    )
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=60)


def test_a_terminal_that_cannot_show_a_character_shows_a_question_mark(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "note", ticket, "-m", "Grüße → 你好", "--as", "sam@example.test")
    process = terminal.start("ticket", "show", ticket, env={"PYTHONIOENCODING": "ascii"})
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "? ??" in out


def test_without_a_terminal_there_are_no_colours(terminal: Terminal, ticket: str) -> None:
    terminal.monkeypatch.setenv("TERM", "xterm-256color")
    for command in (("ticket", "show", ticket), ("ticket", "list"), ("ticket", "show", "DB-9"), ("ticket", "--help")):
        result = terminal.run(*command)
        assert "\x1b" not in result.out + result.err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (NotFoundError("There is no ticket DB-9."), 1, "There is no ticket DB-9."),
        (ConflictError(), 1, "This conflicts"),
        (InvalidError("No."), 2, "No."),
        (SetupError("The disk is full."), 3, "The disk is full."),
        (OSError(errno.ENOSPC, "No space left on device", "/var/x"), 3, "The disk is full (/var/x)."),
        (PermissionError(errno.EACCES, "Permission denied", "/var/x"), 1, "Permission denied (/var/x)."),
        (psycopg.OperationalError("lost"), 3, "The database does not answer."),
        (KeyError("x"), 70, "Deskbell made a mistake (KeyError: 'x'). Run it again with --debug"),
    ],
)
def test_every_error_has_a_line_and_an_exit_code(error: Exception, code: int, words: str) -> None:
    fault = fault_of(error)
    assert fault.exit_code == code
    assert fault.message.startswith(words)
    assert sys.exc_info() == (None, None, None)
