"""Where a signature or a list footer begins at the end of a text."""

import re
from typing import Final

from deskbell.mail.parsing.words import SENT_FROM

_MOST_LINES: Final = 15  # a longer ending is no signature
_LONGEST_LINE: Final = 200
_LONGEST_NAME: Final = 40

_DELIMITER: Final = re.compile(r"--|—|_{20,}|-{30,}")  # RFC 3676 4.3, and the ruling lines of mailing lists
_DASHED_NAME: Final = re.compile(r"[-–—]\s?[^\W\d_][\w .'-]*")


def split_signature(text: str) -> tuple[str, str]:
    """Split `text` into what was said and the signature or footer that ends it, empty where there is none."""
    lines = text.split("\n")
    start = signature_start(lines, 0)
    return "\n".join(lines[:start]).rstrip(), "\n".join(lines[start:]).strip("\n")


def signature_start(lines: list[str], first: int) -> int:
    """Return the line with which a signature begins that reaches to the end, at or after `first`; else len(lines)."""
    end = start = len(lines)
    seen = 0
    while end > first and seen < _MOST_LINES:
        end -= 1
        line = lines[end].strip()
        if not line:
            continue
        seen += 1
        if _begins_signature(line) or (is_dashed_name(lines, end, line) and _only_blank(lines, end + 1, start)):
            start = end
    return start


def _begins_signature(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and bool(_DELIMITER.fullmatch(line) or SENT_FROM.fullmatch(line))


def is_dashed_name(lines: list[str], index: int, line: str) -> bool:
    """Return whether this is "-Anna" standing alone, and not the last of a list."""
    alone = index == 0 or not lines[index - 1].strip()
    if len(line) > _LONGEST_NAME or not alone or not _DASHED_NAME.fullmatch(line):
        return False
    before = next((each.strip() for each in reversed(lines[:index]) if each.strip()), "")
    return bool(before) and not before.startswith(("-", "*", "•"))


def _only_blank(lines: list[str], start: int, end: int) -> bool:
    return not any(line.strip() for line in lines[start:end])
