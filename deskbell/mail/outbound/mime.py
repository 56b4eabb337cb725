"""From a message of the outbox to the bytes that a server takes (RFC 5322, RFC 2045-2049), in pieces.

All of it is ASCII, in lines that no server need break: what is signed arrives as it was signed (RFC 6376, 5.3).
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from typing import Final

from deskbell.kernel.storage import Storage

UNWRITABLE: Final = (MessageError, ValueError, IndexError)
"""What the standard library raises for what cannot stand in a header."""
_FILE_BYTES: Final = 57 * 1024
"""Read at a time: a multiple of the 57 bytes that one line of base64 holds."""
_MOSTLY_ASCII: Final = 5


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes along. With a `content_id` the letter shows it (RFC 2392)."""

    storage_key: str
    name: str
    media_type: str
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it is to be written. `headers` are in their order; twice the same makes twice the same bytes.

    `is_international` says that an address needs UTF-8 in the header (RFC 6532).
    """

    headers: Mapping[str, str | Address | tuple[Address, ...]]
    text: str = field(repr=False)
    html: str = field(repr=False)
    files: tuple[File, ...] = ()
    is_international: bool = False


def mailbox_header(text: str) -> Address:
    """Read `Help <help@example.org>` for a header."""
    name, address = parseaddr(text)
    return Address(name, addr_spec=address)


def date_header(moment: datetime) -> str:
    """Write a time as RFC 5322 wants it."""
    return format_datetime(moment)


def written(mail: Mail, storage: Storage) -> tuple[bytes, Iterator[bytes]]:
    """Return the header of a message, up to the empty line, and its body in pieces, read as they are asked for.

    No value can begin another header: `email.policy` raises ValueError. Raises as `Storage.open` does.
    """
    top = EmailMessage(SMTPUTF8 if mail.is_international else SMTP)
    for name, value in mail.headers.items():
        top[name] = value
    top["MIME-Version"] = "1.0"
    content, body = _Structure(mail, storage).whole()
    return top.as_bytes().rstrip(b"\r\n") + b"\r\n" + content, body


_Part = tuple[bytes, Iterator[bytes]]
"""Header, up to the empty line, and content."""


@dataclass(frozen=True, slots=True)
class _Structure:
    """mixed (alternative (text, related (html, pictures)), files), without what holds one part alone."""

    mail: Mail
    storage: Storage

    def whole(self) -> _Part:
        shown = [file for file in self.mail.files if file.content_id]
        others = [file for file in self.mail.files if not file.content_id]
        html = self._joined("related", [_words(self.mail.html, "html"), *map(self._file, shown)])
        both = self._joined("alternative", [_words(self.mail.text, "plain"), html])
        return self._joined("mixed", [both, *map(self._file, others)])

    def _joined(self, subtype: str, parts: list[_Part]) -> _Part:
        if len(parts) == 1:
            return parts[0]
        seed = f"{subtype} {self.mail.headers['Message-ID']}".encode()
        boundary = hashlib.sha256(seed).hexdigest()[:40].encode()
        return b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (subtype.encode(), boundary), _between(
            boundary, parts
        )

    def _file(self, file: File) -> _Part:
        about = EmailMessage(SMTP)
        about["Content-Type"] = _media_type(file.media_type)
        about.set_param("name", file.name)
        about.add_header("Content-Disposition", "inline" if file.content_id else "attachment", filename=file.name)
        about["Content-Transfer-Encoding"] = "base64"
        if file.content_id:
            about["Content-ID"] = f"<{file.content_id}>"
        return about.as_bytes(), self._read(file)

    def _read(self, file: File) -> Iterator[bytes]:
        with closing(self.storage.open(file.storage_key)) as content:
            while piece := content.read(_FILE_BYTES):
                yield base64.encodebytes(piece).replace(b"\n", b"\r\n")


def _between(boundary: bytes, parts: list[_Part]) -> Iterator[bytes]:
    for header, content in parts:
        yield b"--" + boundary + b"\r\n" + header
        yield from content
        yield b"\r\n"
    yield b"--" + boundary + b"--\r\n"


def _words(words: str, subtype: str) -> _Part:
    """Choose the encoding that is shorter; never 8bit, which a relay may change."""
    part = EmailMessage(SMTP)
    others = sum(not character.isascii() for character in words)
    part.set_content(
        words, subtype=subtype, cte="base64" if others * _MOSTLY_ASCII > len(words) else "quoted-printable"
    )
    del part["MIME-Version"]
    header, end, body = part.as_bytes().partition(b"\r\n\r\n")
    return header + end, iter([body])


def _media_type(media_type: str) -> str:
    """A message within a message may not be encoded (RFC 2046, 5.2.1), and a multipart has no bytes of its own."""
    is_plain = "/" in media_type and not media_type.startswith(("message/", "multipart/"))
    return media_type if is_plain else "application/octet-stream"
