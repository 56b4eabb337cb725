"""`deskbell db`: the schema goes up and down, is checked, and psql sees what a person may see."""

import psycopg
import pytest

from tests.cli.conftest import Terminal


def execute(terminal: Terminal, statement: str) -> None:
    with psycopg.connect(terminal.address.dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def shell(terminal: Terminal, *arguments: str) -> tuple[int, str]:
    """Return psql's exit code and all that it printed."""
    result = terminal.run("db", "shell", *arguments)
    return result.code, result.out + result.err


def test_status_tells_where_the_schema_is(bystander: Terminal) -> None:
    status = bystander.ok("db", "status", "--json").json
    assert status["revision"] == status["newest"]
    assert status["pending"] == []
    assert "deskbell_app" in status["roles"]
    assert "PostgreSQL 1" in bystander.ok("db", "status").out


def test_the_schema_goes_down_and_up(terminal: Terminal) -> None:
    assert "at" in terminal.ok("db", "upgrade").out
    assert "to nothing" in terminal.ok("db", "downgrade", "base", "--yes").out
    unready = terminal.run("db", "check")
    assert (unready.code, "run `deskbell db upgrade`" in unready.out) == (1, True)
    assert terminal.ok("db", "status", "--json").json["pending"] != []
    assert "The schema went from nothing to" in terminal.ok("db", "upgrade").out
    assert "as it should be" in terminal.ok("db", "check").out


def test_going_down_asks_first(bystander: Terminal) -> None:
    result = bystander.run("db", "downgrade", "-1")
    assert (result.code, "Say --yes" in result.err) == (2, True)
    assert bystander.ok("db", "status", "--json").json["pending"] == []


def test_a_revision_that_does_not_exist_is_said_so(bystander: Terminal) -> None:
    result = bystander.run("db", "upgrade", "nowhere")
    assert (result.code, "nowhere" in result.err, len(result.err.splitlines())) == (2, True, 1)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("alter table tickets disable trigger audit_update", "Changes of the table tickets are not recorded (update)"),
        ("drop trigger audit_insert on comments", "Changes of the table comments are not recorded (insert)"),
        ("alter table tags disable row level security", "The table tags has no row security"),
        ("alter table tickets add column extra int", "remove column tickets"),
    ],
)
def test_check_finds_what_differs(terminal: Terminal, damage: str, said: str) -> None:
    assert terminal.ok("db", "check", "--json").json == {"ok": True, "differences": []}
    execute(terminal, damage)
    result = terminal.run("db", "check")
    assert result.code == 1
    assert said in result.out


@pytest.mark.usefixtures("ticket")
def test_the_shell_sees_what_the_person_may_see(terminal: Terminal) -> None:
    terminal.ok("ticket", "open", "--requester", "lee@example.test", "-m", "How do I top up?")
    count = ("-c", "select current_user, count(*) from tickets")
    for options, role, seen in (
        (("--as", "sam@example.test"), "deskbell_agent", 2),
        (("--as", "kim@example.test"), "deskbell_customer", 1),
        (("--read-only",), "deskbell_readonly", 2),
        (("--owner",), "deskbell_owner", 2),
    ):
        code, said = shell(terminal, *options, *count)
        assert code == 0, said
        assert said.splitlines()[2].split("|") == [f" {role} ", f"     {seen}"]


def test_what_is_changed_in_the_shell_is_recorded_in_the_persons_name(terminal: Terminal, ticket: str) -> None:
    code, said = shell(terminal, "--as", "sam@example.test", "-c", "update tickets set priority = 'high'")
    assert (code, said) == (0, "UPDATE 1\n")
    history = terminal.ok("audit", "show", ticket).out
    assert "Sam Agent   sql (deskbell db shell)" in history
    assert "priority: medium → high" in history


def test_the_shell_passes_on_how_psql_ended(bystander: Terminal) -> None:
    code, said = shell(bystander, "--read-only", "-c", "delete from tickets")
    assert code == 1
    assert "ERROR" in said


def test_the_password_is_not_on_the_command_line(bystander: Terminal) -> None:
    _, said = shell(bystander, "--owner", "-c", "\\! tr '\\0' ' ' < /proc/$PPID/cmdline", "-c", "select 'ended'")
    assert "psql" in said
    assert "ended" in said
    assert bystander.address.password not in said


def test_the_shell_wants_to_know_as_whom(bystander: Terminal) -> None:
    for options in ((), ("--owner", "--read-only")):
        result = bystander.run("db", "shell", *options)
        assert (result.code, "Say as whom: --as EMAIL" in result.err) == (2, True)
    result = bystander.run("db", "shell", "--as", "no@example.test")
    assert (result.code, "There is no user" in result.err) == (1, True)
