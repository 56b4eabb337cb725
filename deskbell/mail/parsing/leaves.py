"""One leaf of a message: its transfer encoding undone, its file name found, told apart as text to read or as a file."""

import binascii
import mimetypes
import re
from typing import Final

from deskbell.kernel.text import clean_file_name
from deskbell.mail.parsing import uuencoded
from deskbell.mail.parsing.charsets import decode_base64
from deskbell.mail.parsing.headers import decoded, field, message_id, tolerant
from deskbell.mail.parsing.model import ParsedAttachment
from deskbell.mail.parsing.structure import Part, content_type

MESSAGE: Final = "message/rfc822"
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
_SUFFIXES: Final = {
    MESSAGE: ".eml",
    "image/jpeg": ".jpg",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "text/calendar": ".ics",
    "text/rfc822-headers": ".txt",
}


def body_of(part: Part) -> tuple[bytes, str | None]:
    """Undo the transfer encoding (RFC 2045 6). Returns the bytes and what was wrong, or None."""
    encoding = "" if part.nested else field(part.headers, "Content-Transfer-Encoding").strip().lower()
    if encoding == "base64":
        content, whole = decode_base64(part.body)
        return content, None if whole else "base64 of a part is damaged; what could be read was kept"
    if encoding == "quoted-printable":
        return binascii.a2b_qp(part.body), None
    if encoding in {"x-uuencode", "uuencode", "x-uue"}:
        return uuencoded.decode_lines(part.body), None
    return bytes(part.body), None


def media_type(part: Part) -> str:
    """Return what the leaf is; application/octet-stream for what is no media type."""
    kind = MESSAGE if part.nested else content_type(part.headers)
    return kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream"


def is_text(part: Part, *, alone: bool) -> bool:
    """Whether the leaf is to be read, not a file. A text with a name is a file, unless it is `alone` the message."""
    if part.nested or content_type(part.headers) not in {"text/plain", "text/html"}:
        return False
    disposition = tolerant(part.headers.get_content_disposition, None)
    return disposition != "attachment" and (alone or not _given_name(part))


def _given_name(part: Part) -> str:
    """Return the name in the headers (RFC 2231, or RFC 2047 as many programs write), or an empty string."""
    return "" if part.nested else decoded(tolerant(part.headers.get_filename, None) or "")


def file_name(part: Part) -> str:
    """Return a safe file name; one is made from the media type where none is given."""
    if name := _given_name(part):
        return clean_file_name(name)
    kind = media_type(part)
    stem = "message" if kind.startswith(("message/", "text/")) else kind.partition("/")[0]
    stem = stem if stem in {"message", "image", "audio", "video"} else "attachment"
    return stem + (_SUFFIXES.get(kind) or mimetypes.guess_extension(kind) or ".bin")


def attachment(part: Part, content: bytes) -> ParsedAttachment:
    """Return the leaf as a file; whether it is shown inline is for the HTML to say."""
    content_id = None if part.nested else message_id(field(part.headers, "Content-ID"))
    return ParsedAttachment(file_name(part), media_type(part), content, content_id)


def named_file(name: str, content: bytes) -> ParsedAttachment:
    """Return a file of which only the name is known."""
    safe = clean_file_name(name)
    return ParsedAttachment(safe, mimetypes.guess_type(safe)[0] or "application/octet-stream", content)
