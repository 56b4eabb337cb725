"""Where the bytes of attachments lie, behind an interface that a bucket fits too, and what media type they have.

What belongs to whom, and whether anybody still needs it, is written in the database. A key is all that is known here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import puremagic

INLINE_SAFE: Final = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/pdf"},
)
"""Media types that a browser may show beneath our own address: with `nosniff` none of them runs a script there.

A PDF is shown by a viewer that is kept apart from the page. HTML, SVG, XML and scripts are only ever downloaded.
"""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What was kept: its key, the SHA-256 of its content (hexadecimal), its size in bytes, and how it begins."""

    key: str
    sha256: str
    size: int
    head: bytes = field(default=b"", repr=False)
    """The first 4096 bytes at most, for `sniff`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the storage: what it holds, whether it is encrypted, and when it was put there or touched last.

    `key` is empty where the file cannot say what it holds: it is damaged, or `key_name` is not at hand.
    """

    path: str
    key: str
    sealed: bool
    key_name: str
    modified: datetime


SHELVES: Final = 256
"""Into how many parts a storage is divided for going through it."""


class Storage(Protocol):
    """Keeps streams of bytes. Every method may block, and raises UnavailableError when the storage does not work."""

    @property
    def seals(self) -> bool:
        """Whether what is put here is encrypted."""
        ...

    def put(self, stream: Iterable[bytes] | BinaryIO, *, max_bytes: int) -> StoredBlob:
        """Keep all of `stream`; when this returns it survives a power failure. TooLargeError beyond `max_bytes`."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open what lies under `key`, to be read and sought in; the caller closes it. NotFoundError without it.

        Where it is encrypted no altered byte is ever read: UnavailableError comes first, here or from `read`.
        """
        ...

    def exists(self, key: str) -> bool:
        """Tell whether something lies under `key`."""
        ...

    def delete(self, key: str) -> None:
        """Remove what lies under `key`, if it is there. Equal content shares a key: ask the database first."""
        ...

    def sweep(self, older_than: datetime) -> int:
        """Remove what was begun before `older_than` and never finished; return how many pieces."""
        ...

    def shelf(self, number: int) -> Iterator[Piece]:
        """Go through one of the `SHELVES`, from 0. What is put or moved meanwhile may be missed or come twice."""
        ...

    def discard(self, piece: Piece, older_than: datetime) -> bool:
        """Remove a piece unless the same content was put again since `older_than`; return whether it went."""
        ...

    def settle(self, piece: Piece, *, sealed: bool) -> bool:
        """Encrypt a piece with the newest key, or (`sealed` false) decrypt it; return whether that was needed.

        Readers are not disturbed. One that has an older key gets the newest in front; the content is not written anew.
        Raises UnavailableError, with the piece as it was, when it is damaged or its key is not at hand.
        """
        ...

    def keys(self) -> set[str]:
        """Return the names of the keys that something here was ever encrypted with and that were not forgotten."""
        ...

    def forget_key(self, name: str) -> None:
        """Note that nothing here needs this key any more."""
        ...


# The tags by which the MIME Sniffing Standard (7.1) knows HTML, and more; found anywhere, as it costs a click only.
_HTML_TAGS: Final = "!doctype|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|img|form|meta|link"
_MAIL_FIELDS: Final = "received|return-path|delivered-to|message-id|mime-version|from|to|subject|date|x-[a-z-]+"
_READABLE: Final = (
    (re.compile(r"\A%PDF-"), "application/pdf"),
    (re.compile(rf"\A({_MAIL_FIELDS}): ?\S", re.IGNORECASE), "message/rfc822"),  # a mail may well have HTML in it
    (re.compile(r"<svg[\s>]", re.IGNORECASE), "image/svg+xml"),
    (re.compile(rf"<({_HTML_TAGS})[\s>/]", re.IGNORECASE), "text/html"),
    (re.compile(r"\A\ufeff?\s*<\?xml\s", re.IGNORECASE), "application/xml"),
)
_TEXT_BY_SUFFIX: Final = {
    **dict.fromkeys((".html", ".htm", ".xhtml", ".shtml"), "text/html"),
    **dict.fromkeys((".js", ".mjs", ".cjs"), "text/javascript"),
    **dict.fromkeys((".xml", ".xsl", ".xslt", ".rss", ".atom"), "application/xml"),
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
    ".eml": "message/rfc822",
}
_BINARY_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # MIME Sniffing Standard, 3 "binary data byte"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def sniff(head: bytes, file_name: str) -> str:
    """Return the media type of a file that begins with `head` (4096 bytes are enough).

    The content decides; the name only chooses among kinds of text, or among containers that begin alike.
    Anything that a browser could run or style as a page is called by its name, never `text/plain`.
    """
    text = _as_text(head)
    if text is None:
        return _magic(head, file_name, at_least=2) or "application/octet-stream"
    if found := next((kind for pattern, kind in _READABLE if pattern.search(text)), None):
        return found
    by_name = _TEXT_BY_SUFFIX.get(Path(file_name.lower()).suffix)
    return _magic(head, file_name, at_least=4) or by_name or "text/plain"


def _as_text(head: bytes) -> str | None:
    if head.startswith(_UTF16_MARKS):
        return head.decode("utf-16", errors="replace")
    return None if _BINARY_BYTES.search(head) else head.decode("utf-8", errors="replace")


def _magic(head: bytes, file_name: str, *, at_least: int) -> str | None:
    """Return the type whose mark, of at least that many bytes, fits best; a name alone is no match."""
    try:
        matches = puremagic.magic_string(head, file_name)
    except (puremagic.PureError, ValueError):
        return None
    return next((m.mime_type for m in matches if m.mime_type and len(m.byte_match) >= at_least), None)
