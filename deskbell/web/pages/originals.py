"""Messages as they came, shown to whoever may: a page about one, and what is inside the frame on that page.

What a stranger wrote is a document of its own, in a sandbox without scripts, forms and our origin (HTML 4.8.5), under a
policy that lets nothing be loaded but, where the reader asks for that, images.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any, Final, cast

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.kernel.text import clean
from deskbell.mail.inbound import queries
from deskbell.mail.inbound.errors import NoSuchMailError
from deskbell.mail.inbound.models import InboundMessage
from deskbell.mail.parsing import Address, ParsedAttachment, ParsedMail, parse
from deskbell.web.downloads import content_disposition
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import speaking
from deskbell.web.language import language_of

SHOWN_BYTES: Final = 10_000_000
"""A larger message is downloaded: reading it would take longer than anybody waits."""
INLINE_BYTES: Final = 4_000_000
HEADER_BYTES: Final = 64 * 1024
_INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_CID: Final = re.compile(r'src="cid:([^"]*)"', re.IGNORECASE)
_END_OF_HEADERS: Final = re.compile(rb"\r?\n\r?\n|\Z")
_POLICY: Final = (
    "default-src 'none'; img-src data:{images}; style-src 'self' 'unsafe-inline'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def headers_of(session: Session, inbound_id: int) -> str:
    """Return the headers of a message as text, without loading the rest. Raises NoSuchMailError."""
    begin = func.substring(InboundMessage.raw, 1, HEADER_BYTES)
    raw: bytes | None = session.scalar(select(begin).where(InboundMessage.id == inbound_id))
    if raw is None:
        raise NoSuchMailError(_("There is no message %(number)s.") % {"number": inbound_id})
    end = _END_OF_HEADERS.search(raw)
    return clean(raw[: end.start() if end else None].decode("utf-8", errors="replace"))


def raw_of(session: Session, inbound_id: int, *, ticket_id: int | None = None) -> bytes:
    """Return a message as it came; with a ticket only one that has to do with that. Raises NoSuchMailError."""
    raw = queries.raw_of(session, inbound_id, ticket_id=ticket_id)
    if raw is None:
        raise NoSuchMailError(_("There is no message %(number)s.") % {"number": inbound_id})
    return raw


async def read(raw: bytes) -> ParsedMail | None:
    """Read a message in a thread; None where it is too large for that."""
    return await to_thread.run_sync(parse, raw) if len(raw) <= SHOWN_BYTES else None


def about(mail: ParsedMail | None) -> dict[str, Any]:
    """Return what the page around the frame shows of a message; None where it was not read."""
    if mail is None:
        return {"read": None}
    files = [_file(number, each) for number, each in enumerate(mail.attachments)]
    people = {"to": _people(mail.to), "cc": _people(mail.cc)}
    sender = _people([mail.sender] if mail.sender else [])
    return {
        "read": {
            "sender": sender,
            **people,
            "subject": mail.subject,
            "date": mail.date,
            "has_images": mail.remote_images,
            "has_text": bool(mail.html or mail.text.strip()),
            "files": files,
            "kind": mail.kind.value,
            "automatic": mail.automatic_reason,
        }
    }


def body(request: Request, mail: ParsedMail | None, *, images: bool) -> Response:
    """Return what stands in the frame: the sanitised HTML, or the text; remote images only where they are asked for."""
    shown = mail and ((mail.html_with_images if images else None) or mail.html)
    html = _with_images(shown, mail.attachments) if mail and shown else None
    environment = cast("Environment", request.app.state.templates)
    with speaking(language_of(request)):
        page = environment.get_template("original_body.html").render(html=html, text=mail.text if mail else None)
    policy = _POLICY.format(images=" https: http:" if images and mail and mail.remote_images else "")
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }
    return HTMLResponse(page, headers=headers)


def file(mail: ParsedMail | None, number: int) -> Response:
    """Send a file of a message, to be kept: no browser shows it. Raises NoSuchMailError."""
    if mail is None or not 0 <= number < len(mail.attachments):
        raise NoSuchMailError(_("This message has no such file."))
    found = mail.attachments[number]
    headers = {"Content-Disposition": content_disposition("attachment", found.file_name)}
    return Response(found.content, media_type="application/octet-stream", headers=headers)


def as_it_came(raw: bytes, inbound_id: int) -> Response:
    """Send a message to be kept as a file."""
    headers = {"Content-Disposition": content_disposition("attachment", f"message-{inbound_id}.eml")}
    return Response(raw, media_type="message/rfc822", headers=headers)


def _people(addresses: Sequence[Address]) -> list[dict[str, str]]:
    return [{"name": one.name, "email": one.email} for one in addresses]


def _file(number: int, one: ParsedAttachment) -> dict[str, Any]:
    return {
        "number": number,
        "file_name": one.file_name,
        "media_type": one.media_type,
        "size": len(one.content),
        "is_inline": one.is_inline,
    }


def _with_images(html: str, files: Sequence[ParsedAttachment]) -> str:
    """Put the images that came along into the HTML: a frame in a sandbox has no cookie to fetch them with.

    What is shown in many places counts each time, so that a small message makes no huge page.
    """
    room = INLINE_BYTES
    found = {one.content_id: one for one in files if one.content_id and one.media_type in _INLINE}

    def address(match: re.Match[str]) -> str:
        nonlocal room
        one = found.get(match[1])
        if one is None or len(one.content) > room:
            return ""
        room -= len(one.content)
        return f'src="data:{one.media_type};base64,{base64.b64encode(one.content).decode()}"'

    return _CID.sub(address, html)
