"""Conditional requests (RFC 9110, 13): `If-Match` against lost updates, `If-None-Match` against sending the same again.

The entity tag of a ticket is `"<version>-<digest>"`: the version is what a change must have seen, the digest tells
representations apart that differ although the ticket did not change (a new tag, another name, another reader).
"""

import hashlib
import re
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response

from deskbell.kernel.errors import InvalidError
from deskbell.web.headers import header_of

_TAG: Final = re.compile(r'(?:W/)?"(\d{1,18})(?:-[0-9a-f]+)?"')  # weak too: proxies that compress weaken it


def expected_version(
    if_match: Annotated[
        str | None,
        Header(description='The `ETag` that you saw, or `"<version>"`; `*` for any.', examples=['"3"']),
    ] = None,
) -> int | None:
    """Return the version that the client saw, None where it does not say. Raises InvalidError for what is no tag."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = _TAG.fullmatch(if_match.strip())
    if match is None:
        raise InvalidError('If-Match holds one ETag as it was sent, such as "3-1f0c" or "3", or *.', field="If-Match")
    return int(match[1])


Expected = Annotated[int | None, Depends(expected_version)]


def tagged_response(request: Request, content: bytes, version: int, *, status: int = 200) -> Response:
    """Send a JSON document with its entity tag; 304 where the client has just this already."""
    tag = f'"{version}-{hashlib.sha256(content).hexdigest()[:16]}"'
    if request.method == "GET" and _has(header_of(request.scope, b"if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, status_code=status, media_type="application/json", headers={"ETag": tag})


def _has(header: str, tag: str) -> bool:
    if not header:
        return False
    tags = {part.strip().removeprefix("W/") for part in header.split(",")}
    return tag in tags or header.strip() == "*"
