"""Files that old programs write into the text itself: `begin 644 name`, lines of uuencode, `end` (POSIX uuencode)."""

import binascii
import re
from itertools import islice
from typing import Final

_MOST_FILES: Final = 100  # what comes after stays in the text
_LINE: Final = re.compile(rb"[^\r\n]+")
_BLOCK: Final = re.compile(
    rb"^begin [0-7]{3,4} (?P<name>[^\r\n]{1,255})\r?\n"
    rb"(?P<lines>(?:[!-`][ -`]{0,80}\r?\n)++)(?:[` ]?\r?\n)?end[ \t\r]*$",
    re.MULTILINE,
)


def decode_lines(lines: bytes | memoryview) -> bytes:
    """Decode uuencoded lines; one that cannot be decoded is left out."""
    decoded = bytearray()
    for line in _LINE.finditer(lines):
        decoded += _line(line[0])
    return bytes(decoded)


def _line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # some encoders write a byte too much, which the length tells
        try:
            return binascii.a2b_uu(line[: (((line[0] - 32) & 63) * 4 + 5) // 3])
        except (binascii.Error, IndexError):
            return b""


def extract(text: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Take the files out of `text`: what remains, and (name, content) of each, at most 100."""
    if b"begin " not in text:
        return text, []
    blocks = islice(_BLOCK.finditer(text), _MOST_FILES)
    view = memoryview(text)
    files = [(block["name"], decode_lines(view[slice(*block.span("lines"))])) for block in blocks]
    return (_BLOCK.sub(b"", text, _MOST_FILES), files) if files else (text, [])
