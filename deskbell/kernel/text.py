"""Text from outside made fit to keep and to show: storable characters, one-line titles, addresses, file names, sizes.

Lengths of text are in characters (code points), as PostgreSQL counts `varchar(n)`, unless octets are named.
"""

import re
import unicodedata
from datetime import timedelta
from typing import Final

from deskbell.kernel.errors import InvalidError

NO_SUBJECT: Final = "(no subject)"
MAX_EMAIL_OCTETS: Final = 254
MAX_LOCAL_OCTETS: Final = 64

_SURROGATE = re.compile("[\ud800-\udfff]")
# Embeddings, overrides and isolates reorder what stands around them; the others are invisible. LRM, RLM, ZWJ and ZWNJ
# are left alone: Hebrew, Persian and emoji are written with them.
_DECEPTIVE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'\u201d\u2019)\]]*(?=\s)|[\u3002\uff01\uff1f]+")  # or CJK
_SHORTEST_SENTENCE: Final = 15  # "Hi there." and "Mr." alone are no titles
_READ_FOR_TITLE: Final = 20_000  # characters: a mail of 50 MB of line breaks costs no more than a letter
_WRAPPED: Final = 60  # a line this long was probably broken by a mail program and goes on in the next one

_LOCAL_CHARACTERS = frozenset("!#$%&'*+-/=?^_`{|}~.")  # atext of RFC 5322 3.2.3 without letters and digits, and the dot
_WINDOWS_FORBIDS = re.compile(r'[<>:"|?*]')
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_LONGEST_SUFFIX: Final = 16


def clean(value: str) -> str:
    """Make `value` storable in PostgreSQL: NUL is dropped, a lone surrogate becomes U+FFFD, nothing else changes.

    Two halves of a surrogate pair that arrive as two characters become the one they stand for.
    """
    value = value.replace("\0", "")
    if _SURROGATE.search(value):
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def one_line(value: str, limit: int) -> str:
    """Write `value` as one line of at most `limit` characters (≥ 1), safe to show beside other text.

    White space and control characters become single spaces, characters that reorder or hide text disappear. What is
    too long is cut between words, or inside one that is longer than half the line, and ends in "…".
    """
    if limit < 1:
        raise ValueError(f"a line of {limit} characters holds nothing")
    text = " ".join(_CONTROL.sub(" ", _DECEPTIVE.sub("", clean(value))).split())
    return text if len(text) <= limit else _cut(text, limit - 1) + "…"


def _cut(text: str, room: int) -> str:
    head, _, _ = text[: room + 1].rpartition(" ")
    if len(head) <= room // 2:  # an accent belongs to the letter before it
        while room and unicodedata.category(text[room]).startswith("M"):
            room -= 1
        head = text[:room]
    return head.rstrip(" ,;:\u200d")


def title_from(message: str, limit: int = 120) -> str:
    """Give the ticket that begins with `message` a title of 1 to `limit` characters: its first sentence or line.

    Ruling lines ("-----") are passed over; a greeting ("Hello,") or a line that was wrapped goes on with the next one.
    """
    text = one_line(" ".join(_first_lines(message[:_READ_FOR_TITLE])), max(4 * limit, 1))
    for end in _SENTENCE_END.finditer(text):
        if end.end() >= _SHORTEST_SENTENCE:
            text = text[: end.end()]
            break
    return one_line(text or NO_SUBJECT, limit)


def _first_lines(message: str) -> list[str]:
    taken: list[str] = []
    for line in message.splitlines():
        text = one_line(line, max(len(line), 1))
        if any(character.isalnum() for character in text):
            taken.append(text)
            if len(text) < _WRAPPED and not text.endswith(","):
                break
        elif taken and len(taken[-1]) >= _WRAPPED:  # the paragraph ends here
            break
    return taken


