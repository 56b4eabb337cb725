"""HTML of strangers: made safe to show, and turned into text.

Both go through nh3, which parses as browsers do. Nesting, entities and attributes without end cost it quadratic time
(200,000 nested `<div>` three minutes), so HTML that no mail program writes is refused before.
"""

import re
from copy import deepcopy
from typing import Final

import nh3

from deskbell.kernel.text import clean

MAX_HTML: Final = 2_000_000  # characters
_MAX_DEPTH: Final = 1_000
_MAX_ENTITIES: Final = 200_000
_MAX_TAG: Final = 50_000  # characters of one tag, data URIs aside

_DATA_URI: Final = re.compile(r"data:[\w/+.;=-]{0,100},[A-Za-z0-9+/=%\s]*", re.IGNORECASE)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_LONG_TAG: Final = re.compile(rf"<[a-zA-Z][^>]{{{_MAX_TAG}}}")
_OPEN_BY_DESIGN: Final = {  # void, or closed by what follows
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param",
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "colgroup", "html", "head", "body",
}  # fmt: skip

_STYLES: Final = {  # none of these can load anything
    "background-color", "color", "direction", "font-family", "font-size", "font-style", "font-weight", "line-height",
    "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "padding", "padding-bottom", "padding-left",
    "padding-right", "padding-top", "text-align", "text-decoration", "text-indent", "vertical-align", "white-space",
}  # fmt: skip


def _attributes() -> dict[str, set[str]]:
    allowed = deepcopy(nh3.ALLOWED_ATTRIBUTES)
    allowed["*"] = {"dir", "lang", "style", "title"}
    allowed["font"] = {"color", "face", "size"}
    allowed["table"] |= {"border", "cellpadding", "cellspacing", "width"}
    for cell in ("td", "th"):
        allowed[cell] |= {"bgcolor", "valign", "width"}
    return allowed


def _without_remote_images(tag: str, attribute: str, value: str) -> str | None:
    """A remote image tells its sender who reads when: only images that came with the message stay."""
    is_remote = tag == "img" and attribute == "src" and not value.lower().startswith("cid:")
    return None if is_remote else value


_TO_SHOW: Final = nh3.Cleaner(
    tags=nh3.ALLOWED_TAGS | {"font", "tfoot"},
    attributes=_attributes(),
    attribute_filter=_without_remote_images,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    url_relative="deny",
    filter_style_properties=_STYLES,
)


def is_readable(html: str) -> bool:
    """Whether `html`, without its data URIs, is of a size and shape that can be read in a second or two."""
    return len(html) <= MAX_HTML and html.count("&") <= _MAX_ENTITIES and not _LONG_TAG.search(html) and _is_shallow(html)


def _is_shallow(html: str) -> bool:
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() not in _OPEN_BY_DESIGN:
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            if depth > _MAX_DEPTH:
                return False
    return True


def without_data_uris(html: str) -> str:
    """Drop images that are written into the HTML itself: they can be megabytes, and mail programs send `cid:` instead."""
    return _DATA_URI.sub("", html)


def sanitised(html: str) -> str:
    """Return `html` without scripts, forms, styles that load, remote images and foreign link targets."""
    return clean(_TO_SHOW.clean(html))


def bare_text(html: str) -> str:
    """Drop the tags, for HTML that is not readable otherwise."""
    return re.sub(r"<[^<>]{0,10000}>", " ", html)
