"""Where the bytes of attachments lie, behind an interface that a bucket fits too, and what media type they have.

What belongs to whom, and whether anybody still needs it, is written in the database. A key is all that is known here.
"""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import puremagic

from deskbell.kernel.errors import InvalidError, NotFoundError, TooLargeError, UnavailableError
from deskbell.kernel.text import human_bytes

_CHUNK: Final = 256 * 1024
_HEAD: Final = 4096
_KEY = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}")
_INCOMING: Final = "incoming"

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


class Storage(Protocol):
    """Keeps streams of bytes. Every method may block, and raises UnavailableError when the storage does not work."""

    def put(self, stream: Iterable[bytes] | BinaryIO, *, max_bytes: int) -> StoredBlob:
        """Keep all of `stream`; when this returns it survives a power failure. TooLargeError beyond `max_bytes`."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open what lies under `key`; the caller closes it. NotFoundError when it is not there."""
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


class LocalStorage:
    """A folder: each content once, as `ab/cd/<sha256>`, readable to the owner alone.

    A file gets its name only when all of it is on the disk, so that a crash leaves nothing but files in `incoming/`.
    """

    def __init__(self, root: Path) -> None:
        """`root` is made when something is first put there."""
        self._root = root

    def put(self, stream: Iterable[bytes] | BinaryIO, *, max_bytes: int) -> StoredBlob:
        """Keep all of `stream`, reading it in pieces. See `Storage.put`."""
        incoming = self._root / _INCOMING
        with _clear_errors():
            incoming.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=incoming)
        try:
            with _closing(os.fdopen(descriptor, "wb")) as file:
                blob = _copy(stream, file, max_bytes)
            with _clear_errors():
                self._name(Path(name), blob.key)
        finally:
            Path(name).unlink(missing_ok=True)
        return blob

    def _name(self, written: Path, key: str) -> None:
        """Rename even over an equal file: that mends one that the disk has damaged, and costs nothing."""
        target = self._root / key
        fresh = not target.parent.exists()
        target.parent.mkdir(parents=True, exist_ok=True)
        written.replace(target)
        for folder in (target.parent, target.parent.parent, self._root) if fresh else (target.parent,):
            _sync_folder(folder)

    def open(self, key: str) -> BinaryIO:
        """Open the file under `key`. See `Storage.open`."""
        path = self._path(key)
        with _clear_errors():
            try:
                return path.open("rb")
            except FileNotFoundError:
                raise NotFoundError(
                    "The content of this attachment is no longer in the storage. Restore it from a backup.", key=key
                ) from None

    def exists(self, key: str) -> bool:
        """Tell whether there is a file under `key`."""
        path = self._path(key)
        with _clear_errors():
            return path.is_file()

    def delete(self, key: str) -> None:
        """Remove the file under `key`, if it is there. See `Storage.delete`."""
        path = self._path(key)
        with _clear_errors():
            path.unlink(missing_ok=True)

    def sweep(self, older_than: datetime) -> int:
        """Remove what crashes left behind and nobody has written to since `older_than`; return how many files."""
        removed = 0
        with _clear_errors():
            for path in (self._root / _INCOMING).glob("*"):
                try:
                    if path.stat().st_mtime < older_than.timestamp():
                        path.unlink()
                        removed += 1
                except FileNotFoundError:  # it was finished, or another sweep was faster
                    continue
        return removed

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise InvalidError("This is not the key of an attachment.", field="key")
        return self._root / key


def _copy(stream: Iterable[bytes] | BinaryIO, file: BinaryIO, max_bytes: int) -> StoredBlob:
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in _chunks(stream):
        size += len(chunk)
        if size > max_bytes:
            raise TooLargeError(
                f"The attachment is larger than {human_bytes(max_bytes)}. Send a smaller file, or a link to it.",
                field="file",
                max_bytes=max_bytes,
            )
        digest.update(chunk)
        if len(head) < _HEAD:
            head += chunk[: _HEAD - len(head)]
        with _clear_errors():
            file.write(chunk)
    with _clear_errors():
        file.flush()
        os.fsync(file.fileno())
    name = digest.hexdigest()
    return StoredBlob(f"{name[:2]}/{name[2:4]}/{name}", name, size, head)


@contextmanager
def _closing(file: BinaryIO) -> Iterator[BinaryIO]:
    try:
        yield file
    finally:
        with suppress(OSError):  # after a full disk, closing would only complain once more; what counts was synced
            file.close()


def _chunks(stream: Iterable[bytes] | BinaryIO) -> Iterator[bytes]:
    read = getattr(stream, "read", None)  # a file iterates by lines, and a line may be as long as the file
    return iter(stream) if read is None else iter(lambda: read(_CHUNK), b"")


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power failure. See fsync(2)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Say what is wrong with the disk without telling a stranger where it is mounted."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            what = "The disk for attachments is full, nothing was kept. Free some space on the server and try again."
        else:
            what = f"The storage for attachments does not work ({error.strerror or error}): have its folder checked."
        raise UnavailableError(what) from error


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
