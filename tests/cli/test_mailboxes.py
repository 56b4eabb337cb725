"""`deskbell mailbox` and the decisions of `deskbell mail`, as somebody types them."""

import psycopg
import pytest

from tests.cli.conftest import Terminal

LETTER = "From: kim@example.org\nSubject: {subject}\nMessage-ID: <{id}@example.org>\n\nHello\n"


def sealed(terminal: Terminal) -> str:
    with psycopg.connect(terminal.address.dsn) as connection:
        [row] = connection.execute("select imap_password from mailboxes").fetchall()
    return str(row[0])


@pytest.fixture
def desk(terminal: Terminal) -> Terminal:
    terminal.ok("user", "create", "ada@example.org", "--role", "admin", "--generate-password")
    return terminal


def test_a_mailbox_is_added_with_a_password_that_is_piped_in(desk: Terminal) -> None:
    facts = ("--set", "imap_host=imap.example.org", "--set", "imap_folders=INBOX,Support", "--tag", "card")
    desk.ok("mailbox", "add", "help@example.org", *facts, "--secret", "imap_password", stdin="swordfish\n")
    [found] = desk.ok("mailbox", "list", "--json").json["mailboxes"]
    assert (found["address"], found["imap_folders"], found["kept"]) == (
        "help@example.org",
        ["INBOX", "Support"],
        ["imap_password"],
    )
    assert sealed(desk).startswith("v1.")
    assert "not fetched yet" in desk.ok("mailbox", "list").out


def test_a_secret_comes_from_the_environment_and_never_from_the_command_line(
    desk: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = desk.run("mailbox", "add", "help@example.org", "--set", "imap_password=swordfish")
    assert (refused.code, "--secret imap_password" in refused.err, "swordfish" in refused.err) == (2, True, False)
    monkeypatch.setenv("DESKBELL_MAILBOX_IMAP_PASSWORD", "swordfish")
    desk.ok("mailbox", "add", "help@example.org", "--set", "imap_host=a.example.org", "--secret", "imap_password")
    before = sealed(desk)
    desk.ok("mailbox", "change", "HELP@example.org", "--set", "name=Help")
    assert sealed(desk) == before
    refused = desk.run("mailbox", "change", "help@example.org", "--set", "imap_host=b.example.org")
    assert (refused.code, "Enter this again" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--set", "nothing=1"), "has no 'nothing'"),
        (("--set", "acknowledges=perhaps"), "yes or no"),
        (("--set", "imap_port=0"), "from 1 to 65535"),
        (("--secret", "password"), "There is no secret"),
        (("--secret", "smtp_password"), "DESKBELL_MAILBOX_SMTP_PASSWORD"),
        (("--file", "dkim_key=/nowhere"), "cannot be read"),
        (("--file", "name=/nowhere"), "--file is for"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(desk: Terminal, options: tuple[str, ...], told: str) -> None:
    result = desk.run("mailbox", "add", "help@example.org", *options)
    assert (result.code, told in result.err) == (2, True), result.err


def test_a_mailbox_rests_and_works_again(desk: Terminal) -> None:
    desk.ok("mailbox", "add", "help@example.org")
    assert "delivered" in desk.ok("mailbox", "list").out
    desk.ok("mailbox", "deactivate", "help@example.org")
    assert "deactivated" in desk.ok("mailbox", "list").out
    desk.ok("mailbox", "activate", "1")
    assert "looked into" in desk.ok("mailbox", "folders", "help@example.org").err
    assert desk.run("mailbox", "activate", "nobody@example.org").code == 1


def test_a_server_that_does_not_answer_is_told_step_by_step(desk: Terminal) -> None:
    desk.ok("mailbox", "add", "help@example.org")
    assert "nothing to test" in desk.ok("mailbox", "test", "help@example.org").err
    desk.ok("mailbox", "change", "help@example.org", "--set", "smtp_host=nowhere.invalid", "--set", "smtp_port=1")
    result = desk.run("mailbox", "test", "help@example.org")
    assert (result.code, "FAILS" in result.out, "nowhere.invalid" in result.out) == (1, True, True)
    [step] = [each for each in desk.run("mailbox", "test", "1", "--json").json["steps"] if not each["is_ok"]]
    assert (step["service"], step["stage"]) == ("smtp", "resolve")


def test_a_suspended_message_is_shown_let_in_and_another_turned_away(desk: Terminal) -> None:
    desk.ok("ticket", "open", "--requester", "pat@example.org", "--message", "My card is late.")
    letters = desk.data_dir / "letters"
    letters.mkdir()
    for name in ("one", "two"):
        (letters / f"{name}.eml").write_text(LETTER.format(subject=f"{name} [DB-1001]", id=name))
    desk.ok("import", "mail", letters)
    found = desk.ok("mail", "list", "--state", "suspended", "--json").json["messages"]
    assert len(found) == 2
    first, second = (str(each["id"]) for each in found)
    told = desk.ok("mail", "show", first).out
    assert ("suspended" in told, "DB-1001" in told, "Hello" in told) == (True, True, True)
    assert "Message-ID: <" in desk.ok("mail", "show", first, "--raw").out
    assert desk.run("mail", "release", first).code == 1, "the system decides nothing"
    desk.ok("mail", "release", first, "--as", "ada@example.org")
    desk.ok("mail", "reject", second, "--why", "not meant for us", "--as", "ada@example.org")
    assert desk.ok("mail", "show", second, "--json").json["reason"] == "not meant for us"
    assert desk.run("mail", "reject", second, "--as", "ada@example.org").code == 1
    assert "1 message will be read again" in desk.ok("mail", "replay", "--all", "rejected").out
    assert desk.run("mail", "replay").code == 2
    assert "Nothing is missing" in desk.ok("mail", "gaps").err
    assert desk.run("mail", "show", "99").code == 1


def test_gaps_are_listed_until_they_are_fetched(desk: Terminal) -> None:
    desk.ok("mailbox", "add", "help@example.org")
    with psycopg.connect(desk.address.dsn) as connection:
        connection.execute("insert into mailbox_folders (mailbox_id, name, missing) values (1, 'INBOX', '{4,7}')")
    listed = desk.run("mail", "gaps")
    assert (listed.code, "4, 7" in listed.out) == (1, True)
    assert desk.run("mail", "gaps", "--json").json["gaps"][0]["missing"] == [4, 7]
    desk.ok("mail", "gaps", "--fill")
    assert "0 folders" in desk.ok("mail", "compare").out
