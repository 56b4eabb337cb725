"""Bytes become text whatever they claim to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.parsing.charsets import decode, decode_base64


@pytest.mark.parametrize(
    ("raw", "declared", "text"),
    [
        ("Grüße".encode(), "utf-8", "Grüße"),
        ("Grüße".encode("latin-1"), "utf-8", "Grüße"),
        ("“quoted”".encode("cp1252"), "iso-8859-1", "“quoted”"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode(), "x-unknown", "Grüße"),
        ("Grüße".encode(), None, "Grüße"),
        ("é".encode("latin-1"), None, "é"),
        ("囍".encode("gb18030"), "gb2312", "囍"),
        (
            "Привет, как дела? Мой заказ ещё не пришёл.".encode("cp1251"),
            "utf-8",
            "Привет, как дела? Мой заказ ещё не пришёл.",
        ),
        (b"\xef\xbb\xbfmark", "utf-8", "mark"),
        (b"a\0b\r\nc\rd", "ascii", "ab\nc\nd"),
        (b"abc", "hex", "abc"),
        (b"abc", "punycode", "abc"),
        (b"abc", "rot13", "abc"),
        (b"abc", "\0", "abc"),
        (b"\x81\x8d", None, "\x81\x8d"),
    ],
)
def test_text_is_read_in_the_charset_it_is_really_in(raw: bytes, declared: str | None, text: str) -> None:
    assert decode(raw, declared)[0] == text


def test_another_charset_than_declared_is_noted() -> None:
    assert decode(b"abc", "utf-8")[1] is None
    assert (
        decode(b"caf\xe9", "utf-8")[1] == "a text is not in its declared character set 'utf-8'; it was read as cp1252"
    )
    assert decode(b"caf\xe9", None)[1] == "a text declares no character set; it was read as cp1252"


@given(
    st.binary(max_size=200),
    st.none() | st.text(max_size=12) | st.sampled_from(["utf-7", "utf-16", "utf-32", "big5", "idna"]),
)
def test_any_bytes_become_text_that_postgresql_takes(raw: bytes, declared: str | None) -> None:
    text, _ = decode(raw, declared)
    text.encode()
    assert "\0" not in text


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_base64(raw: bytes) -> None:
    decode_base64(raw)
