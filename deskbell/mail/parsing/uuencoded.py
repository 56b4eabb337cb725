"""Files that old programs write into the text itself: `begin 644 name`, lines of uuencode, `end` (POSIX uuencode)."""

import binascii
import re
from itertools import islice
from typing import Final

_MOST_FILES: Final = 100  # what comes after stays in the text
_BLOCK: Final = re.compile(
    r"^begin [0-7]{3,4} (?P<name>[^\n]{1,255})\n(?P<lines>(?:[!-`][ -`]{0,80}\n)+)(?:[` ]?\n)?end[ \t]*$", re.MULTILINE
)


def decode_lines(lines: bytes) -> bytes:
    """Decode uuencoded lines; one that cannot be decoded is left out."""
    return b"".join(_line(line) for line in lines.splitlines())


def _line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # some encoders write a byte too much, which the length tells
        try:
            return binascii.a2b_uu(line[: (((line[0] - 32) & 63) * 4 + 5) // 3])
        except (binascii.Error, IndexError):
            return b""


def extract(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Take the files out of `text`: what remains, and (name, content) of each, at most 100."""
    if "begin " not in text:
        return text, []
    blocks = islice(_BLOCK.finditer(text), _MOST_FILES)
    files = [(block["name"], decode_lines(block["lines"].encode())) for block in blocks]
    return (_BLOCK.sub("", text, _MOST_FILES), files) if files else (text, [])
