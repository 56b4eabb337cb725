"""`deskbell letter`, as somebody types it."""

import pytest

from tests.cli.conftest import Terminal

ADA = ("--as", "ada@example.org")
MOIN = "Subject: Re:  {{ ticket.title }}\r\n\r\nMoin {{ recipient.name }},\r\n\r\n{{ message }}\r\n"


@pytest.fixture
def desk(terminal: Terminal) -> Terminal:
    terminal.ok("user", "create", "ada@example.org", "--role", "admin", "--generate-password")
    terminal.ok("user", "create", "sam@example.org", "--role", "agent", "--generate-password")
    return terminal


def test_what_was_shown_can_be_written_again_and_put_back(desk: Terminal) -> None:
    first = desk.ok("letter", "show", "answered", "de")
    assert ("{{ message }}" in first.out, "author.name" in first.err) == (True, True)
    desk.ok("letter", "edit", "answered", "de", "-", *ADA, stdin=first.out)
    assert desk.ok("letter", "show", "answered", "de").out == first.out
    assert desk.ok("letter", "show", "answered", "de", "--json").json["is_own"] is True
    assert "yours" in desk.ok("letter", "list").out
    file = desk.data_dir / "moin.txt"
    file.write_bytes(MOIN.encode("utf-8-sig"))
    desk.ok("letter", "edit", "answered", "de", file, *ADA)
    shown = desk.ok("letter", "show", "answered", "de", "--json").json
    assert (shown["subject"], shown["body"]) == (
        "Re: {{ ticket.title }}",
        "Moin {{ recipient.name }},\n\n{{ message }}",
    )
    assert "first words again" in desk.ok("letter", "reset", "answered", "de", *ADA).out
    assert "already" in desk.ok("letter", "reset", "answered", "de", *ADA).out
    assert desk.ok("letter", "show", "answered", "de").out == first.out
    assert [one for one in desk.ok("letter", "list", "--json").json["letters"] if one["is_own"]] == []


def test_a_letter_is_looked_at_before_it_is_written(desk: Terminal) -> None:
    seen = desk.ok("letter", "preview", "answered", "en", "-", stdin=MOIN).out
    assert ("Moin Kim Ito" in seen, seen.startswith("Subject: Re: My card")) == (True, True)
    assert "<html" in desk.ok("letter", "preview", "answered", "de", "--html").out
    assert "DB-1042" in desk.ok("letter", "preview", "received", "de", "--json").json["subject"]
    assert desk.ok("letter", "show", "answered", "en", "--json").json["is_own"] is False


@pytest.mark.parametrize(
    ("letter", "told"),
    [
        ("Subject: Re\n\n{{ message }}\nHello {{ nobody }}", "(line 2, character 10 of the body)"),
        ("Subject: {{ nobody }}\n\n{{ message }}", "(character 4 of the subject)"),
        ("Subject: Re\n\nHello", "of no use"),
        ("Hello", "The first line is"),
        ("", "The first line is"),
    ],
)
def test_what_cannot_be_sent_is_told_with_its_place(desk: Terminal, letter: str, told: str) -> None:
    for result in (
        desk.run("letter", "edit", "answered", "de", "-", *ADA, stdin=letter),
        desk.run("letter", "preview", "answered", "de", "-", stdin=letter),
    ):
        assert (result.code, told in result.err) == (2, True), result.err


def test_only_administrators_change_letters(desk: Terminal) -> None:
    for who in ((), ("--as", "sam@example.org")):
        for arguments in (("edit", "answered", "de", "-"), ("reset", "answered", "de")):
            refused = desk.run("letter", *arguments, *who, stdin=MOIN)
            assert (refused.code, "Only administrators" in refused.err) == (1, True), refused.err
    assert desk.run("letter", "show", "answered", "tlh").code == 2
    assert desk.run("letter", "show", "nothing", "de").code == 2
    assert desk.run("letter", "preview", "answered", "de", "/nowhere").code == 2
