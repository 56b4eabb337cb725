"""Bytes to text, whatever the message claims about them."""

import binascii
import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

from deskbell.kernel.text import clean

# What is declared on the left is in practice written in the superset on the right (WHATWG Encoding Standard).
_SUPERSETS: Final = {
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso-8859-8-i": "iso8859-8",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
}
# Python codecs that no mail program writes, and that take quadratic time or warn.
_NOT_FOR_MAIL: Final = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
# A guess only tells scripts apart that are not Latin: of "café" it would make Chinese.
_GUESSED: Final = [
    "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_READ_FOR_GUESS: Final = 16_384  # bytes
_NOT_LATIN: Final = 0.25  # of the bytes are beyond ASCII
_FEWEST: Final = 8  # bytes beyond ASCII tell nothing yet
_ASCII: Final = bytes(range(128))
_BASE64_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(set(range(256)) - set(_BASE64_ALPHABET))
_LINE_END: Final = re.compile("\r\n?")


def decode(raw: bytes, declared: str | None) -> tuple[str, str | None]:
    """Read `raw` as `declared`, else as UTF-8, else as what it looks like, else as Windows-1252 or Latin-1.

    Returns the text, clean and with a line feed at line ends, and what was wrong, or None.
    """
    text = _try(raw, _codec(declared) if declared else "utf-8")
    if text is not None:
        return _tidy(text), None
    for codec in ("utf-8", _guess(raw), "cp1252"):
        text = _try(raw, codec)
        if text is not None:
            return _tidy(text), _complaint(declared, codec)
    return _tidy(raw.decode("latin-1")), _complaint(declared, "latin-1")


def _complaint(declared: str | None, used: str | None) -> str:
    claimed = f"is not in its declared character set {declared[:40]!r}" if declared else "declares no character set"
    return f"a text {claimed}; it was read as {used}"


def _codec(declared: str) -> str | None:
    """Return the Python codec for a declared character set, None where there is none that mail may use."""
    label = declared.strip("\"' ").lower()
    if label in _SUPERSETS:
        return _SUPERSETS[label]
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError, TypeError):
        return None
    return None if name in _NOT_FOR_MAIL else _SUPERSETS.get(name, name)


def _try(raw: bytes, codec: str | None) -> str | None:
    if codec is None:
        return None
    try:
        return raw.decode(codec)
    except (ValueError, LookupError):  # LookupError: base64, hex and others are codecs, but not of text
        return None


def _guess(raw: bytes) -> str | None:
    sample = raw[:_READ_FOR_GUESS]
    beyond = len(sample.translate(None, _ASCII))
    if beyond < max(_FEWEST, _NOT_LATIN * len(sample)):
        return None
    match = from_bytes(sample, cp_isolation=_GUESSED).best()
    return match.encoding if match else None


def _tidy(text: str) -> str:
    return clean(_LINE_END.sub("\n", text.removeprefix("\ufeff")))


def decode_base64(raw: bytes | memoryview) -> tuple[bytes, bool]:
    """Decode base64 and say whether it was whole; of damaged base64 everything that can be read is kept."""
    try:
        return binascii.a2b_base64(raw), True
    except binascii.Error:
        letters = bytearray(raw).translate(None, _NOT_BASE64)
        if len(letters) % 4 == 1:  # a single letter holds less than a byte
            del letters[-1]
        letters += b"=" * (-len(letters) % 4)
        return binascii.a2b_base64(letters), False
