"""`parse` on whole messages: what a reader of the ticket will see."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deskbell.mail.parsing import Address, ParsedMail, parse, split_signature

SAMPLES = Path(__file__).parent.parent / "samples"


def sample(name: str) -> ParsedMail:
    return parse((SAMPLES / f"{name}.eml").read_bytes())


def test_a_reply_is_told_apart_from_what_it_answers() -> None:
    mail = sample("reply_with_quote")
    assert mail.new_text == (
        "The door closes now, but it still shows 14 °C.\n\nCould you send somebody on Thursday?\n\nMara"
    )
    assert mail.folded_text.startswith(
        "On Mon, 3 May 2027 at 17:40, Deskbell Support <support@deskbell.example> wrote:"
    )
    assert mail.folded_text.endswith("> Your support team")
    assert mail.defects == ()


def test_the_headers_are_read() -> None:
    mail = sample("reply_with_quote")
    assert mail.sender == Address("Mara Löwenthal", "mara@orchard.example")
    assert mail.to == (Address("Support", "support@deskbell.example"), Address("Doe, Jane", "jane@orchard.example"))
    assert mail.cc == (Address("", "stock@orchard.example"),)
    assert mail.reply_to == ()
    assert mail.subject == "Re: [DB-1042] Kühlschrank is warm"
    assert mail.date == datetime(2027, 5, 4, 7, 12, 44, tzinfo=UTC)
    assert mail.date.utcoffset() == timedelta(hours=2)
    assert mail.message_id == "mara-2@orchard.example"
    assert mail.in_reply_to == "reply-1042-1@deskbell.example"
    assert mail.references == ("mara-1@orchard.example", "reply-1042-1@deskbell.example")
    assert not mail.automatic


def test_an_inline_image_stays_in_the_html_and_a_remote_one_does_not() -> None:
    mail = sample("inline_image")
    assert mail.html is not None
    assert 'src="cid:label@orchard"' in mail.html
    assert "tracker.example" not in mail.html
    assert "script" not in mail.html
    assert "onclick" not in mail.html
    assert mail.text == "See the picture. The list is attached."


def test_attachments_keep_content_and_lose_the_path_in_their_name() -> None:
    image, table = sample("inline_image").attachments
    assert (image.file_name, image.media_type, image.content_id) == ("label.png", "image/png", "label@orchard")
    assert image.content == b"\x89PNG\r\n\x1a\n"
    assert image.is_inline
    assert (table.file_name, table.media_type) == ("prüfliste.csv", "text/csv")
    assert table.content == b"label;state\nA7;torn"
    assert not table.is_inline


def test_outlooks_html_without_a_text_part_is_read_and_its_quote_folded() -> None:
    mail = sample("outlook_html_only")
    assert mail.new_text == "Please cancel it.\n\nInes"
    assert "Von: Deskbell Support <support@deskbell.example>" in mail.folded_text
    assert mail.folded_text.endswith("Shall we cancel the invoice?")


def test_a_forwarded_message_is_not_folded() -> None:
    mail = sample("forwarded")
    assert mail.new_text == mail.text.strip()
    assert mail.folded_text == ""


def test_answers_between_quotes_keep_the_questions() -> None:
    mail = sample("answers_between")
    assert mail.new_text.startswith("On 9 May 2027")
    assert mail.new_text.endswith("> Since when?\n\nSince Sunday.")
    assert mail.folded_text == "> Best wishes\n> Support\n\n-- \nMara\nOrchard & Daughters"


def test_an_automatic_reply_says_why_it_is_one() -> None:
    mail = sample("out_of_office")
    assert mail.automatic
    assert mail.automatic_reason == "Auto-Submitted: auto-replied"


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ("Auto-Submitted: no", False),
        ("Auto-Submitted: auto-generated; type=x", True),
        ("Precedence: bulk", True),
        ("Precedence: first-class", False),
        ("X-Auto-Response-Suppress: OOF, AutoReply", True),
        ("List-Id: Gardeners <gardeners.example>", True),
        ("Return-Path: <>", True),
        ("Return-Path: <anna@example.com>", False),
        ("Content-Type: multipart/report; boundary=x", True),
        ("From: MAILER-DAEMON@example.com", True),
    ],
)
def test_headers_tell_whether_a_program_wrote(header: str, automatic: bool) -> None:  # noqa: FBT001 - a row of the table
    assert parse(f"{header}\n\nhello".encode()).automatic is automatic


def test_text_in_another_charset_than_declared_is_read_and_noted() -> None:
    mail = sample("wrong_charset")
    assert mail.text.strip() == "Viele Grüße, das Mädchen"
    assert mail.date is None
    assert "its date makes no sense: Mon, 32 May 2027 12:00:00 +0200" in mail.defects
    assert any("'utf-8'" in defect and "cp1252" in defect for defect in mail.defects)


def test_an_attached_message_and_winmail_dat_are_kept_whole() -> None:
    mail = sample("carries_a_message")
    message, winmail = mail.attachments
    assert (message.file_name, message.media_type) == ("message.eml", "message/rfc822")
    assert parse(message.content).subject == "inside"
    assert (winmail.file_name, winmail.content) == ("winmail.dat", b"x\x9f>\x22")
    assert mail.text == "It is in there."


def test_uuencoded_files_in_the_text_become_attachments() -> None:
    mail = parse(b"Subject: old\n\nhere\n\nbegin 644 dir/a.txt\n#8V%T\n`\nend\n\nbye\n")
    assert [(each.file_name, each.content) for each in mail.attachments] == [("a.txt", b"cat")]
    assert "begin" not in mail.text
    assert mail.text.split() == ["here", "bye"]


def test_soft_line_breaks_of_flowed_text_are_undone() -> None:
    raw = b"Content-Type: text/plain; format=flowed\n\nOne \nline.\n> quoted \n> too\nTwo\n-- \nMe\n"
    assert parse(raw).text == "One line.\n> quoted too\nTwo\n-- \nMe\n"


def test_several_texts_and_files_between_them_are_all_read_in_order() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nfirst\n--x\nContent-Type: image/png\n\nP\n--x\n"
    mail = parse(raw + b"Content-Type: text/html\n\n<p>second</p>\n--x\n\nthird\n--x--")
    assert mail.text == "first\n\nsecond\n\nthird"
    assert mail.html is not None
    assert [mail.html.find(word) >= 0 for word in ("first", "second", "third")] == [True] * 3
    assert [each.file_name for each in mail.attachments] == ["image.png"]


def test_a_message_without_anything_is_read_and_says_what_it_lacks() -> None:
    mail = parse(b"")
    assert (mail.text, mail.new_text, mail.folded_text, mail.subject, mail.html) == ("", "", "", "", None)
    assert mail.sender is None
    assert mail.defects == ("it has no From", "it has no Date", "it has no Message-ID")


def test_the_first_of_several_senders_counts() -> None:
    mail = parse(b"From: a@example.com, b@example.com\nFrom: c@example.com\n\nhello")
    assert mail.sender == Address("", "a@example.com")
    assert "it has several From fields" in mail.defects


def test_a_signature_above_a_quote_can_be_split_off() -> None:
    assert split_signature("Hello\n\n-- \nxxx\nSent with Kite") == ("Hello", "-- \nxxx\nSent with Kite")
    assert split_signature("- one\n- two") == ("- one\n- two", "")
