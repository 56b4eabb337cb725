"""Files on their way out: from the attachment storage, in pieces and in threads."""

from collections.abc import Iterator
from typing import BinaryIO, Final
from urllib.parse import quote

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from deskbell.composing.models import DraftFile
from deskbell.kernel.resources import Resources
from deskbell.kernel.storage import INLINE_SAFE
from deskbell.kernel.text import clean
from deskbell.tickets.models import Attachment

_CHUNK: Final = 256 * 1024
_ATTR_CHARACTERS: Final = "!#$&+-.^_`|~"  # attr-char of RFC 8187


async def download(request: Request, attachment: Attachment | DraftFile, tools: Resources) -> Response:
    """Stream the bytes. Shown by the browser only where it cannot run them; 304 where the client has them already."""
    tag = f'"{attachment.sha256}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    file = await to_thread.run_sync(tools.storage.open, attachment.storage_key)
    inline = attachment.media_type in INLINE_SAFE
    headers = {
        "Content-Disposition": content_disposition("inline" if inline else "attachment", attachment.file_name),
        "Content-Length": str(attachment.size),
        "ETag": tag,
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    return StreamingResponse(_pieces(file), media_type=_content_type(attachment.media_type), headers=headers)


def content_disposition(kind: str, file_name: str) -> str:
    """Write the header of RFC 6266: the name in ASCII for all, and in UTF-8 (RFC 8187) for those that can read it."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in file_name)
    extended = quote(clean(file_name), safe=_ATTR_CHARACTERS)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{extended}"


def _content_type(media_type: str) -> str:
    """Text without a charset would be guessed at; what came in as UTF-16 says so by its mark."""
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_CHUNK):
            yield piece
