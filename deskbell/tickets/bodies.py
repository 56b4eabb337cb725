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

MAXIMUM_MARKDOWN = 100_000
"""Characters of Markdown: what is built to be slow takes a second or two, and not minutes."""

MAXIMUM_CELLS = 30_000
"""Cells of its tables, at most: a row is filled up to its table's width, so that one character becomes hundreds."""

MAXIMUM_HTML = 1_000_000
"""Characters that Markdown may become."""


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
    html = _rendered(cleaned, field) if text_format is BodyFormat.MARKDOWN else None
    return Body(cleaned, text_format, html)


def _rendered(markdown: str, field: str) -> str:
    if len(markdown) > MAXIMUM_MARKDOWN:
        raise InvalidError(f"Markdown has at most {MAXIMUM_MARKDOWN:,} characters. Send it as text.", field=field)
    lines = markdown.splitlines()
    if len(lines) * max(line.count("|") for line in lines) > MAXIMUM_CELLS:
        raise InvalidError("The tables of this Markdown are too large. Send it as text, or attach a file.", field=field)
    html = _markdown().render(markdown)
    if len(html) > MAXIMUM_HTML:
        raise InvalidError("This Markdown grows too large when it is shown. Send it as text.", field=field)
    return nh3.clean(html)


@cache
def _markdown() -> MarkdownIt:
    """A new line is one, as in a letter.

    Without reference definitions: a long address that is defined once could be repeated thousands of times.
    """
    reader = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
    return reader.enable(["table", "strikethrough"]).disable("reference")
