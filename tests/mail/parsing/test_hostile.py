"""No bytes at all make `parse` raise, hang, or return text that PostgreSQL refuses."""

import base64
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.mail_fuzzing import complaint
from deskbell.mail.parsing import parse

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent.parent / "samples").glob("*.eml"))]
MEGABYTE = 2**20


def text_mail(body: bytes, charset: bytes = b"utf-8") -> bytes:
    return b"From: a@example.com\nContent-Type: text/plain; charset=" + charset + b"\n\n" + body


@given(st.binary(max_size=1_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    assert complaint(parse(raw)) == ""


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), st.binary(max_size=20)), max_size=8),
)
def test_damaged_messages_are_read(raw: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    for where, removed, inserted in edits:
        at = int(where * len(raw))
        raw = raw[:at] + inserted + raw[at + removed :]
    assert complaint(parse(raw)) == ""


def several(part: bytes, count: int) -> bytes:
    return b"Content-Type: multipart/mixed; boundary=x\n\n" + (b"--x\n" + part + b"\n") * count + b"--x--"


FIELDS = (
    "From To Cc Reply-To Subject Date Message-ID References In-Reply-To Content-Type Content-Disposition Content-ID"
)
PIECES = st.sampled_from(
    ["=?utf-8?b?", "?=", '"', "<", ">", "@", ";", "(", "boundary=x", "text/html", "*0*=", "\t", ":", ","]
)


@given(
    st.lists(
        st.tuples(st.sampled_from(FIELDS.split()), st.lists(PIECES | st.text(max_size=6), max_size=10)), max_size=8
    )
)
def test_any_headers_are_read(fields: list[tuple[str, list[str]]]) -> None:
    head = "".join(f"{name}: {''.join(value)}\n" for name, value in fields)
    assert complaint(parse(head.encode("utf-8", "surrogatepass") + b"\n--x\n\nhello\n--x--\n")) == ""


LARGE: dict[str, Callable[[], bytes]] = {
    "50 MB of lines": lambda: text_mail(b"hello world, this is a line\n" * (50 * MEGABYTE // 28)),
    "50 MB in one line": lambda: text_mail(b"x" * 50 * MEGABYTE),
    "50 MB attached": lambda: (
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nhi\n--x\nContent-Type: application/pdf\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(b"abc" * (50 * MEGABYTE // 3)) + b"--x--\n"
    ),
    "5 MB of quoted lines": lambda: text_mail(b"hi\n" + b"> quoted\n" * (5 * MEGABYTE // 9)),
    "5 MB of quote signs": lambda: text_mail(b">" * 5 * MEGABYTE),
    "1 MB of spaces": lambda: text_mail(b" " * MEGABYTE + b"x"),
    "1 MB of line ends": lambda: text_mail(b"\n" * MEGABYTE + b"x"),
    "colons": lambda: text_mail(b"ab 12:\n" * (MEGABYTE // 7)),
    "endless introductions": lambda: text_mail((b"On 1.2 " + b"wrote " * 28 + b":\n") * 6_000),
    "wrapped introductions": lambda: text_mail(
        (b"Am 2012 " + b"schrieb " * 24 + b"x\nbla schrieb\nschrieb:x\n:\n") * 3_500
    ),
    "headers in the text": lambda: text_mail((b"From:" + b" " * 190 + b"\n") * 5_500),
    "signatures": lambda: text_mail(b"-- \n" * (MEGABYTE // 4)),
    "uuencode": lambda: text_mail(b"begin 644 a.txt\n" * 60_000),
    "utf-7": lambda: text_mail(b"+AAA-" * 1_000_000, b"utf-7"),
    "punycode": lambda: text_mail(b"a-" * 500_000, b"punycode"),
    "long subject": lambda: b"Subject: " + b"x" * 100_000 + b"\n\nhi",
    "encoded subject": lambda: b"Subject: " + b"=?utf-8?q?x?= =?latin-1?q?x?= " * 4_000 + b"\n\nhi",
    "4000 recipients": lambda: (
        b"To: " + b",\n ".join(b"U %d <u%d@example.com>" % (n, n) for n in range(4_000)) + b"\n\n"
    ),
    "parentheses": lambda: b"To: " + b"(" * 100_000 + b"\n\n",
    "references": lambda: b"References: " + b"<a@b> <" * 100_000 + b"\n\n",
    "many fields": lambda: b"a: b\n" * 400_000 + b"\nhi",
    "many fields in many parts": lambda: several(b"a: b\n" * 40_000 + b"\nhi", 100),
    "calendars": lambda: several(b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 15_000, 100),
    "large HTML in parts": lambda: several(b"Content-Type: text/html\n\n" + b"<b>x</b>" * 130_000, 20),
    "entities in parts": lambda: several(b"Content-Type: text/html\n\n" + b"&" * 99_000, 10),
    "reports in parts": lambda: several(
        b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: rfc822; a@b\nAction: failed\n\n" * 4_000, 100
    ).replace(b"multipart/mixed", b"multipart/report"),
    "winmail.dat of nothing": lambda: (
        b"Content-Type: application/ms-tnef\n\n\x78\x9f\x3e\x22\0\0" + (b"\1\1\0\6\0" + b"\0" * 6) * 1_000_000
    ),
    "signed data of nothing": lambda: b"Content-Type: application/pkcs7-mime\n\n\x30\x80" + b"\5\0" * 5_000_000,
    "parameters": lambda: (
        b"Content-Type: multipart/mixed; boundary=x\n\n"
        + (b"--x\nContent-Type: text/plain; " + b'a=";' * 3_000 + b"\n\nabc\n") * 1_000
    ),
}


@pytest.mark.parametrize("made", LARGE.values(), ids=LARGE)
def test_large_and_hostile_messages_are_read_in_seconds(made: Callable[[], bytes]) -> None:
    raw = made()
    begun = process_time()
    mail = parse(raw)
    assert process_time() - begun < 10  # alone on a core the slowest takes 3
    assert "\0" not in mail.text


def test_a_long_subject_is_kept_whole() -> None:
    assert len(parse(b"Subject: " + b"x" * 100_000 + b"\n\nhi").subject) == 100_000
