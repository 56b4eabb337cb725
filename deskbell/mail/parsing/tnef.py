"""What Outlook packs into winmail.dat (MS-OXTNEF): the message's text and its files.

tnefparse, the library there is for it, strips zero bytes off the end of files and counts to four billion where a
message says so; here every step is one forward within the bytes there are.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from compressed_rtf import decompress  # type: ignore[import-untyped]

from deskbell.mail.parsing.charsets import decode
from deskbell.mail.parsing.headers import message_id, tolerant
from deskbell.mail.parsing.rtf import rtf_to_text

_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_MOST_FILES: Final = 1_000
_MAX_DEPTH: Final = 3  # of messages within messages
_MAX_STEPS: Final = 100_000  # attributes, properties and values of one file
_MAX_RTF: Final = 200_000  # bytes, compressed; the library is slow

# Numbers of attributes, as 2.1.3.2 gives them
_TITLE, _DATA, _BODY = 0x8010, 0x800F, 0x800C
_RENDERING, _CODE_PAGE, _MESSAGE_PROPERTIES, _FILE_PROPERTIES = 0x9002, 0x9007, 0x9003, 0x9005
# and of properties, as MS-OXPROPS does
_P_BODY, _P_HTML, _P_RTF, _P_INTERNET_CODE_PAGE = 0x1000, 0x1013, 0x1009, 0x3FDE
_P_LONG_NAME, _P_NAME, _P_DISPLAY_NAME = 0x3707, 0x3704, 0x3001
_P_FILE, _P_MEDIA_TYPE, _P_CONTENT_ID = 0x3701, 0x370E, 0x3712

_FIXED: Final = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE: Final = {0x0D, 0x1E, 0x1F, 0x102}
_SEVERAL: Final = 0x1000
_NAMED: Final = 0x8000
_OBJECT, _UNICODE = 0x0D, 0x1F
_INTERFACE: Final = 16  # bytes that say what an object is
_CODE_PAGES: Final = {
    20127: "ascii",
    20866: "koi8-r",
    21866: "koi8-u",
    28591: "latin-1",
    28605: "latin-9",
    65001: "utf-8",
}

_View: TypeAlias = memoryview


class _BrokenError(Exception):
    """The bytes end before what they announce."""


@dataclass(slots=True)
class PackedFile:
    """A file in it. `name` as written; `media_type` and `content_id` where they are told.

    Of one that `is_message`, a message within the message, `content` is what can be read in it.
    """

    name: str = ""
    content: bytes = b""
    media_type: str = ""
    content_id: str | None = None
    is_message: bool = False


@dataclass(slots=True)
class Packed:
    """What was read; `html` is bytes in whatever character set it declares, `whole` whether all of it was."""

    plain: str = ""
    html: bytes = b""
    files: list[PackedFile] = field(default_factory=list)
    whole: bool = True


def read(content: bytes) -> Packed:
    """Read as much as there is to read. Never raises, and stops at what is built to take long."""
    return _read(content, 0, _Steps())


class _Steps:
    """Counts what is looked at."""

    def __init__(self) -> None:
        self._left = _MAX_STEPS
        self._texts = 0

    def first_text(self) -> bool:
        """Whether no rich text was taken apart yet."""
        self._texts += 1
        return self._texts == 1

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _BrokenError


def _read(content: bytes, depth: int, steps: _Steps) -> Packed:
    packed = Packed()
    reader = _Reader(packed, depth, steps)
    try:
        for name, data in _attributes(memoryview(content), steps):
            reader.attribute(name, data)
    except (_BrokenError, struct.error):
        packed.whole = False
    packed.files = [each for each in packed.files if each.content or each.name]
    return packed


def _attributes(view: _View, steps: _Steps) -> Iterator[tuple[int, _View]]:
    if bytes(view[:4]) != _SIGNATURE:
        raise _BrokenError
    position = 6
    while position < len(view):
        steps.take()
        name, _, length = struct.unpack_from("<HHI", view, position + 1)
        yield name, _slice(view, position + 9, length)
        position += 9 + length + 2  # a checksum, which programs get wrong


def _slice(view: _View, position: int, length: int) -> _View:
    if position + length > len(view):
        raise _BrokenError
    return view[position : position + length]


@dataclass(slots=True)
class _Reader:
    packed: Packed
    depth: int
    steps: _Steps
    code_page: str = "cp1252"

    def attribute(self, name: int, data: _View) -> None:
        if name == _CODE_PAGE and len(data) >= 4:  # noqa: PLR2004 - one number
            self.code_page = _codec(struct.unpack_from("<I", data)[0])
        elif name == _BODY:
            self.packed.plain = self.packed.plain or self._text(data)
        elif name == _MESSAGE_PROPERTIES:
            self._message(data)
        elif name == _RENDERING:
            if len(self.packed.files) == _MOST_FILES:
                raise _BrokenError
            self.packed.files.append(PackedFile())
        elif self.packed.files:
            self._file(name, data)

    def _file(self, name: int, data: _View) -> None:
        file = self.packed.files[-1]
        if name == _TITLE:
            file.name = file.name or self._text(data)
        elif name == _DATA:
            file.content = bytes(data)
        elif name == _FILE_PROPERTIES:
            self._file_properties(data, file)

    def _file_properties(self, data: _View, file: PackedFile) -> None:
        names: dict[int, str] = {}
        for identifier, kind, value in _properties(data, self.steps):
            if identifier in {_P_LONG_NAME, _P_NAME, _P_DISPLAY_NAME}:
                names[identifier] = self._text(value, kind)
            elif identifier == _P_MEDIA_TYPE:
                file.media_type = self._text(value, kind).lower()
            elif identifier == _P_CONTENT_ID:
                file.content_id = message_id(self._text(value, kind))
            elif identifier == _P_FILE:
                self._object(value, kind, file)
        file.name = names.get(_P_LONG_NAME) or file.name or names.get(_P_NAME) or names.get(_P_DISPLAY_NAME, "")
        file.name = f"{file.name or 'message'}.txt" if file.is_message else file.name

    def _object(self, value: _View, kind: int, file: PackedFile) -> None:
        content = bytes(value[_INTERFACE:] if kind == _OBJECT else value)
        if content[:4] == _SIGNATURE and self.depth < _MAX_DEPTH:
            inside = _read(content, self.depth + 1, self.steps)
            self.packed.files += inside.files[: _MOST_FILES - len(self.packed.files)]
            self.packed.whole = self.packed.whole and inside.whole
            file.is_message, file.media_type, content = True, "text/plain", inside.plain.encode()
        file.content = content

    def _message(self, data: _View) -> None:
        rtf, code_page = b"", self.code_page
        for identifier, kind, value in _properties(data, self.steps):
            if identifier == _P_BODY:
                self.packed.plain = self._text(value, kind)
            elif identifier == _P_HTML:
                self.packed.html = self._text(value, kind).encode() if kind == _UNICODE else bytes(value).rstrip(b"\0")
            elif identifier == _P_RTF:
                rtf = bytes(value)
            elif identifier == _P_INTERNET_CODE_PAGE and len(value) >= 4:  # noqa: PLR2004 - one number
                code_page = _codec(struct.unpack_from("<I", value)[0])
        if self.packed.html:
            self.packed.html = decode(self.packed.html, code_page)[0].encode()
        elif rtf and not self.packed.plain:
            self._rich_text(rtf)

    def _rich_text(self, compressed: bytes) -> None:
        if len(compressed) > _MAX_RTF or not self.steps.first_text():
            self.packed.whole = False
            return
        raw: bytes = tolerant(lambda: decompress(compressed), b"")
        self.packed.plain = rtf_to_text(raw)
        self.packed.whole = self.packed.whole and bool(raw)

    def _text(self, value: _View, kind: int = 0) -> str:
        codec = "utf-16-le" if kind == _UNICODE else self.code_page
        return decode(bytes(value), codec)[0].rstrip("\0").strip("\0")


def _codec(code_page: int) -> str:
    return _CODE_PAGES.get(code_page, f"cp{code_page}")


def _properties(view: _View, steps: _Steps) -> Iterator[tuple[int, int, _View]]:
    """Yield number, type and (the first) value of each property (2.1.3.4)."""
    (count,) = struct.unpack_from("<I", view)
    position = 4
    while count and position < len(view):
        count -= 1
        steps.take()
        kind, identifier = struct.unpack_from("<HH", view, position)
        position += 4
        if identifier >= _NAMED:
            position = _after_name(view, position)
        value, position = _value(view, position, kind, steps)
        yield identifier, kind & ~_SEVERAL, value


def _after_name(view: _View, position: int) -> int:
    (is_text,) = struct.unpack_from("<I", view, position + 16)
    if not is_text:
        return position + 24
    (length,) = struct.unpack_from("<I", view, position + 20)
    return position + 24 + _padded(length)


def _value(view: _View, position: int, kind: int, steps: _Steps) -> tuple[_View, int]:
    """Return the first of the values at `position`, and where the last one ends."""
    several, kind = bool(kind & _SEVERAL), kind & ~_SEVERAL
    if size := _FIXED.get(kind):
        count = struct.unpack_from("<I", view, position)[0] if several else 1
        size = 2 if several and kind in {0x02, 0x0B} else size
        begin = position + 4 * several
        return _slice(view, begin, _padded(count * size))[:size], begin + _padded(count * size)
    if kind not in _VARIABLE:
        raise _BrokenError
    (count,) = struct.unpack_from("<I", view, position)
    position += 4
    first = view[:0]
    for number in range(count):
        steps.take()
        (length,) = struct.unpack_from("<I", view, position)
        value = _slice(view, position + 4, length)
        first = first if number else value
        position += 4 + _padded(length)
    return first, position


def _padded(length: int) -> int:
    return -(-length // 4) * 4