def clean_email(value: str, *, field: str = "email") -> str:
    """Return the address in `value`, stripped and in Unicode NFC, its case kept. Raises InvalidError.

    Follows RFC 5321 (local part at most 64 octets, address 254) with the dot-atom form only: no quoted local parts, no
    `[1.2.3.4]`, no display name. As in RFC 6531 letters and digits of all scripts are welcome, on both sides of the @.
    A domain of one label (`root@localhost`) is lawful. Reading the mailbox at all is not tried.
    """
    address = unicodedata.normalize("NFC", value.strip())
    if not address:
        raise InvalidError("An e-mail address is needed, like anna@example.com.", field=field)
    local, at, domain = address.rpartition("@")
    if reason := _wrong_with_address(address, at) or _wrong_with_local(local) or _wrong_with_domain(domain):
        shown = one_line(address, 80) or repr(address[:80])
        raise InvalidError(f"{shown} is not an e-mail address: {reason}. Write it like anna@example.com.", field=field)
    return address


def _wrong_with_address(address: str, at: str) -> str | None:
    if not at:
        return "it has no @"
    if _SURROGATE.search(address):
        return "it has a character that is not Unicode text"
    if len(address.encode()) > MAX_EMAIL_OCTETS:
        return f"it is longer than {MAX_EMAIL_OCTETS} octets"
    return None


def _wrong_with_local(local: str) -> str | None:
    if not local:
        return "nothing stands before the @"
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        return f"the part before the @ is longer than {MAX_LOCAL_OCTETS} octets"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "the part before the @ begins or ends with a dot, or has two in a row"
    bad = next((c for c in local if not _is_word(c) and c not in _LOCAL_CHARACTERS), None)
    return None if bad is None else f"{_named(bad)} may not stand before the @"


def _wrong_with_domain(domain: str) -> str | None:
    if not domain:
        return "nothing stands after the @"
    bad = next((c for c in domain if not _is_word(c) and c not in "-."), None)
    if bad is not None:
        return f"{_named(bad)} may not stand after the @"
    for label in domain.split("."):
        if not label or label.startswith("-") or label.endswith("-"):
            return "after the @, a part between two dots is empty or begins or ends with a hyphen"
        try:
            label.encode("idna")  # RFC 3490: also finds labels over 63 octets
        except UnicodeError:
            return f"{label[:70]} cannot be part of a domain"
    return None


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _named(character: str) -> str:
    if character == " ":
        return "a space"
    return f"“{character}”" if character.isprintable() else f"U+{ord(character):04X}"


def normalized_email(value: str) -> str:
    """Return `value` as addresses are compared: stripped, NFC, lower case.

    Letter by letter, with Unicode's simple mapping, because that is what `lower()` of PostgreSQL's C.UTF-8 does.
    """
    return "".join(character.lower()[0] for character in unicodedata.normalize("NFC", value.strip()))


def clean_file_name(name: str, limit: int = 255) -> str:
    """Make `name` safe to offer for download on every system: at most `limit` octets (≥ 32) of UTF-8, never empty.

    Only the last part of a path is kept; control and deceptive characters, and leading dots, disappear; what Windows
    forbids becomes "_", and its device names (`con.txt`) get one in front. A long name keeps its suffix.
    """
    last = clean(name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    visible = " ".join(_DECEPTIVE.sub("", _CONTROL.sub(" ", last)).split())
    plain = _WINDOWS_FORBIDS.sub("_", unicodedata.normalize("NFC", visible)).lstrip(". ").rstrip(". ")
    if _WINDOWS_DEVICE.match(plain):
        plain = f"_{plain}"
    return _shorten(plain, limit) or "file"


def _shorten(name: str, limit: int) -> str:
    if len(name.encode()) <= limit:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = limit - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + suffix


def human_bytes(size: int) -> str:
    """Write `size` in octets as people do, in powers of 1024: "512 B", "1.5 kB", "25 MB"."""
    if size < 1024:  # noqa: PLR2004 - one kB
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1024
        if round(value, 1) < 1024 or unit == "TB":  # noqa: PLR2004 - bytes in a kB
            break
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def human_duration(duration: timedelta) -> str:
    """Write the two largest units of `duration`: "3 d 4 h", "2 h 5 min", "45 s", "0 s"; "-" before a negative one."""
    rest = round(abs(duration.total_seconds()))
    parts: list[str] = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
        if len(parts) == 2:  # noqa: PLR2004 - two units are enough
            break
    sign = "-" if duration < timedelta(0) and parts else ""
    return sign + (" ".join(parts) or "0 s")
