"""HTML to text as a person would have typed it: paragraphs, lists, links, and quotes behind ">"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from deskbell.mail.parsing.soup import Close, Open, Token

_RULE: Final = "_" * 32  # what Outlook writes in plain text where its HTML has a line above the quoted header
_MAX_LEVELS: Final = 10

_BREAKS: Final = {
    "address", "article", "aside", "caption", "center", "dd", "details", "div", "dt", "figcaption", "figure", "footer",
    "header", "hgroup", "li", "nav", "section", "summary", "table", "tbody", "tfoot", "thead", "tr",
}  # fmt: skip
_PARAGRAPHS: Final = {"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "ul"}

_QUOTE_NAMES: Final = {  # classes and ids that mail programs give to what they quote
    "gmail_quote", "gmail_attr", "gmail_quote_container", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote",
    "divrplyfwdmsg", "appendonsend", "olk_src_body_section", "zmail_extra", "tutanota_quote",
    "ms-outlook-mobile-reference-message", "mail-editor-reference-message-container", "reply-intro", "forwardmessage",
}  # fmt: skip
_QUOTING_DIVISIONS: Final = {"quote", "messagereplysection"}  # `<div name=…>` of GMX and of Spark
_LINE_ABOVE: Final = re.compile(r"border-top:\s*(?:[^;]*\bsolid\b)|border-top-style:\s*solid", re.IGNORECASE)
_SPACE: Final = re.compile(r"[ \t\n\r\f]+")


@dataclass(frozen=True, slots=True)
class Rendered:
    """`marks` are the lines of `text`, counted from 0, at which a mail program says that a quote begins.

    `origins` has for each line the number, from 0, of the token that began it.
    """

    text: str = ""
    marks: frozenset[int] = frozenset()
    origins: tuple[int, ...] = ()


def to_text(tokens: Iterable[Token]) -> Rendered:
    """Render HTML in linear time."""
    page = _Page()
    for number, token in enumerate(tokens):
        page.at = number
        if isinstance(token, str):
            page.write_text(token)
        elif isinstance(token, Open):
            page.begin(token.name, token.attributes)
        else:
            page.end(token)
    return page.rendered()


def _is_named_quote(given: dict[str, str]) -> bool:
    names = f"{given.get('class', '')} {given.get('id', '')}".lower().split()
    return not _QUOTE_NAMES.isdisjoint(names) or given.get("name", "").lower() in _QUOTING_DIVISIONS


@dataclass(slots=True)
class _Line:
    """The line being written: what is to stand before it, and whether a space is due."""

    quotes: int = 0
    origin: int = 0
    text: list[str] = field(default_factory=list)
    wants_space: bool = False


class _Page:
    """Writes the lines. Blank lines between blocks are owed until something follows."""

    def __init__(self) -> None:
        self.at = 0
        self._origins: list[int] = []
        self._mark_origins: dict[int, int] = {}
        self._lines: list[str] = []
        self._line = _Line()
        self._blank_due = False
        self._quotes = 0
        self._preformatted = 0
        self._links: list[tuple[str, int]] = []
        self._paragraphs: list[tuple[bool, int]] = []  # open <p>: is it Outlook's, and how many lines were there
        self._lists: list[int | None] = []
        self._bullet_due = ""

    def rendered(self) -> Rendered:
        self._end_line()
        marks = {line: origin for line, origin in self._mark_origins.items() if line < len(self._lines)}
        for line, origin in marks.items():
            self._origins[line] = min(origin, self._origins[line])
        return Rendered("\n".join(self._lines), frozenset(marks), tuple(self._origins))

    # --- tags

    def begin(self, tag: str, given: dict[str, str]) -> None:
        if tag in _PARAGRAPHS or tag in _BREAKS:
            self._begin_block(tag, given)
        elif tag == "br":
            self._end_line(keep_blank=True)
        elif tag == "hr":
            self._rule()
        elif tag in {"td", "th"}:
            self._line.wants_space = True
        elif tag == "a":
            self._links.append((given.get("href", ""), len(self._line.text)))
        elif tag == "img" and given.get("alt"):
            self._write(f"[{given['alt']}]")
        if _is_named_quote(given):
            self._mark()

    def end(self, token: Close) -> None:
        if token.name == "a" and self._links:
            self._end_link(*self._links.pop())
        elif token.name in _PARAGRAPHS or token.name in _BREAKS:
            self._end_block(token.name)

    def write_text(self, data: str) -> None:
        if self._preformatted:
            first, *others = data.split("\n")
            self._write(first)
            for line in others:
                self._end_line(keep_blank=True)
                self._write(line)
            return
        words = _SPACE.sub(" ", data)
        if words.startswith(" "):
            self._line.wants_space = True
        if words.strip(" "):
            self._write(words.strip(" "))
            self._line.wants_space = words.endswith(" ")

    # --- blocks

    def _begin_block(self, tag: str, given: dict[str, str]) -> None:
        is_outlook = tag == "p" and given.get("class", "").lower().startswith("mso")
        self._end_line()
        if tag in _PARAGRAPHS and not is_outlook and not self._lists:
            self._owe_blank()
        if tag == "p":
            self._paragraphs.append((is_outlook, len(self._lines)))
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._preformatted += 1
        elif tag in {"ol", "ul"}:
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._bullet()
        if _LINE_ABOVE.search(given.get("style", "")):
            self._rule()

    def _end_block(self, tag: str) -> None:
        self._end_line()
        is_outlook = False
        if tag == "p" and self._paragraphs:
            is_outlook, begun = self._paragraphs.pop()
            if is_outlook and len(self._lines) == begun:  # its paragraphs are lines, an empty one is an empty line
                self._append("", self._quotes, self.at)
        elif tag == "blockquote":
            self._quotes = max(self._quotes - 1, 0)
        elif tag == "pre":
            self._preformatted = max(self._preformatted - 1, 0)
        elif tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
        if tag in _PARAGRAPHS and not is_outlook and not self._lists:
            self._owe_blank()

    def _bullet(self) -> None:
        indent = "  " * min(max(len(self._lists) - 1, 0), _MAX_LEVELS)
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number = number + 1
        self._bullet_due = f"{indent}{f'{number}.' if number else '-'} "

    def _end_link(self, href: str, begun: int) -> None:
        """Give the address of a link behind its text, unless the text says it already."""
        shown = "".join(self._line.text[begun:]).strip()
        address = href.removeprefix("mailto:")
        if href.startswith(("http:", "https:", "mailto:")) and shown and shown.rstrip("/") not in address:
            self._write(f" <{address}>")

    def _rule(self) -> None:
        self._end_line()
        self._write(_RULE)
        self._end_line()

    # --- lines

    def _mark(self) -> None:
        self._end_line()
        self._blank_due = self._blank_due or bool(self._lines)
        self._mark_origins.setdefault(len(self._lines) + self._blank_due, self.at)

    def _owe_blank(self) -> None:
        self._blank_due = bool(self._lines)

    def _write(self, text: str) -> None:
        if not text:
            return
        if not self._line.text:
            self._line = _Line(self._quotes, self.at, [self._bullet_due, text] if self._bullet_due else [text])
            self._bullet_due = ""
            return
        if self._line.wants_space:
            self._line.text.append(" ")
        self._line.text.append(text)
        self._line.wants_space = False

    def _end_line(self, *, keep_blank: bool = False) -> None:
        text = "".join(self._line.text).replace("\xa0", " ").rstrip()
        had_text = bool(self._line.text)
        line, self._line = self._line, _Line()
        if had_text:
            self._append(text, line.quotes, line.origin)
        elif keep_blank:
            self._append(text, self._quotes, self.at)

    def _append(self, text: str, quotes: int, origin: int) -> None:
        prefix = "> " * min(quotes, _MAX_LEVELS)
        if self._blank_due:
            self._lines.append(">" if prefix and self._lines[-1].startswith(">") else "")
            self._origins.append(origin)
            self._blank_due = False
        self._lines.append((prefix + text).rstrip())
        self._origins.append(origin)
