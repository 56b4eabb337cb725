"""Images that are written into the HTML itself (`data:`): taken out and made files that it shows by their id."""

import re
from typing import Final

from deskbell.mail.parsing.charsets import decode_base64
from deskbell.mail.parsing.model import ParsedAttachment

_MOST_IMAGES: Final = 100
_IMAGE: Final = re.compile(
    rb"(?P<quote>[\"'])\s*data:(?P<type>image/(?P<suffix>png|jpe?g|gif|webp|bmp))[^,\"'>]{0,60};base64,"
    rb"(?P<letters>[^\"'>]*+)(?P=quote)",
    re.IGNORECASE,
)
_DATA_URI: Final = re.compile(rb"data:[\w/+.;=-]{0,100},[A-Za-z0-9+/=%\s]*+", re.IGNORECASE)
_DATA: Final = re.compile(rb"data:", re.IGNORECASE)


def extract_images(html: bytes) -> tuple[bytes, list[ParsedAttachment]]:
    """Return `html` with at most 100 images replaced by `cid:` addresses, other data URIs dropped, and the images."""
    if not _DATA.search(html):
        return html, []
    images: list[ParsedAttachment] = []

    def replaced(image: re.Match[bytes]) -> bytes:
        if len(images) == _MOST_IMAGES:
            return image["quote"] * 2
        content, _ = decode_base64(memoryview(html)[slice(*image.span("letters"))])
        kind, suffix = image["type"].decode().lower(), image["suffix"].decode().lower()
        name, content_id = f"image-{len(images) + 1}.{suffix}", f"image-{len(images) + 1}@inline.invalid"
        images.append(ParsedAttachment(name, kind.replace("jpg", "jpeg"), content, content_id))
        return image["quote"] + b"cid:" + content_id.encode() + image["quote"]

    return _DATA_URI.sub(b"", _IMAGE.sub(replaced, html)), images
