"""A message taken apart into its leaves (RFC 2046), without recursion and with bounds on depth and number.

The standard library's parser nests one generator for each level, so a message nested a thousand deep ends it with
RecursionError, and it reads line by line. Here it reads each part's headers; finding the parts is a byte search.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from itertools import islice
from typing import Final

from deskbell.mail.parsing.charsets import decode
from deskbell.mail.parsing.headers import Headers, tolerant

MAX_DEPTH: Final = 20
MAX_PARTS: Final = 1_000
_MAX_HEADER: Final = 2_000_000  # bytes of all header fields of one part
_MAX_HEADERS: Final = 4_000_000  # of all parts together
_LEAST_HEADER: Final = 4_000  # that are read of a part in any case
_MAX_FIELDS: Final = 1_000  # of one part; each is looked through for each that is asked for
_MAX_CONTENT_FIELD: Final = 2_500  # characters: the library reads parameters in quadratic time

_FIELDS: Final = re.compile(rb"(?:(?:[^\x00-\x20\x7f:\r\n]+[ \t]*:|[ \t]|>?From )[^\r\n]*(?:\r\n|\n|\r|\Z))*+")
_FIELD_BEGIN: Final = re.compile(rb"(?:\A|[\r\n])[^ \t\r\n]")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BLANK_LINES: Final = re.compile(rb"[\r\n]+")
_BOUNDARY_END: Final = re.compile(rb"(--)?[ \t]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf: its headers and its body as it was transferred, a view of the message's own bytes.

    Parts that are versions of the same content (multipart/alternative) have the same `choice`. A `nested` one is a
    whole message that was not taken apart: its `body` is that message with its headers.
    """

    headers: Headers
    body: memoryview
    choice: int
    nested: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is still to be taken apart: the bytes of a part, headers and body, from `start` to `end`."""

    start: int
    end: int
    depth: int = 0
    choice: int | None = None


class Walk:
    """The leaves of a message in order; `headers` are the message's own, `defects` is complete after the walk."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._view = memoryview(raw)
        self._choices = 0
        self._header_room = _MAX_HEADERS
        blank = _BLANK_LINES.match(raw)
        first = blank.end() if blank else 0
        self._stack = [_Piece(first, len(raw))]
        self.headers, _ = read_headers(raw, first, len(raw))
        self.defects: list[str] = []

    def __iter__(self) -> Iterator[Part]:
        """Yield at most `MAX_PARTS` leaves."""
        yielded = 0
        while self._stack:
            if yielded == MAX_PARTS:
                self.defects.append(f"it has more than {MAX_PARTS} parts; the others are only in the raw message")
                return
            part = self._take_apart(self._stack.pop())
            if part is not None:
                yielded += 1
                yield part

    def _take_apart(self, piece: _Piece) -> Part | None:
        most = min(_MAX_HEADER, max(self._header_room, _LEAST_HEADER))
        headers, body = read_headers(self._raw, piece.start, piece.end, most)
        self._header_room -= body - piece.start
        choice = self._new_choice() if piece.choice is None else piece.choice
        if not content_type(headers).startswith("multipart/"):
            return Part(headers, self._view[body : piece.end], choice)
        if piece.depth == MAX_DEPTH:
            self.defects.append(f"parts are nested deeper than {MAX_DEPTH}; what lies deeper was kept as an attachment")
            return Part(headers, self._view[piece.start : piece.end], choice, nested=True)
        ranges = self._split(headers, body, piece.end)
        if not ranges:
            self.defects.append("a multipart has no parts; it was read as text")
            return Part(Message(), self._view[body : piece.end], choice)
        is_choice = piece.choice is not None or content_type(headers) == "multipart/alternative"
        below = (_Piece(*each, piece.depth + 1, choice if is_choice else None) for each in reversed(ranges))
        self._stack.extend(below)
        return None

    def _new_choice(self) -> int:
        self._choices += 1
        return self._choices

    def _split(self, headers: Headers, start: int, end: int) -> list[tuple[int, int]]:
        boundary = tolerant(headers.get_boundary, None)
        if not boundary:
            return []
        marker = b"--" + boundary.encode("utf-8", "surrogateescape")
        ranges, closed = split_multipart(self._raw, marker, start, end)
        if ranges and not closed:
            self.defects.append("the end of a multipart is missing; the message may be cut short")
        return ranges


def read_headers(raw: bytes, start: int, end: int, most: int = _MAX_HEADER) -> tuple[Headers, int]:
    """Return the header fields that `raw[start:end]` begins with, and where the body begins.

    The first line that is no field begins the body, whether it is blank or not, and so does what comes after `most`
    bytes. Of more than a thousand fields the first thousand are returned.
    """
    found = _FIELDS.match(raw, start, min(end, start + most))
    position = found.end() if found else start
    blank = _LINE_END.match(raw, position, end)
    return _read_fields(raw[start:position]), blank.end() if blank else position


def _read_fields(raw: bytes) -> Headers:
    beyond = next(islice(_FIELD_BEGIN.finditer(raw), _MAX_FIELDS, None), None)
    text, _ = decode(raw[: beyond.start() + 1] if beyond else raw, None)
    headers = tolerant(lambda: HeaderParser(policy=compat32).parsestr(text), Message())
    for name in ("Content-Type", "Content-Disposition"):
        if len(value := str(headers.get(name, ""))) > _MAX_CONTENT_FIELD:
            headers.replace_header(name, value[:_MAX_CONTENT_FIELD])
    return headers


def content_type(headers: Headers) -> str:
    """Return the media type in lower case; text/plain where none or none that makes sense is declared."""
    return tolerant(headers.get_content_type, "text/plain")


def split_multipart(raw: bytes, marker: bytes, start: int, end: int) -> tuple[list[tuple[int, int]], bool]:
    """Return where the parts of `raw[start:end]` are, between the boundary lines, and whether the last one has an end.

    Follows RFC 2046 5.1.1; reads on to one part more than a message may have.
    """
    parts: list[tuple[int, int]] = []
    begun: int | None = None
    for line_start, line_end, closing in _boundaries(raw, marker, start, end):
        if begun is not None:
            parts.append((begun, _without_line_end(raw, begun, line_start)))
        if closing or len(parts) > MAX_PARTS:
            return parts, True
        begun = line_end
    if begun is not None:
        parts.append((begun, end))
    return parts, False


def _boundaries(raw: bytes, marker: bytes, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yield where each boundary line begins, where it ends, and whether it is the closing one."""
    position = raw.find(marker, start, end)
    while position >= 0:
        line = _BOUNDARY_END.match(raw, position + len(marker), end)
        if line and (position == start or raw[position - 1] in b"\r\n"):
            yield position, line.end(), line[1] is not None
        position = raw.find(marker, position + len(marker), end)


def _without_line_end(raw: bytes, start: int, end: int) -> int:
    """Return where the part really ends: the line end before a boundary belongs to the boundary."""
    for line_end in (b"\r\n", b"\n", b"\r"):
        if raw.endswith(line_end, start, end):
            return end - len(line_end)
    return end
