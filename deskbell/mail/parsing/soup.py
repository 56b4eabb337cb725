"""HTML of strangers as a balanced stream of tags and text, in linear time.

A browser's parser, and so nh3, takes minutes and gigabytes for a megabyte of hostile nesting (200,000 open `<div>`; 900
open `<font>` that each of 100,000 `<p>` repeats). Nothing that comes out of here is nested deeper than `MAX_DEPTH`, and
everything opened is closed in order. This is tidying, not sanitising: what is shown goes through nh3 afterwards.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Final, TypeAlias

MAX_DEPTH: Final = 100
_MAX_ATTRIBUTES: Final = 30
_MAX_ODD_QUOTES: Final = 50

_MARKUP: Final = re.compile(r"<[a-zA-Z/!?]")  # any other "<" is text
_NAME: Final = re.compile(r"(/?)([a-zA-Z][a-zA-Z0-9:-]*)")
_ATTRIBUTES: Final = re.compile(r"[^>\"']*+(?:\"[^\"]*+\"[^>\"']*+|'[^']*+'[^>\"']*+)*+>")
_ATTRIBUTE: Final = re.compile(r"([a-zA-Z][\w-]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++)))?")
_UNREAD_END: Final = {  # elements whose content is nothing to read
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE)
    for name in (
        "script", "style", "title", "noscript", "xml", "template", "svg", "math", "object", "select", "iframe",
    )
}  # fmt: skip

VOID: Final = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"}
_TABLE: Final = {"table", "thead", "tbody", "tfoot", "tr", "td", "th"}
_CLOSES_PARAGRAPH: Final = {
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table",
    "ul",
}  # fmt: skip
_CELL_ENDS: Final = {"td", "th", "tr", "tbody", "tfoot", "thead"}
# An element that may leave out its end: what ends it, and the ancestors beyond which it does not reach.
_IMPLIED_END: Final[dict[str, tuple[set[str], set[str]]]] = {
    "p": (_CLOSES_PARAGRAPH, {"td", "th", "table", "button", "caption"}),
    "li": ({"li"}, {"ul", "ol", "td", "th"}),
    "dt": ({"dt", "dd"}, {"dl", "td", "th"}),
    "dd": ({"dt", "dd"}, {"dl", "td", "th"}),
    "td": (_CELL_ENDS, {"table"}),
    "th": (_CELL_ENDS, {"table"}),
    "tr": (_CELL_ENDS - {"td", "th"}, {"table"}),
}
# The same by what ends: `<li>` → the elements it ends, each with its limits.
_ENDS: Final = {
    tag: [(name, limits) for name, (enders, limits) in _IMPLIED_END.items() if tag in enders]
    for tag in set[str]().union(*(enders for enders, _ in _IMPLIED_END.values()))
}


@dataclass(frozen=True, slots=True)
class Open:
    """A start tag, its name in lower case; one that is void has no end tag."""

    name: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Close:
    """An end tag that matches the last one that is open."""

    name: str


Token: TypeAlias = Open | Close | str
"""A tag, or text with its entities resolved."""


def tokens(html: str) -> Iterator[Token]:
    """Yield tags, always balanced, and text. Comments, scripts and the like are left out."""
    return _Balance().over(_Reader(html).tokens())


@dataclass(slots=True)
class _Reader:
    """Reads the tags as they stand; remembers what it looked for in vain, so as not to look for it at every tag."""

    html: str
    odd_quotes: int = 0
    endless: set[str] = field(default_factory=set)

    def tokens(self) -> Iterator[Token]:
        position = 0
        while markup := _MARKUP.search(self.html, position):
            begin = markup.start()
            yield unescape(self.html[position:begin])
            tag = _NAME.match(self.html, begin + 1)
            if tag is None:
                position = _after_comment(self.html, begin)
                continue
            name, position = tag[2].lower(), self._end_of_tag(tag.end())
            if tag[1]:
                yield Close(name)
            elif name in _UNREAD_END:
                position = self._end_of_unread(name, position)
            else:
                yield Open(name, _attributes(self.html[tag.end() : position - 1]))
        yield unescape(self.html[position:])

    def _end_of_tag(self, position: int) -> int:
        """Return where the tag ends, the end of everything for one that is cut short."""
        match = _ATTRIBUTES.match(self.html, position) if self.odd_quotes < _MAX_ODD_QUOTES else None
        if match:
            return match.end()
        self.odd_quotes += 1
        return self.html.find(">", position) + 1 or len(self.html)

    def _end_of_unread(self, name: str, position: int) -> int:
        """Return where a script or the like ends; one without end ends at once, so that no text is lost."""
        is_empty = self.html[position - 2] == "/"
        closing = None if is_empty or name in self.endless else _UNREAD_END[name].search(self.html, position)
        if closing:
            return closing.end()
        if not is_empty:
            self.endless.add(name)
        return position


def _after_comment(html: str, begin: int) -> int:
    """Skip a comment, a declaration or an instruction; a comment without end ends at the next ">"."""
    end = html.find("-->", begin + 2) + 2 if html.startswith("<!--", begin) else 1
    if end == 1:
        end = html.find(">", begin)
    return end + 1 if end >= 0 else len(html)


def _attributes(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for count, match in enumerate(_ATTRIBUTE.finditer(text)):
        if count == _MAX_ATTRIBUTES:
            break
        given.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return given


@dataclass(slots=True)
class _Balance:
    """Closes what was left open, drops ends without a beginning and starts that lie too deep."""

    open: list[str] = field(default_factory=list)

    def over(self, raw: Iterator[Token]) -> Iterator[Token]:
        for token in raw:
            if isinstance(token, Open):
                yield from self._begin(token)
            elif isinstance(token, Close):
                yield from self._end(token.name)
            elif token:
                yield token
        yield from self._close_to(0)

    def _begin(self, token: Open) -> Iterator[Token]:
        for name, limits in _ENDS.get(token.name, ()):
            if (at := self._find(name, limits)) is not None:
                yield from self._close_to(at)
        if token.name in VOID:
            yield token
        elif len(self.open) < MAX_DEPTH:
            self.open.append(token.name)
            yield token

    def _end(self, name: str) -> Iterator[Token]:
        limits = set[str]() if name in _TABLE else {"td", "th", "table"}
        at = self._find(name, limits)
        if at is not None:
            yield from self._close_to(at)
        elif name == "br":
            yield Open("br", {})

    def _find(self, name: str, limits: set[str]) -> int | None:
        """Return where the innermost open `name` is, looking no further out than the nearest of `limits`."""
        if name not in self.open:
            return None
        for at in range(len(self.open) - 1, -1, -1):
            if self.open[at] == name:
                return at
            if self.open[at] in limits:
                break
        return None

    def _close_to(self, depth: int) -> Iterator[Token]:
        while len(self.open) > depth:
            yield Close(self.open.pop())
