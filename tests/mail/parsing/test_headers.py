"""Header fields as programs really write them."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.parsing import Address, parse
from deskbell.mail.parsing.headers import date, decoded, message_id, message_ids


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?B?w4Q=?= =?utf-8?B?w5Y=?=", "ÄÖ"),
        ("=?utf-8?B?w4?= =?utf-8?B?w5Y=?=", None),
        ("=?UTF-8?Q?broken_=C3?= =?UTF-8?Q?=A4_here?=", "broken ä here"),
        ("=?iso-8859-1*de?q?f=FCr?= dich", "für dich"),
        ("Fwd: =?utf-8?q?a?= and =?utf-8?q?b?=", "Fwd: a and b"),
        ("=?nonsense?q?caf=C3=A9?=", "café"),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("folded\n\tover lines", "folded over lines"),
        ("=?utf-8?q?NUL=00_and_=ED=A0=80?=", None),
        ("plain ünïcode", "plain ünïcode"),
    ],
)
def test_encoded_words_are_decoded(written: str, read: str | None) -> None:
    text = decoded(written)
    text.encode()
    assert "\0" not in text
    assert read is None or text == read


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), max_size=150))
def test_every_subject_comes_back_as_it_was_sent(subject: str) -> None:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    read = parse(message.as_bytes()).subject
    assert "".join(read.split()) == "".join(subject.split()) or "=?" in subject


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('"Doe, Jane" <jane@example.com>', [Address("Doe, Jane", "jane@example.com")]),
        ("=?utf-8?q?Doe=2C_J=C3=A4ne?= <jane@example.com>", [Address("Doe, Jäne", "jane@example.com")]),
        ("jane@example.com (Jane)", [Address("Jane", "jane@example.com")]),
        ("Team: a@example.com, b@example.com;", [Address("", "a@example.com"), Address("", "b@example.com")]),
        ("undisclosed-recipients:;", []),
        ("((((((((" * 2000 + " x@example.com", [Address("", "x@example.com")]),
        ("Jane Doe", []),
        ("<jane@example.com", [Address("", "jane@example.com")]),
        ("A\0nna <an\0na@example.com>", [Address("Anna", "anna@example.com")]),
    ],
)
def test_addresses_are_read_leniently(field: str, expected: list[Address]) -> None:
    assert list(parse(f"To: {field}\n\n".encode()).to) == expected


def test_all_recipient_fields_count() -> None:
    mail = parse(b"To: a@example.com\nTo: b@example.com\nReply-To: c@example.com\n\n")
    assert [each.email for each in mail.to] == ["a@example.com", "b@example.com"]
    assert [each.email for each in mail.reply_to] == ["c@example.com"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("<a@b> <c@d>", ("a@b", "c@d")),
        ("<a@b>\n <a@b>", ("a@b",)),
        ("<folded\n id@b>", ("foldedid@b",)),
        ("a@b, c@d", ("a@b", "c@d")),
        ("Anna's message of Monday", ()),
        ("", ()),
    ],
)
def test_message_ids_are_read_leniently(field: str, expected: tuple[str, ...]) -> None:
    assert message_ids(field) == expected


def test_a_malformed_message_id_still_identifies_its_message() -> None:
    assert message_id("no brackets 42") == "nobrackets42"
    assert message_id("<>") is None
    assert message_id("") is None


@pytest.mark.parametrize(
    "field", ["", "yesterday", "Mon, 32 May 2027 12:00:00 +0200", "1 Jan 1901 00:00:00 +0000", "0"]
)
def test_a_date_that_makes_no_sense_is_none(field: str) -> None:
    assert date(field) is None


def test_a_date_without_a_known_zone_is_read_as_utc() -> None:
    assert date("3 May 2027 10:00:00 -0000") == datetime(2027, 5, 3, 10, tzinfo=UTC)
