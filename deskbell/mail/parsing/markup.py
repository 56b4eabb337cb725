"""HTML of strangers made safe to show."""

import re
from copy import deepcopy
from html import escape
from typing import Final

import nh3

from deskbell.kernel.text import clean
from deskbell.mail.parsing.soup import VOID, Close, Open, tokens

MAX_HTML: Final = 1_000_000  # characters, data URIs aside
_MAX_ENTITIES: Final = 100_000  # nh3 takes quadratic time for them

_DATA_URI: Final = re.compile(r"data:[\w/+.;=-]{0,100},[A-Za-z0-9+/=%\s]*+", re.IGNORECASE)

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


_TAGS: Final = nh3.ALLOWED_TAGS | {"font", "tfoot"}
_ATTRIBUTES: Final = _attributes()
_CLEANER: Final = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_without_remote_images,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    url_relative="deny",
    filter_style_properties=_STYLES,
)


def is_readable(html: str) -> bool:
    """Whether `html`, without its data URIs, can be read in a second or two."""
    return len(html) <= MAX_HTML and html.count("&") <= _MAX_ENTITIES


def without_data_uris(html: str) -> str:
    """Drop images that are written into the HTML: they can be megabytes, and mail programs send `cid:` instead."""
    return _DATA_URI.sub("", html)


def sanitised(html: str) -> str:
    """Return `html` without scripts, forms, remote images and styles that load anything."""
    return clean(_CLEANER.clean("".join(_tidied(html))))


def _tidied(html: str) -> list[str]:
    """Write the HTML anew, balanced and only with what may stay."""
    written: list[str] = []
    for token in tokens(html):
        if isinstance(token, str):
            written.append(escape(token, quote=False))
        elif token.name in _TAGS:
            written.append(_start_tag(token) if isinstance(token, Open) else _end_tag(token))
    return written


def _start_tag(token: Open) -> str:
    allowed = _ATTRIBUTES["*"] | _ATTRIBUTES.get(token.name, set())
    kept = (f' {name}="{escape(value)}"' for name, value in token.attributes.items() if name in allowed)
    return f"<{token.name}{''.join(kept)}>"


def _end_tag(token: Close) -> str:
    return "" if token.name in VOID else f"</{token.name}>"
