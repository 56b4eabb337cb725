"""Who or what wrote: what is filed as a person's word, and what must never be answered."""

from pathlib import Path

import pytest

from deskbell.mail.parsing import MailKind, parse

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("reply_with_quote", MailKind.PERSON),
        ("gmail_html", MailKind.PERSON),
        ("out_of_office", MailKind.AUTO_REPLY),
        ("read_receipt", MailKind.AUTO_REPLY),
        ("bounce_standard", MailKind.BOUNCE),
        ("bounce_qmail", MailKind.BOUNCE),
        ("bounce_old_exchange", MailKind.BOUNCE),
        ("delay_exim", MailKind.BOUNCE),
        ("from_a_list", MailKind.LIST),
        ("newsletter", MailKind.BULK),
    ],
)
def test_a_sample_is_of_its_kind(name: str, kind: MailKind) -> None:
    assert parse((SAMPLES / f"{name}.eml").read_bytes()).kind is kind


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("From: anna@example.com", MailKind.PERSON),
        ("Auto-Submitted: no", MailKind.PERSON),
        ("Subject: Vacation of my neighbour", MailKind.PERSON),
        ("Subject: Out of office", MailKind.PERSON),  # whoever writes about it; only a header makes it a program's
        ("X-Auto-Response-Suppress: All", MailKind.PERSON),
        ("X-Auto-Response-Suppress: All\nSubject: Automatische Antwort: Tür", MailKind.AUTO_REPLY),
        ("X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated", MailKind.BULK),
        ("Auto-Submitted: auto-replied (vacation)", MailKind.AUTO_REPLY),
        ("Auto-Submitted: auto-generated\nSubject: =?utf-8?q?R=C3=A9ponse_automatique=3A?= x", MailKind.AUTO_REPLY),
        ("Auto-Submitted: auto-generated", MailKind.BULK),
        ("Precedence: auto_reply", MailKind.AUTO_REPLY),
        ("Precedence: junk\nSubject: Re: Out of Office", MailKind.AUTO_REPLY),
        ("X-Autoreply: yes", MailKind.AUTO_REPLY),
        ("X-Autoreply: no", MailKind.PERSON),
        ("Return-Path: <>\nIn-Reply-To: <a@example.com>", MailKind.AUTO_REPLY),
        ("Return-Path: <>", MailKind.BULK),
        ("Precedence: bulk", MailKind.BULK),
        ("Precedence: bulk\nList-Id: <gardeners.example>", MailKind.LIST),
        ("Precedence: list", MailKind.LIST),
        ("List-Unsubscribe: <https://example.com>", MailKind.LIST),
        ("List-Unsubscribe: <https://example.com>\nPrecedence: bulk", MailKind.BULK),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", MailKind.BOUNCE),
        ("X-Failed-Recipients: anna@example.com", MailKind.BOUNCE),
        (
            "From: Mail Delivery Subsystem <bounces@example.com>\nSubject: Returned mail: see transcript",
            MailKind.BOUNCE,
        ),
        ("Return-Path: <>\nSubject: Undelivered Mail Returned to Sender", MailKind.BOUNCE),
        ("From: anna@example.com\nSubject: Returned mail", MailKind.PERSON),
        ("From: MAILER-DAEMON@example.com\nSubject: Hello", MailKind.BULK),
    ],
)
def test_headers_tell_the_kind(headers: str, kind: MailKind) -> None:
    mail = parse(f"{headers}\n\nhello".encode())
    assert mail.kind is kind
    assert (mail.delivery_report is not None) is (kind is MailKind.BOUNCE)


def test_all_addresses_that_a_message_came_to_are_seen_in_order_and_once() -> None:
    head = (
        "To: Support <support@desk.example>, anna@example.com\nCc: SUPPORT@desk.example\nResent-To: late@desk.example\n"
        "Delivered-To: box@desk.example\nX-Original-To: support+c0FfEE@desk.example\nDelivered-To: outer@desk.example\n"
        "Envelope-To: box@desk.example\n\nhello"
    )
    assert parse(head.encode()).recipients_seen == (
        "box@desk.example",
        "outer@desk.example",
        "support+c0FfEE@desk.example",
        "support@desk.example",
        "anna@example.com",
        "late@desk.example",
    )
