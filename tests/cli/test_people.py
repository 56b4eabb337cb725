"""`deskbell user`, `token`, `team` and `organization`."""

import psycopg
import pytest

from deskbell.accounts.passwords import verify_password
from deskbell.kernel.crypto import hash_token
from tests.cli.conftest import Terminal


def stored(terminal: Terminal, question: str) -> object:
    with psycopg.connect(terminal.address.dsn) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row
        value: object = row[0]
    return value


def password_hash(terminal: Terminal) -> str:
    return str(stored(terminal, "select password_hash from users where email = 'sam@example.test'"))


def test_somebody_is_added_and_listed(terminal: Terminal) -> None:
    terminal.ok("organization", "create", "Acme Ltd", "--shares-tickets")
    terminal.ok("user", "create", "kim@example.test", "--name", "Kim Doe", "--organization", "acme ltd")
    terminal.ok("user", "create", "sam@example.test", "--role", "agent")
    everybody = terminal.ok("user", "list", "--json").json["users"]
    assert [(user["email"], user["role"], user["active"]) for user in everybody] == [
        ("kim@example.test", "customer", True),
        ("sam@example.test", "agent", True),
    ]
    assert everybody[0]["organization_id"] is not None
    assert "Kim Doe" not in terminal.ok("user", "list", "--role", "agent").out
    assert "Acme Ltd" in terminal.ok("organization", "list").out


def test_a_generated_password_is_shown_once_and_works(terminal: Terminal) -> None:
    created = terminal.ok("user", "create", "sam@example.test", "--generate-password", "--json").json
    assert verify_password(created["password"], password_hash(terminal))
    assert created["password"] not in terminal.ok("user", "list", "--json").out


def test_a_password_is_read_from_standard_input(terminal: Terminal) -> None:
    terminal.ok("user", "create", "sam@example.test", "--password-stdin", stdin="correct horse battery\n")
    assert verify_password("correct horse battery", password_hash(terminal))
    changed = terminal.ok("user", "password", "sam@example.test", "--password-stdin", stdin="staple battery horse\n")
    assert "staple" not in changed.out
    assert verify_password("staple battery horse", password_hash(terminal))
    new = terminal.ok("user", "password", "sam@example.test").out.split()[-1]
    assert verify_password(new, password_hash(terminal))


def test_who_is_deactivated_cannot_act_until_activated(terminal: Terminal) -> None:
    terminal.ok("user", "create", "sam@example.test", "--role", "agent")
    terminal.ok("user", "deactivate", "sam@example.test")
    refused = terminal.run("ticket", "list", "--as", "sam@example.test")
    assert (refused.code, "deskbell user activate sam@example.test" in refused.err) == (1, True)
    terminal.ok("user", "activate", "sam@example.test")
    terminal.ok("ticket", "list", "--as", "sam@example.test")


def test_a_token_is_shown_once_and_only_its_hash_is_kept(terminal: Terminal) -> None:
    terminal.ok("user", "create", "sam@example.test", "--role", "agent")
    made = terminal.ok("token", "create", "sam@example.test", "--name", "report", "--scope", "read", "--json").json
    assert made["token"].startswith("dbt_")
    assert stored(terminal, "select token_hash from api_tokens") == hash_token(made["token"])
    listed = terminal.ok("token", "list", "sam@example.test")
    assert made["token"] not in listed.out
    assert "report" in listed.out
    terminal.ok("token", "revoke", str(made["id"]))
    [token] = terminal.ok("token", "list", "--json").json["tokens"]
    assert (token["scopes"], token["revoked_at"] is not None, token["expires_at"]) == (["read"], True, None)


def test_a_token_ends_after_its_days(terminal: Terminal) -> None:
    terminal.ok("user", "create", "sam@example.test")
    terminal.ok("token", "create", "sam@example.test", "--name", "report", "--expires-days", "3")
    assert stored(terminal, "select round(extract(epoch from expires_at - created_at)) from api_tokens") == 3 * 86400


def test_agents_join_and_leave_a_team(terminal: Terminal) -> None:
    terminal.ok("user", "create", "sam@example.test", "--role", "agent")
    terminal.ok("team", "create", "Cards", "--description", "Lost and late")
    terminal.ok("team", "add", "cards", "sam@example.test")
    assert terminal.ok("team", "list", "--json").json["teams"][0]["members"] == ["sam@example.test"]
    assert "is out of" in terminal.ok("team", "remove", "Cards", "sam@example.test").out
    assert "was not in" in terminal.ok("team", "remove", "Cards", "sam@example.test").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("user", "create", "kim"), 2, "not an e-mail address"),
        (("user", "create", "kim@example.test", "--role", "boss"), 2, "'boss' is not one of"),
        (("user", "create", "kim@example.test", "--organization", "No"), 1, "There is no organization 'No'."),
        (("user", "create", "kim@example.test", "--password-stdin"), 2, "A password has 10 to 1024 characters."),
        (("user", "create", "kim@example.test", "--password-stdin", "--generate-password"), 2, "either"),
        (("user", "deactivate", "no@example.test"), 1, "There is no user with the address no@example.test."),
        (("token", "create", "no@example.test", "--name", "x"), 1, "There is no user"),
        (("token", "create", "no@example.test"), 2, "Missing option '--name'."),
        (("token", "revoke", "99"), 1, "There is no token 99."),
        (("team", "add", "No", "no@example.test"), 1, "There is no team 'No'."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    bystander: Terminal, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = bystander.run(*arguments, stdin="short\n")
    assert (result.code, result.out, len(result.err.splitlines())) == (code, "", 1)
    assert said in result.err


def test_an_address_that_is_taken_is_said_so(terminal: Terminal) -> None:
    terminal.ok("user", "create", "sam@example.test")
    result = terminal.run("user", "create", "SAM@example.test")
    assert (result.code, result.err) == (1, "Error: Somebody with this e-mail address exists already.\n")


def test_empty_lists_say_so(bystander: Terminal) -> None:
    for command in (("user",), ("token",), ("team",), ("organization",), ("ticket",)):
        result = bystander.ok(*command, "list")
        assert (result.out, len(result.err.splitlines())) == ("", 1)
