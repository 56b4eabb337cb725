"""What mail servers say of a message that they could not deliver, in the forms in which they say it."""

from pathlib import Path

import pytest

from deskbell.mail.parsing import DeliveryAction, DeliveryReport, parse

SAMPLES = Path(__file__).parent.parent / "samples"
SENT = "reply-1042-7@deskbell.example"


def report_of(name: str) -> DeliveryReport:
    report = parse((SAMPLES / f"{name}.eml").read_bytes()).delivery_report
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("name", "address", "status", "words"),
    [
        ("bounce_standard", "nobody@orchard.example", "5.1.1", "Recipient address rejected: User unknown"),
        ("bounce_headers_only", "full@mill.example", "5.2.2", "mailbox full"),
        ("bounce_qmail", "tom@mill.example", "5.7.1", "Remote host said: 550 5.7.1 Not today"),
        ("bounce_exim", "ines@mill.example", "", "550 Unrouteable address"),
        ("bounce_old_exchange", "tom@mill.example", "5.1.1", "The recipient name is not recognized"),
    ],
)
def test_a_bounce_says_whom_it_did_not_reach_and_why(name: str, address: str, status: str, words: str) -> None:
    report = report_of(name)
    (failed,) = report.failed
    assert (failed.address, failed.status) == (address, status)
    assert words in failed.diagnostic
    assert report.original_message_id == SENT


def test_a_recipient_who_is_only_late_has_not_failed() -> None:
    recipients = {each.address: each.action for each in report_of("bounce_standard").recipients}
    assert recipients["late@orchard.example"] is DeliveryAction.DELAYED
    (late,) = report_of("delay_exim").recipients
    assert (late.address, late.action) == ("ines@mill.example", DeliveryAction.DELAYED)


def test_the_address_that_was_written_to_is_named_and_not_the_one_it_became() -> None:
    raw = (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n"
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; a.example\n\n"
        b"Original-Recipient: rfc822;sales@a.example\nFinal-Recipient: rfc822;anna@inner.a.example\n"
        b"Action: failed\nStatus: 5.0.0\n\n--x--\n"
    )
    report = parse(raw).delivery_report
    assert report is not None
    assert [each.address for each in report.recipients] == ["sales@a.example"]


def test_a_report_that_says_nothing_is_still_a_report() -> None:
    assert parse(b"Content-Type: multipart/report; boundary=x\n\n--x\n\n").delivery_report == DeliveryReport((), None)


def test_a_report_of_ten_thousand_recipients_names_a_thousand() -> None:
    block = b"Final-Recipient: rfc822; u%d@a.example\nAction: failed\n\n"
    raw = b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n"
    report = parse(raw + b"".join(block % n for n in range(10_000)) + b"--x--").delivery_report
    assert report is not None
    assert len(report.recipients) == 1_000
