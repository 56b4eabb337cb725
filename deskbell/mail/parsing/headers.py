"""Header fields, read leniently: encoded words, addresses, message ids, dates. Nothing here raises.

`email.policy.default` is not used for these: it decodes each encoded word by itself, which garbles a character that was
split over two of them (as common programs do), and it recurses on nested comments.
"""

import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final, TypeAlias, TypeVar

from deskbell.kernel.text import clean, normalized_email, one_line
from deskbell.mail.parsing.charsets import decode, decode_base64
from deskbell.mail.parsing.model import Address

Headers: TypeAlias = "Message[str, str]"
"""The header fields of a message or of one of its parts, their values already text."""

_MAX_ADDRESS_FIELD: Final = 100_000  # characters, of all fields of one name together
_MAX_RECIPIENTS: Final = 1_000
_MAX_ADDRESS: Final = 320  # RFC 3696: 64 characters, "@", 255 characters
_MAX_NAME: Final = 255
_MAX_ID: Final = 998  # RFC 5322 2.1.1: the longest line
_MAX_REFERENCES: Final = 200
_RECIPIENT_FIELDS: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc", "Resent-To")
_YEARS: Final = range(1971, 2100)

_ENCODED_WORD: Final = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
_ANGLE_ID: Final = re.compile(r"<([^<>]+)>")
_BARE_ADDRESS: Final = re.compile(r"[^\s<>()\[\]\",;:\\@]{1,64}@[^\s<>()\[\]\",;:\\@]{1,255}")
_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+")
_SPACE: Final = re.compile(r"\s+")

T = TypeVar("T")


def tolerant(read: Callable[[], T], otherwise: T) -> T:
    """Return what `read` returns, or `otherwise`: the standard library raises what it likes on hostile headers."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - whatever the parser raises
        return otherwise


def field(headers: Headers, name: str) -> str:
    """Return the first field called `name`, undecoded; empty where there is none."""
    return str(headers.get(name, ""))


def decoded(value: str) -> str:
    """Return `value` with its encoded words (RFC 2047) decoded, white space folded to single spaces."""
    return clean(_SPACE.sub(" ", "".join(_words(value))).strip())


def _words(value: str) -> Iterator[str]:
    """Join neighbouring words of one character set before decoding: many programs split characters between them."""
    position, raw, charset = 0, b"", ""
    for word in _ENCODED_WORD.finditer(value):
        between = value[position : word.start()]
        word_charset = word[1].partition("*")[0].lower()  # RFC 2231 adds a language: utf-8*de
        if raw and (between.strip() or word_charset != charset):
            yield decode(raw, charset)[0]
            raw = b""
        if between.strip() or not position:
            yield between
        raw += _word_bytes(word[2], word[3])
        charset, position = word_charset, word.end()
    if raw:
        yield decode(raw, charset)[0]
    yield value[position:]


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return decode_base64(raw)[0] if encoding in "bB" else binascii.a2b_qp(raw, header=True)


def addresses(headers: Headers, name: str) -> tuple[Address, ...]:
    """Return the addresses of all fields called `name`, in order; what holds none is left out, at most 1000."""
    return addresses_in(", ".join(map(str, headers.get_all(name, []))))


def addresses_in(value: str) -> tuple[Address, ...]:
    """Return the addresses in the value of a field, in order; what holds none is left out, at most 1000."""
    value = value[:_MAX_ADDRESS_FIELD]
    pairs: list[tuple[str, str]] = tolerant(lambda: getaddresses([value]), []) if value else []
    found = list(_readable(pairs)) or [Address("", match[0]) for match in _BARE_ADDRESS.finditer(value)]
    return tuple(found[:_MAX_RECIPIENTS])


def _readable(pairs: Iterable[tuple[str, str]]) -> Iterator[Address]:
    for name, email in pairs:
        address = clean(decoded(email) if "=?" in email else email).strip()
        if _ADDRESS.fullmatch(address) and len(address) <= _MAX_ADDRESS:
            yield Address(one_line(decoded(name), _MAX_NAME), address)


def recipients_seen(headers: Headers) -> tuple[str, ...]:
    """Return the addresses of all fields that tell for whom this came here, as written, each once, at most 1000."""
    found = (each.email for name in _RECIPIENT_FIELDS for each in addresses(headers, name))
    seen: dict[str, str] = {}
    for email in found:
        seen.setdefault(normalized_email(email), email)
    return tuple(seen.values())[:_MAX_RECIPIENTS]


def message_ids(value: str) -> tuple[str, ...]:
    """Return the message ids in `value` without angle brackets, in order, each once, the last 200 of them.

    Where none has brackets (RFC 5322 3.6.4 asks for them, some programs forget them), words with an @ are taken.
    """
    bracketed = [_SPACE.sub("", match[1]) for match in _ANGLE_ID.finditer(value)]
    found = bracketed or [word for word in re.split(r"[\s,<>]+", value) if "@" in word]
    return tuple(dict.fromkeys(clean(each)[:_MAX_ID] for each in found if each))[-_MAX_REFERENCES:]


def message_id(value: str) -> str | None:
    """Return the first message id in `value`; one that is malformed serves as it is, for it only has to be equal."""
    return next(iter(message_ids(value)), None) or clean(_SPACE.sub("", value)).strip("<>")[:_MAX_ID] or None


def date(value: str) -> datetime | None:
    """Return the aware time in `value` (RFC 5322 3.3); None for nonsense, and for years before 1971 or from 2100."""
    moment = tolerant(lambda: parsedate_to_datetime(value[:200]), None)
    if moment is None or moment.year not in _YEARS:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # "-0000": the zone is unknown
