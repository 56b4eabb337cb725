"""Files that hold more than a file: winmail.dat, invitations, what is signed or encrypted, forwarded messages."""

import base64
import struct
from pathlib import Path

import pytest
from compressed_rtf import compress  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.parsing import ParsedMail, parse, tnef
from deskbell.mail.parsing.invitations import in_words
from deskbell.mail.parsing.rtf import rtf_to_text
from deskbell.mail.parsing.secured import signed_content

SAMPLES = Path(__file__).parent.parent / "samples"


def sample(name: str) -> ParsedMail:
    return parse((SAMPLES / f"{name}.eml").read_bytes())


def packed(name: str) -> bytes:
    """Return the file that a sample carries in base64, after its last headers."""
    body = (SAMPLES / f"{name}.eml").read_bytes().split(b"\n\n")
    return base64.b64decode(next(each for each in reversed(body) if len(each) > 40).partition(b"--")[0])


# --- winmail.dat


def test_what_outlook_packed_is_unpacked() -> None:
    mail = sample("winmail")
    assert mail.new_text == "Der Zähler steht bei 14 °C.\nMara"
    assert mail.new_html == "<p>Der Zähler steht bei <b>14 °C</b>.</p><p>Mara</p>"
    bill, message, inner = mail.attachments
    assert (bill.file_name, bill.media_type) == ("Счёт за май.pdf", "application/pdf")
    assert bill.content == b"%PDF-1.4 with zeros\0\0\0\0"
    assert (message.file_name, message.content) == ("Ältere Nachricht.txt", b"The older message.")
    assert (inner.file_name, inner.content) == ("inner.txt", b"deep")
    assert mail.defects == ()


def test_of_a_winmail_dat_that_is_cut_short_what_can_be_read_is_unpacked_and_the_file_kept() -> None:
    mail = parse((SAMPLES / "winmail.eml").read_bytes().rstrip()[:-300])
    assert [each.file_name for each in mail.attachments][:2] == ["winmail.dat", "Счёт за май.pdf"]
    assert any("could not be read to its end" in defect for defect in mail.defects)


def test_a_winmail_dat_that_counts_to_four_billion_is_read_at_once() -> None:
    many = struct.pack("<I", 2**32 - 1) + b"\0" * 8
    for properties in (
        many,
        struct.pack("<IHHI", 1, 0x1F, 0x1000, 2**32 - 1),
        struct.pack("<IHHI", 1, 0x1003, 1, 2**32 - 1),
    ):
        body = b"\x78\x9f\x3e\x22\0\0\1\3\x90\6\0" + struct.pack("<I", len(properties)) + properties + b"\0\0"
        assert not tnef.read(body).whole


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 20), st.binary(max_size=8)), max_size=6))
def test_a_damaged_winmail_dat_is_read(edits: list[tuple[float, int, bytes]]) -> None:
    raw = packed("winmail")
    for where, removed, inserted in edits:
        at = int(where * len(raw))
        raw = raw[:at] + inserted + raw[at + removed :]
    found = tnef.read(raw)
    assert sum(len(each.content) for each in found.files) <= 4 * len(raw)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_winmail_dat_of_some_kind(raw: bytes) -> None:
    assert tnef.read(b"\x78\x9f\x3e\x22" + raw).files is not None


def test_a_winmail_dat_with_rich_text_only_is_read() -> None:
    packed_text = compress(rb"{\rtf1\ansi\ansicpg1252 Die T\'fcr ist warm.\par Mara}", compressed=True)
    padded = packed_text + b"\0" * (-len(packed_text) % 4)
    properties = struct.pack("<IHHII", 1, 0x102, 0x1009, 1, len(packed_text)) + padded
    body = b"\x78\x9f\x3e\x22\0\0\1\3\x90\6\0" + struct.pack("<I", len(properties)) + properties + b"\0\0"
    found = tnef.read(body)
    assert (found.plain, found.whole) == ("Die Tür ist warm.\nMara", True)


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 Die T\'fcr\par ist \b warm\b0.}", "Die Tür\nist warm."),
        (rb"{\rtf1\uc1 \u8364?5 und \u-10179?\u-8704?}", "€5 und 😀"),
        (rb"{\rtf1\fromhtml1{\*\htmltag64 <p>}Hallo{\*\htmltag72 </p>}\htmlrtf\par\htmlrtf0 du}", "Hallodu"),
        (rb"no rtf at all", "no rtf at all"),
        (rb"{" * 100_000, ""),
    ],
)
def test_the_words_of_rich_text_are_read(rtf: bytes, text: str) -> None:
    assert rtf_to_text(rtf) == text


# --- invitations


def test_an_invitation_says_what_when_and_where() -> None:
    mail = sample("invitation_only")
    assert mail.new_text == (
        "Invitation: Looking at the door, together\n"
        "When: 2027-05-14 09:30 – 10:15 (Europe/Berlin)\n"
        "Where: Mill Lane 3, Gate B\n"
        "From: Ines Müller <ines@mill.example>\n\n"
        "Bring the key.\nPark behind the mill."
    )
    (file,) = mail.attachments
    assert (file.file_name, file.media_type) == ("invite.ics", "text/calendar")
    assert file.content.startswith(b"BEGIN:VCALENDAR")


