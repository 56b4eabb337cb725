"""The words of Rich Text, in linear time; where it carries HTML (MS-OXRTFEX) the tags are passed over."""

import re
from typing import Final

_TOKEN: Final = re.compile(
    rb"\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\(?P<sign>[^a-zA-Z])"
    rb"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n\\]"
)
_BREAKS: Final = {b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n\n", b"page": "\n\n"}
_SIGNS: Final = {
    b"tab": "\t", b"cell": "\t", b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“",
    b"rdblquote": "”", b"bullet": "•",
}  # fmt: skip
_NOT_READ: Final = {
    b"fonttbl",
    b"colortbl",
    b"stylesheet",
    b"info",
    b"pict",
    b"header",
    b"footer",
    b"object",
    b"mhtmltag",
}
_MAX_RTF: Final = 4_000_000  # bytes
_MAX_DEPTH: Final = 1_000


def rtf_to_text(raw: bytes) -> str:
    """Return what can be read in it; of more than four million bytes, what can be read in those."""
    page = _Page()
    for token in _TOKEN.finditer(raw, 0, _MAX_RTF):
        page.take(token)
    return page.text()


class _Page:
    def __init__(self) -> None:
        self._written: list[str] = []
        self._bytes = bytearray()  # letters of the code page, read together
        self._codec = "cp1252"
        self._hidden = False
        self._to_skip = 0  # letters that stand in for a character this program knows
        self._stand_ins = 1
        self._outer: list[tuple[bool, int]] = []

    def text(self) -> str:
        self._flush()
        return "".join(self._written).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()

    def take(self, token: re.Match[bytes]) -> None:
        if token["brace"]:
            self._brace(token["brace"])
        elif token["word"]:
            self._word(token["word"], token["number"])
        elif token["sign"]:
            self._sign(token["sign"])
        elif token["hex"]:
            self._letters(bytes.fromhex(token["hex"].decode()))
        elif token["text"]:
            self._letters(token["text"])

    def _brace(self, brace: bytes) -> None:
        self._to_skip = 0
        if brace == b"{" and len(self._outer) < _MAX_DEPTH:
            self._outer.append((self._hidden, self._stand_ins))
        elif brace == b"}" and self._outer:
            self._hidden, self._stand_ins = self._outer.pop()

    def _word(self, word: bytes, number: bytes | None) -> None:
        self._to_skip = 0
        value = int(number or b"1")
        if word == b"ansicpg":
            self._codec = f"cp{value}"
        elif word == b"uc":
            self._stand_ins = min(max(value, 0), 8)
        elif word == b"htmlrtf":  # what HTML programs are to leave out
            self._hidden = value != 0
        elif word in _NOT_READ:
            self._hidden = True
        elif word == b"u" and number:
            self._write(chr(value % 0x10000))
            self._to_skip = self._stand_ins
        elif sign := _BREAKS.get(word) or _SIGNS.get(word):
            self._write(sign)

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._hidden = True
        elif sign in b"\\{}":
            self._letters(sign)
        elif sign == b"~":
            self._write(" ")

    def _letters(self, letters: bytes) -> None:
        skipped = min(self._to_skip, len(letters))
        self._to_skip -= skipped
        if not self._hidden:
            self._bytes += letters[skipped:]

    def _write(self, text: str) -> None:
        if not self._hidden:
            self._flush()
            self._written.append(text)

    def _flush(self) -> None:
        try:
            self._written.append(self._bytes.decode(self._codec, "replace"))
        except LookupError:
            self._written.append(self._bytes.decode("cp1252", "replace"))
        self._bytes.clear()
