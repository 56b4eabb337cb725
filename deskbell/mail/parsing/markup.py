"""HTML of strangers made safe to show."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from html import escape
from typing import Final

import nh3

from deskbell.kernel.text import clean
from deskbell.mail.parsing.soup import VOID, Close, Open, Token

MAX_HTML: Final = 1_000_000  # characters, data URIs aside
MAX_TAGS: Final = 150_000  # a message of mail programs has a tag in twenty characters or more
MAX_ENTITIES: Final = 100_000  # nh3 takes quadratic time for them

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


def _only_images_from(*beginnings: str) -> Callable[[str, str, str], str | None]:
    def filtered(tag: str, attribute: str, value: str) -> str | None:
        is_source = tag == "img" and attribute == "src"
        return None if is_source and not value.strip().lower().startswith(beginnings) else value

    return filtered


_TAGS: Final = nh3.ALLOWED_TAGS | {"font", "tfoot"}
_ATTRIBUTES: Final = _attributes()
_LINE: Final = {"style": "margin:0"}
_REMOTE: Final = ("https://", "http://")


def _cleaner(*images: str) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_only_images_from(*images),
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        url_relative="deny",
        filter_style_properties=_STYLES,
    )


_CLEANER: Final = _cleaner("cid:")  # a remote image tells its sender who reads when
_CLEANER_WITH_IMAGES: Final = _cleaner("cid:", *_REMOTE)


def sanitised(page: Iterable[Token]) -> str:
    """Return `page` as HTML without scripts, forms, remote images and styles that load anything."""
    return clean(_CLEANER.clean(_tidied(page)))


def with_remote_images(page: Iterable[Token]) -> str:
    """Return the same as `sanitised` with the images that other people's servers show."""
    return clean(_CLEANER_WITH_IMAGES.clean(_tidied(page)))


def has_remote_images(page: Iterable[Token]) -> bool:
    """Whether `with_remote_images` shows more than `sanitised`."""
    images = (each for each in page if isinstance(each, Open) and each.name == "img")
    return any(each.attributes.get("src", "").strip().lower().startswith(_REMOTE) for each in images)


def _tidied(page: Iterable[Token]) -> str:
    """Write the HTML anew, balanced and only with what may stay."""
    written: list[str] = []
    for token in page:
        if isinstance(token, str):
            written.append(escape(token, quote=False))
        elif token.name in _TAGS:
            written.append(_start_tag(token) if isinstance(token, Open) else _end_tag(token))
    return "".join(written)


def _start_tag(token: Open) -> str:
    allowed = _ATTRIBUTES["*"] | _ATTRIBUTES.get(token.name, set())
    given = _LINE | token.attributes if _is_line(token) else token.attributes
    kept = (f' {name}="{escape(value)}"' for name, value in given.items() if name in allowed)
    return f"<{token.name}{''.join(kept)}>"


def _is_line(token: Open) -> bool:
    """Whether this is one of Outlook's paragraphs, which its style sheet, left out here, makes single lines."""
    return token.name == "p" and token.attributes.get("class", "").lower().startswith("mso")


def _end_tag(token: Close) -> str:
    return "" if token.name in VOID else f"</{token.name}>"
