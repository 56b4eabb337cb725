"""Where a signature or a list footer begins at the end of a text."""

import re
from typing import Final

from mailparser_reply.constants import MAIL_LANGUAGES

_MOST_LINES: Final = 15  # a longer ending is no signature
_LONGEST_LINE: Final = 200
_LONGEST_NAME: Final = 40

_DELIMITER: Final = re.compile(r"--|_{20,}|-{30,}")  # RFC 3676 4.3, and the ruling lines of mailing lists
_SENT_FROM_WORDS: Final = "|".join(words["sent_from"] for words in MAIL_LANGUAGES.values() if words.get("sent_from"))
# "Sent from my iPhone", and no sentence that only begins so ("Sent from my desk, is easier.")
_MORE_WORDS: Final = (
    "Sent with|Sent via|Envoyé de|Enviado do|Enviado desde|Verstuurd vanaf|Verzonden via|Lähetetty|Отправлено (?:с|из)|"
    "Wysłane z|Odesláno z|Trimis de pe|Надіслано з"
)
_SENT_FROM: Final = re.compile(
    rf"(?:{_SENT_FROM_WORDS}|{_MORE_WORDS})\s[^,;!?]{{1,100}}(?<!\.)|Von meinem [^,;!?]{{1,60}} gesendet", re.IGNORECASE
)
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
        if _begins_signature(line) or (_is_dashed_name(lines, end, line) and _only_blank(lines, end + 1, start)):
            start = end
    return start


def _begins_signature(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and bool(_DELIMITER.fullmatch(line) or _SENT_FROM.fullmatch(line))


def _is_dashed_name(lines: list[str], index: int, line: str) -> bool:
    """Whether this is "-Anna" standing alone, and not the last of a list."""
    alone = index == 0 or not lines[index - 1].strip()
    if len(line) > _LONGEST_NAME or not alone or not _DASHED_NAME.fullmatch(line):
        return False
    before = next((each.strip() for each in reversed(lines[:index]) if each.strip()), "")
    return bool(before) and not before.startswith(("-", "*", "•"))


def _only_blank(lines: list[str], start: int, end: int) -> bool:
    return not any(line.strip() for line in lines[start:end])
