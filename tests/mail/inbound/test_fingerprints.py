"""What makes two messages the same, and what does not."""

import pytest

from deskbell.mail.inbound.fingerprints import fingerprint

RAW = (
    b"From: Kim <kim@example.test>\r\nTo: a@example.test,\r\n b@example.test\r\nSubject: Card\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\n\r\nOne\r\n\r\nTwo\r\n"
)


@pytest.mark.parametrize(
    "same",
    [
        RAW.replace(b"\r\n", b"\n"),
        RAW.replace(b"\r\n", b"\r"),
        RAW + b"\r\n\r\n\n",
        b"Received: by mx; today\r\n\tlater\r\nReturn-Path: <x@y>\r\nX-Any: 1\r\n" + RAW,
        RAW.replace(b"Subject: Card\r\n", b"List-Id: <x>\r\nsubject:   Card\r\nAuthentication-Results: ok\r\n"),
        RAW.replace(b",\r\n b@", b", b@"),
        RAW.replace(b"Subject: Card\r\n", b"").replace(b"\r\n\r\nOne", b"\r\nSubject: Card\r\n\r\nOne"),
    ],
    ids=["unix", "old mac", "blank lines at the end", "trace in front", "trace between", "folding", "order"],
)
def test_the_way_makes_no_difference(same: bytes) -> None:
    assert fingerprint(same) == fingerprint(RAW)


@pytest.mark.parametrize(
    "other",
    [
        RAW.replace(b"Kim", b"Lee"),
        RAW.replace(b"08:00", b"08:01"),
        RAW.replace(b"Subject: Card", b"Subject: Cards"),
        RAW.replace(b"One\r\n\r\nTwo", b"One\r\nTwo"),
        RAW.replace(b"Two", b" Two"),
        RAW.replace(b"Subject:", b"Message-ID: <a@b>\r\nSubject:"),
        RAW.replace(b"\r\n\r\nOne", b"\r\n\r\nSubject: Card\r\n\r\nOne"),
    ],
    ids=["sender", "date", "subject", "blank line within", "indent", "id", "field in the body"],
)
def test_what_the_sender_wrote_does(other: bytes) -> None:
    assert fingerprint(other) != fingerprint(RAW)


@pytest.mark.parametrize("short", range(5))
def test_a_large_message_is_the_same_where_a_piece_ends_within_a_line_end(short: int) -> None:
    """It is read in pieces of a megabyte."""
    body = b"x" * (1_048_576 - short) + b"\r\n\r\ny\r\n"
    assert fingerprint(b"Subject: x\r\n\r\n" + body) == fingerprint(b"Subject: x\n\n" + body.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize(
    "raw", [b"", b"\r", b"\r\n", b"\0" * 100, b"no header", b"From:", b"\nbody", b": \xff\r\n\r\n\xfe"]
)
def test_whatever_the_bytes_are_they_have_one(raw: bytes) -> None:
    assert len(fingerprint(raw)) == 64
