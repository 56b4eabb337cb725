"""What is new in a text, what is folded; and that nothing is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.parsing import split_reply

QUOTE = "\n> first\n> second"


@pytest.mark.parametrize(
    "introduction",
    [
        "On Mon, Apr 2, 2012 at 6:26 PM, Anna Bell <anna@example.com> wrote:",
        "On Dec 16, 2011, at 12:47 PM, Anna Bell\n<anna@example.com>\nwrote:",
        "Am 3. Mai 2027 um 10:00 schrieb Anna Bell <anna@example.com>:",
        "Le lun. 3 mai 2027 à 10:00, Anna Bell <anna@example.com> a écrit :",
        "El lun, 3 may 2027 a las 10:00, Anna Bell (<anna@example.com>) escribió:",
        '02.04.2012 14:20 пользователь "Anna" <\nanna@example.com> написал:',
        "2027年5月3日(月) 10:00 Anna Bell <anna@example.com>:",
        "Thu, 26 Jun 2014 14:00:51 +0400 от Anna Bell <anna@example.com>:",
        "Op ma 3 mei 2027 om 10:00 schreef Anna Bell <anna@example.com>:",
    ],
)
def test_the_line_that_introduces_a_quote_is_folded_with_it(introduction: str) -> None:
    split = split_reply(f"Hello\n\n{introduction}\n{QUOTE}")
    assert split.new == "Hello"
    assert split.folded == f"{introduction}\n{QUOTE}"


@pytest.mark.parametrize(
    "header",
    [
        "-----Original Message-----\nanything",
        "----- Ursprüngliche Nachricht -----\nanything",
        "From: Anna [mailto:anna@example.com]\nSent: March-09-12 4:22 PM\nTo: Ben\nSubject: Loop",
        "*From:* Anna\n*Sent:* Thursday, February 09, 2012 1:36 PM\n*To:* Ben\n*Subject:* News",
        "________________________________\nОт: Анна\nОтправлено: 3 мая 2027",
    ],
)
def test_a_quoted_header_begins_a_quote_that_reaches_to_the_end(header: str) -> None:
    assert split_reply(f"Hello\n\n{header}\n\nold text\n").new == "Hello"


@pytest.mark.parametrize(
    "text",
    [
        "From: Berlin\nTo: Munich\nDate: 3 May",
        "I travel\n\nFrom: Berlin\nTo: Munich\nDate: 3 May",
        "On your remote host you can run:\n\n     telnet 127.0.0.1 52698\n\nThis should connect.",
        "Hello 2027 anna@example.com:\nthe list follows",
        "one\n---\ntwo",
        "- first\n- second",
        "Please:\n- Anna",
        "Sent from my desk, is easier then from my phone.",
        "He wrote:\nI do not like it",
    ],
)
def test_what_only_resembles_a_quote_or_signature_is_not_folded(text: str) -> None:
    assert split_reply(text).folded == ""
    assert split_reply(text).new == text


def test_a_reply_below_the_quote_is_what_is_new() -> None:
    split = split_reply("On 04/02/2012 06:26 PM, Anna wrote:\n> Hi\nHello\n\n-- \nBen")
    assert split.new == "Hello"
    assert split.folded == "On 04/02/2012 06:26 PM, Anna wrote:\n> Hi\n\n-- \nBen"


@pytest.mark.parametrize("ending", ["-- \nBen\nMill Ltd", "Sent from my iPhone", "Von meinem iPhone gesendet", "-Ben"])
def test_a_signature_at_the_end_is_folded(ending: str) -> None:
    split = split_reply(f"Hello\n\n{ending}")
    assert (split.new, split.folded) == ("Hello", ending)


def test_the_indentation_of_the_first_line_is_kept() -> None:
    assert split_reply("\n\n    code\nmore\n\n").new == "    code\nmore"


def test_a_text_that_only_quotes_is_new() -> None:
    assert split_reply("> a\n> b") == split_reply("> a\n> b", frozenset({0}))
    assert split_reply("> a\n> b").new == "> a\n> b"


def test_a_mark_from_the_html_begins_a_quote_in_any_language() -> None:
    assert split_reply("Hello\n\nXyz qwe:\nold", frozenset({2})).new == "Hello"


LINES = st.sampled_from(
    [
        "",
        "",
        " ",
        "hello",
        "    indented",
        "> quoted",
        ">> deeper",
        ">",
        "-- ",
        "--",
        "- item",
        "-Anna",
        "_" * 40,
        "-----Original Message-----",
        "---------- Forwarded message ---------",
        "On Mon, Apr 2, 2012 at 6:26 PM, Anna <anna@example.com> wrote:",
        "On Mon, Apr 2, 2012, Anna",
        "<anna@example.com> wrote:",
        "From: Anna <anna@example.com>",
        "Sent: 3 May 2027",
        "To: Ben",
        "Subject: x",
        "Sent from my iPhone",
        "wrote:",
    ]
)


@given(st.lists(LINES | st.text(max_size=30), max_size=25), st.frozensets(st.integers(0, 30), max_size=3))
def test_new_and_folded_text_lose_nothing(lines: list[str], marks: frozenset[int]) -> None:
    text = "\n".join(lines)
    split = split_reply(text, frozenset(mark for mark in marks if mark < len(text.split("\n"))))
    assert sorted(f"{split.new}\n{split.folded}".split()) == sorted(text.split())


@given(st.lists(LINES, min_size=1, max_size=15), st.integers(0, 200))
def test_nothing_is_lost_where_a_text_is_too_long_to_be_looked_at_whole(lines: list[str], analysed: int) -> None:
    text = "\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deskbell.mail.parsing.quotes.ANALYSED", analysed)
        split = split_reply(text)
    assert sorted("".join((split.new + split.folded).split())) == sorted("".join(text.split()))