def test_an_answer_to_an_invitation_says_who_comes() -> None:
    assert sample("invitation_answer").new_text == (
        "Answer to an invitation: Open days\nWhen: 2027-05-14 – 2027-05-16\nInes <ines@mill.example> accepts"
    )


def test_an_invitation_with_a_text_keeps_its_text() -> None:
    raw = (SAMPLES / "invitation_answer.eml").read_bytes().replace(b"--x\n", b"--x\n\nI come.\n--x\n", 1)
    assert parse(raw).new_text == "I come."


@pytest.mark.parametrize(
    "calendar",
    [
        b"",
        b"BEGIN:VCALENDAR",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:nonsense\nEND:VEVENT\nEND:VCALENDAR",
        b"BEGIN:VEVENT\n" * 5_000,
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:" + b"x" * 190_000 + b"\nEND:VEVENT\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nRRULE:" + b"FREQ=DAILY;" * 9_000 + b"\nEND:VEVENT\nEND:VCALENDAR",
        b"\xff\xfe" * 1_000,
    ],
)
def test_a_calendar_that_makes_no_sense_is_only_a_file(calendar: bytes) -> None:
    assert len(in_words(calendar)) < 2_000
    mail = parse(b"Content-Type: text/calendar\n\n" + calendar)
    assert [each.content for each in mail.attachments] == [calendar]


# --- signed and encrypted


def test_a_signed_message_is_read_and_its_signature_kept() -> None:
    mail = sample("signed_smime")
    assert mail.new_text == "Please change the lock."
    assert [each.file_name for each in mail.attachments] == ["smime.p7s"]


def test_a_message_within_its_signature_is_read_with_its_files_and_kept_as_it_is() -> None:
    mail = sample("signed_opaque")
    assert mail.new_text == "The lock is changé."
    assert [(each.file_name, each.content) for each in mail.attachments[1:]] == [("keys.csv", b"key;where")]
    assert mail.attachments[0].file_name == "smime.p7m"


def signed_over(entity: bytes) -> bytes:
    """Return a MIME entity with another within its signature, every length told by an end."""

    def open_ended(tag: int, content: bytes) -> bytes:
        return bytes([tag, 0x80]) + content + b"\0\0"

    pieces = b"".join(
        bytes([4, len(entity[at : at + 100])]) + entity[at : at + 100] for at in range(0, len(entity), 100)
    )
    data, signed = (bytes([6, 9]) + bytes.fromhex(f"2a864886f70d01070{number}") for number in (1, 2))
    content = open_ended(0x30, data + open_ended(0xA0, open_ended(0x24, pieces)))
    cms = open_ended(0x30, signed + open_ended(0xA0, open_ended(0x30, b"\2\1\1" + b"\x31\0" + content + b"\x31\0")))
    head = b"Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"
    return head + base64.encodebytes(cms)


def test_what_is_signed_twice_is_read_and_what_is_signed_ten_times_is_kept() -> None:
    raw = b"Content-Type: text/plain\n\nhello"
    signed = [raw := signed_over(raw) for _ in range(10)]
    assert parse(signed[1]).text == "hello"
    assert [each.file_name for each in parse(signed[9]).attachments] == ["smime.p7m"] * 3


@pytest.mark.parametrize(("name", "kind"), [("encrypted_smime", "S/MIME"), ("encrypted_pgp", "PGP")])
def test_an_encrypted_message_says_that_it_is(name: str, kind: str) -> None:
    mail = sample(name)
    assert f"encrypted with {kind}" in mail.new_text
    assert mail.attachments[-1].file_name in mail.new_text


def test_pgp_in_the_text_stays_as_it_is() -> None:
    mail = sample("signed_pgp_in_the_text")
    assert mail.new_text == mail.text.strip()
    assert "BEGIN PGP SIGNATURE" in mail.new_text


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.binary(max_size=4)), max_size=6))
def test_damaged_signed_data_is_read_or_left(edits: list[tuple[float, int, bytes]]) -> None:
    raw = packed("signed_opaque")
    for where, removed, inserted in edits:
        at = int(where * len(raw))
        raw = raw[:at] + inserted + raw[at + removed :]
    content = signed_content(raw)
    assert content is None or len(content) <= len(raw)


@pytest.mark.parametrize("raw", [b"\x30\x80" * 100_000, b"\x24\x80" * 1_000, b"\x30\x84\xff\xff\xff\xff", b"\x30", b""])
def test_what_is_nested_without_end_is_not_signed_data(raw: bytes) -> None:
    assert signed_content(raw) is None


# --- forwarded messages


def test_a_message_forwarded_without_a_word_is_shown_as_one_that_is_forwarded() -> None:
    mail = sample("forwarded_as_a_file")
    assert mail.new_text == (
        "---------- Forwarded message ---------\nFrom: Jörg <joerg@parcels.example>\n"
        "Date: Tue, 11 May 2027 10:00:00 +0200\nSubject: Your parcel\nTo: mara@orchard.example\n\nIt waits at the gate."
    )
    assert [each.file_name for each in mail.attachments] == ["Parcel.eml"]
