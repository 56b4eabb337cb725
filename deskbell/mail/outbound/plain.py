"""Markdown as plain text, and as safe HTML: both from one reading of it. Markdown in, texts out."""

from collections.abc import Iterable
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_BREAKS = {"softbreak": "\n", "hardbreak": "\n"}


def html_of(markdown: str) -> str:
    """Return sanitised HTML."""
    return nh3.clean(_reader().render(markdown))


def text_of(markdown: str) -> str:
    """Return what is said without the marks: lists keep theirs, links their addresses, paragraphs an empty line."""
    return "\n\n".join(block for block in _blocks(_reader().parse(markdown)) if block)


def _blocks(tokens: Iterable[Token]) -> list[str]:
    """Go through the blocks. `margins` has for each list or quote that is open what its lines begin with."""
    blocks: list[str] = []
    margins: list[str] = []
    bullet = ""
    for token in tokens:
        if token.type == "blockquote_open":
            margins.append("> ")
        elif token.type == "list_item_open":
            bullet = f"{token.info}{token.markup} " if token.info else "- "
            margins.append(" " * len(bullet))
        elif token.type in {"blockquote_close", "list_item_close"}:
            margins.pop()
        elif token.type in {"inline", "fence", "code_block", "hr"}:
            blocks.append(_indented(_said(token), margins, bullet))
            bullet = ""
    return blocks


def _indented(text: str, margins: list[str], bullet: str) -> str:
    rest = "".join(margins)
    first = rest[: len(rest) - len(bullet)] + bullet if bullet else rest
    return first + text.replace("\n", "\n" + rest)


def _said(token: Token) -> str:
    if token.type == "hr":
        return "---"
    return _inline(token.children or []) if token.type == "inline" else token.content.rstrip("\n")


def _inline(tokens: Iterable[Token]) -> str:
    said, links = "", []
    for token in tokens:
        if token.type == "link_open":
            links.append((str(token.attrs.get("href", "")), len(said)))
        elif token.type == "link_close":
            address, begin = links.pop()
            said += "" if address.endswith(said[begin:]) else f" ({address})"
        else:
            said += _BREAKS.get(token.type, token.content)
    return said


@cache
def _reader() -> MarkdownIt:
    """As answers are read, see `tickets.bodies`."""
    return MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).disable("reference")
