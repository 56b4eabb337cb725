"""What stays the same of a message, whatever way it took: a digest of what its sender wrote. Pure."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

_SENDERS_OWN: Final = (b"message-id", b"from", b"date", b"subject", b"to")
"""What servers on the way leave alone. They add others, at the top or anywhere: Received, Delivered-To, DKIM, …"""
_MOST_HEADERS: Final = 1_000_000  # bytes looked at
_CHUNK: Final = 1_048_576  # bytes: a copy of 50 MB costs no second 50 MB
_BLANK_LINE: Final = re.compile(rb"(?:\A|\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")
_FIELD: Final = re.compile(rb"^([!-9;-~]+)[ \t]*:((?:.*)(?:\n[ \t].*)*)", re.MULTILINE)
_SPACES: Final = re.compile(rb"\s+")


def fingerprint(raw: bytes) -> str:
    """Return SHA-256, in hexadecimal, of the sender's own header fields and the body; never raises.

    Kinds of line ends, blank lines at the end, how fields are folded and in which order they come make no difference.
    """
    head = raw[:_MOST_HEADERS]
    end = _BLANK_LINE.search(head)
    digest = hashlib.sha256()
    for name, values in _fields(head[: end.start()] if end else head).items():
        digest.update(name + b":" + b"\0".join(values) + b"\n")
    for part in _lines(raw, end.end() if end else len(head)):
        digest.update(part)
    return digest.hexdigest()


def _fields(head: bytes) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {name: [] for name in _SENDERS_OWN}
    for field in _FIELD.finditer(_unix(head)):
        if (name := field[1].lower()) in found:
            found[name].append(_SPACES.sub(b" ", field[2]).strip())
    return found


def _lines(raw: bytes, start: int) -> Iterator[bytes]:
    """Yield the body with unix line ends, without the blank lines at its end."""
    yield b"\n"
    blank = 0
    for position in _cuts(raw, start):
        text = _unix(raw[slice(*position)])
        told = text.rstrip(b"\n")
        if told:
            yield b"\n" * blank + told
            blank = 0
        blank += len(text) - len(told)


def _cuts(raw: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Yield pieces of the body that do not end between the two bytes of a line end."""
    while start < len(raw):
        end = start + _CHUNK
        if raw[end - 1 : end + 1] == b"\r\n":
            end += 1
        yield start, end
        start = end


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
