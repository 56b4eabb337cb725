"""A message taken apart into its leaves (RFC 2046), without recursion and with bounds on depth and number.

The standard library's parser nests one generator for each level, so a message nested a thousand deep ends it with
RecursionError, and it reads line by line. Here its parser reads each part's headers; finding the parts is a byte search.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from typing import Final

from deskbell.mail.parsing.headers import Headers, tolerant

MAX_DEPTH: Final = 20
MAX_PARTS: Final = 1_000
_MAX_HEADER: Final = 2_000_000  # bytes of all header fields of one part
_MAX_CONTENT_FIELD: Final = 4_000  # characters: the library reads parameters in quadratic time

_FIELD_LINE: Final = re.compile(rb"(?:[^\x00-\x20\x7f:\r\n]+[ \t]*:|[ \t]|>?From )[^\r\n]*(?:\r\n|\n|\r|\Z)")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BOUNDARY_END: Final = re.compile(rb"(--)?[ \t]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf: its headers and its body as it was transferred.

    Parts that are versions of the same content (multipart/alternative) have the same `choice`. A `nested` one is a
    whole message that was not taken apart: its `body` is that message with its headers.
    """

    headers: Headers
    body: bytes
    choice: int
    nested: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is still to be taken apart: raw bytes with headers."""

    raw: bytes
    depth: int
    choice: int | None


def split_header(raw: bytes) -> tuple[Headers, bytes]:
    """Return the header fields that `raw` begins with, and the rest. The first line that is no field begins the body."""
    position = 0
    while line := _FIELD_LINE.match(raw, position):
        position = line.end()
        if position >= min(len(raw), _MAX_HEADER):
            break
    blank = _LINE_END.match(raw, position)
    return _read_fields(raw[:position]), raw[blank.end() if blank else position :]


def _read_fields(raw: bytes) -> Headers:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    headers = tolerant(lambda: HeaderParser(policy=compat32).parsestr(text), Message())
    for name in ("Content-Type", "Content-Disposition"):
        if len(value := str(headers.get(name, ""))) > _MAX_CONTENT_FIELD:
            headers.replace_header(name, value[:_MAX_CONTENT_FIELD])
    return headers


class Walk:
    """The leaves of a message in order; `headers` are the message's own, `defects` is complete after the walk."""

    def __init__(self, raw: bytes) -> None:
        self.headers, _ = split_header(raw.lstrip(b"\r\n"))
        self.defects: list[str] = []
        self._stack = [_Piece(raw.lstrip(b"\r\n"), 0, None)]
        self._choices = 0

    def __iter__(self) -> Iterator[Part]:
        """Yield at most `MAX_PARTS` leaves."""
        yielded = 0
        while self._stack:
            if yielded == MAX_PARTS:
                self.defects.append(f"the message has more than {MAX_PARTS} parts; the others are only in the raw message")
                return
            part = self._take_apart(self._stack.pop())
            if part is not None:
                yielded += 1
                yield part

    def _take_apart(self, piece: _Piece) -> Part | None:
        headers, body = split_header(piece.raw)
        if not content_type(headers).startswith("multipart/"):
            return self._leaf(headers, body, piece)
        if piece.depth == MAX_DEPTH:
            self.defects.append(f"parts are nested deeper than {MAX_DEPTH}; what lies deeper was kept as an attachment")
            return Part(headers, piece.raw, self._new_choice(), nested=True)
        parts = self._split(headers, body)
        if not parts:
            self.defects.append("a multipart has no parts; it was read as text")
            return self._leaf(Message(), body, piece)
        self._push(headers, parts, piece)
        return None

    def _push(self, headers: Headers, parts: list[bytes], piece: _Piece) -> None:
        choice = piece.choice
        if choice is None and content_type(headers) == "multipart/alternative":
            choice = self._new_choice()
        self._stack += [_Piece(each, piece.depth + 1, choice) for each in reversed(parts)]

    def _leaf(self, headers: Headers, body: bytes, piece: _Piece) -> Part:
        return Part(headers, body, self._new_choice() if piece.choice is None else piece.choice)

    def _new_choice(self) -> int:
        self._choices += 1
        return self._choices

    def _split(self, headers: Headers, body: bytes) -> list[bytes]:
        boundary = tolerant(headers.get_boundary, None)
        if not boundary:
            return []
        room = MAX_PARTS + 1 - len(self._stack)
        parts, closed = split_multipart(body, boundary.encode("utf-8", "surrogateescape"), max(room, 1))
        if parts and not closed:
            self.defects.append("the end of a multipart is missing; the message may be cut short")
        return parts


def content_type(headers: Headers) -> str:
    """Return the media type in lower case; text/plain where none or none that makes sense is declared."""
    return tolerant(headers.get_content_type, "text/plain")


def split_multipart(body: bytes, boundary: bytes, most: int) -> tuple[list[bytes], bool]:
    """Return the first `most` parts between the boundary lines, and whether no end is missing (RFC 2046 5.1.1)."""
    parts: list[bytes] = []
    start: int | None = None
    for begin, end, closing in _boundaries(body, b"--" + boundary):
        if start is not None:
            parts.append(_without_line_end(body, start, begin))
        if closing or len(parts) >= most:
            return parts, True
        start = end
    if start is not None:
        parts.append(body[start:])
    return parts, False


def _boundaries(body: bytes, marker: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield where each boundary line begins, where it ends, and whether it is the closing one."""
    position = body.find(marker)
    while position >= 0:
        end = _BOUNDARY_END.match(body, position + len(marker))
        if end and (position == 0 or body[position - 1] in b"\r\n"):
            yield position, end.end(), end[1] is not None
        position = body.find(marker, position + len(marker))


def _without_line_end(body: bytes, start: int, end: int) -> bytes:
    """The line end before a boundary belongs to the boundary."""
    for line_end in (b"\r\n", b"\n", b"\r"):
        if body.endswith(line_end, start, end):
            return body[start : end - len(line_end)]
    return body[start:end]
