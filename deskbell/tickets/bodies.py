"""What people write: cleaned, bounded, and turned into safe HTML where it is Markdown."""

from dataclasses import dataclass
from functools import cache

import nh3
from markdown_it import MarkdownIt

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import clean
from deskbell.tickets.models import BodyFormat

MAXIMUM_LENGTH = 5_000_000
"""Characters of one message; a mail's text is cut to it by the mail slice, which keeps the raw message."""


@dataclass(frozen=True, slots=True)
class Body:
    """A message ready to be stored. `html` is sanitised; `folded` is what was quoted or signed beneath it."""

    text: str
    format: BodyFormat = BodyFormat.TEXT
    html: str | None = None
    folded: str = ""


def body_of(text: str, text_format: BodyFormat = BodyFormat.TEXT, *, field: str = "content") -> Body:
    """Read what a person typed. Raises InvalidError when there is nothing, or far too much."""
    cleaned = clean(text).strip()
    if not cleaned:
        raise InvalidError("Write something first: the message is empty.", field=field)
    if len(cleaned) > MAXIMUM_LENGTH:
        raise InvalidError(f"A message has at most {MAXIMUM_LENGTH:,} characters.", field=field)
    if text_format is BodyFormat.HTML:
        raise InvalidError("Send text or Markdown; HTML comes in by mail alone.", field="format")
    html = nh3.clean(_markdown().render(cleaned)) if text_format is BodyFormat.MARKDOWN else None
    return Body(cleaned, text_format, html)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
