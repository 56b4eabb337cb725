"""A message is taken apart as the standard library does it, and where that gives up, within bounds."""

from email import message_from_bytes
from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.parsing import parse
from deskbell.mail.parsing.leaves import body_of
from deskbell.mail.parsing.structure import MAX_DEPTH, MAX_PARTS, Walk

LEAF = st.binary(max_size=60)
TREE = st.recursive(LEAF, lambda children: st.lists(children, min_size=1, max_size=4), max_leaves=12)


def built(tree: bytes | list[object]) -> EmailMessage:
    message = EmailMessage()
    if isinstance(tree, bytes):
        message.set_content(tree, maintype="application", subtype="octet-stream")
        return message
    message.make_mixed()
    for child in tree:
        assert isinstance(child, bytes | list)
        message.attach(built(child))
    return message


@given(TREE)
def test_leaves_are_those_that_the_standard_library_finds(tree: bytes | list[object]) -> None:
    raw = built(tree).as_bytes()
    expected = [part.get_payload(decode=True) for part in message_from_bytes(raw).walk() if not part.is_multipart()]
    assert [body_of(part)[0] for part in Walk(raw)] == expected


def nested(depth: int) -> bytes:
    opened = (b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth))
    return b"".join(opened) + b"\nat the bottom\n"


def test_parts_nested_a_thousand_deep_are_kept_as_an_attachment() -> None:
    mail = parse(nested(1_000))
    (deep,) = mail.attachments
    assert deep.media_type == "message/rfc822"
    assert b"at the bottom" in deep.content
    assert any("nested deeper" in defect for defect in mail.defects)


def test_parts_nested_as_deep_as_allowed_are_read() -> None:
    assert parse(nested(MAX_DEPTH)).text == "at the bottom\n"


def test_messages_nested_a_thousand_deep_are_one_attachment() -> None:
    mail = parse(b"Content-Type: message/rfc822\n\n" * 1_000 + b"hello")
    assert [each.media_type for each in mail.attachments] == ["message/rfc822"]


def test_of_ten_thousand_parts_the_first_thousand_are_read() -> None:
    part = b"--x\nContent-Type: image/png\n\nP\n"
    mail = parse(b"Content-Type: multipart/mixed; boundary=x\n\n" + part * 10_000 + b"--x--")
    assert len(mail.attachments) == MAX_PARTS
    assert any("more than 1000 parts" in defect for defect in mail.defects)


def test_a_multipart_without_parts_is_read_as_text() -> None:
    mail = parse(b"Content-Type: multipart/mixed; boundary=x\n\nhello there")
    assert mail.text == "hello there"
    assert any("no parts" in defect for defect in mail.defects)


def test_a_multipart_that_is_cut_short_is_read_to_its_end() -> None:
    mail = parse(b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nhello")
    assert mail.text == "hello"
    assert any("cut short" in defect for defect in mail.defects)


def test_headers_that_end_without_a_blank_line_lose_no_text() -> None:
    assert parse(b"Subject: x\nhello there\nmore").text == "hello there\nmore"


def test_a_body_without_headers_is_read() -> None:
    assert parse(b"hello\nthere").text == "hello\nthere"


def test_crlf_and_cr_at_line_ends_are_read() -> None:
    assert parse(b"Subject: x\r\n\r\na\r\nb").text == "a\nb"
    assert parse(b"Subject: x\r\ra\rb").text == "a\nb"


def test_damaged_base64_keeps_what_can_be_read() -> None:
    mail = parse(b"Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nY2F0ZG9n!!Y")
    assert mail.attachments[0].content == b"catdog"
    assert any("base64" in defect for defect in mail.defects)


def test_file_names_are_decoded_and_made_safe() -> None:
    def name_of(header: str) -> str:
        return (
            parse(f"Content-Type: application/pdf\nContent-Disposition: attachment; {header}\n\n".encode())
            .attachments[0]
            .file_name
        )

    assert name_of('filename="=?utf-8?q?pr=C3=BCf.pdf?="') == "prüf.pdf"
    assert name_of("filename*0*=utf-8''pr%C3%BC; filename*1=f.pdf") == "prüf.pdf"
    assert name_of('filename="../../etc/pass\x01wd"') == "pass wd"
    assert name_of('filename="C:\\\\temp\\\\a.pdf"') == "a.pdf"
    assert name_of('filename=""') == "attachment.pdf"
    assert name_of('filename="grün.pdf"') == "grün.pdf"
