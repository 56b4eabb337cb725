"""The small language of letters: text with names and `if`, nothing else of Jinja. Checked when saved, then filled.

What a letter is made of comes from outside, so a template can neither call nor reach for anything, nor take long.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from deskbell.kernel.errors import InvalidError

LONGEST_SUBJECT: Final = 500
LONGEST_BODY: Final = 20_000
_MOST_IFS: Final = 50
_LONGEST_TAG: Final = 300
_KEYWORDS: Final = frozenset({"if", "elif", "else", "endif", "and", "or", "not"})
_PLAIN: Final = frozenset({"data", "whitespace", "comment_begin", "comment", "comment_end"})
_EDGES: Final = frozenset({"variable_begin", "variable_end", "block_begin", "block_end"})
_LAWFUL: Final = (nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.If, nodes.Not, nodes.And, nodes.Or)
_LINE_END: Final = re.compile(r"\r\n|\r")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a template within its marks: what the lexer calls it, its text, and where that begins."""

    kind: str
    text: str
    position: int


def check(source: str, names: frozenset[str], *, field: str, longest: int) -> str:
    """Return a template as it is kept. Raises InvalidError with the position of the first thing that is wrong.

    `names` are those that may stand in it, such as `ticket.number`.
    """
    text = _LINE_END.sub("\n", source).strip()
    if not text:
        raise InvalidError("A letter without words is none.", field=field, position=0)
    if len(text) > longest:
        raise InvalidError(f"At most {longest:,} characters fit.", field=field, position=longest)
    for piece in _pieces(text, field):
        _check_piece(piece, field)
    _check_names(text, names, field)
    _check_tree(text, field)
    return text


def always_says(source: str, name: str) -> bool:
    """Say whether a name stands outside of every `if`, so that no letter is without it."""
    tops = (part for node in _environment().parse(source).body if isinstance(node, nodes.Output) for part in node.nodes)
    return any(isinstance(part, nodes.Name) and part.name == name for part in tops)


def filled(source: str, values: Mapping[str, Any]) -> str:
    """Return a template with its names filled in. A value is written as `str` says, and asked by `if` for its truth."""
    return _compiled(source).render(_nested(values))


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"ticket.number": x}` becomes what `ticket.number` reads in a template."""
    top: dict[str, Any] = {}
    for name, value in values.items():
        owner, dot, attribute = name.partition(".")
        if dot:
            setattr(top.setdefault(owner, SimpleNamespace()), attribute, value)
        else:
            top[name] = value
    return top


def _pieces(text: str, field: str) -> Iterator[Piece]:
    """Go through what stands within `{{ }}` and `{% %}`; the texts of the lexer's tokens together are the source."""
    position = tags = 0
    try:
        for _line, kind, value in _environment().lex(text):
            position = text.index(value, position)
            tags += kind == "block_begin"
            if tags > 2 * _MOST_IFS + 2:
                raise InvalidError(f"At most {_MOST_IFS} conditions fit.", field=field, position=position)
            if kind not in _PLAIN:
                yield Piece(kind, value, position)
            position += len(value)
    except TemplateSyntaxError as error:
        raise _unclear(text, error, field, position) from error


def _check_piece(piece: Piece, field: str) -> None:
    if piece.kind in _EDGES or piece.kind == "name" or (piece.kind, piece.text) == ("operator", "."):
        return
    shown = piece.text.strip()[:20]
    message = f"“{shown}” cannot stand here: a letter knows {{{{ names }}}} and {{% if name %}}, nothing else."
    raise InvalidError(message, field=field, position=piece.position)


def _check_names(text: str, names: frozenset[str], field: str) -> None:
    """Go through the names with their dots, as `ticket.number` is one."""
    for name, position, in_tag in _names(text, field):
        if name in names or (in_tag and name in _KEYWORDS):
            continue
        known = ", ".join(sorted(names))
        raise InvalidError(f"There is no “{name[:50]}” here. There are: {known}.", field=field, position=position)


def _names(text: str, field: str) -> Iterator[tuple[str, int, bool]]:
    name, begin, end, in_tag, opened = "", 0, 0, False, 0
    for piece in _pieces(text, field):
        goes_on = piece.position == end and (piece.text == "." or name.endswith("."))
        if name and not goes_on:
            yield name, begin, in_tag
            name = ""
        if piece.kind in _EDGES:
            if piece.kind.endswith("_end") and piece.position - opened > _LONGEST_TAG:
                raise InvalidError("This is too long for a condition.", field=field, position=opened)
            in_tag, opened = piece.kind == "block_begin", piece.position
            continue
        if not name:
            begin = piece.position
        name, end = name + piece.text, piece.position + len(piece.text)


def _check_tree(text: str, field: str) -> None:
    """Let Jinja read it, and look at what it has read: whatever slipped through above is refused here."""
    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError as error:
        raise _unclear(text, error, field, None) from error
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _LAWFUL):
            message = "A letter knows {{ names }} and {% if name %}, nothing else."
            raise InvalidError(message, field=field, position=_line_begin(text, node.lineno))


def _unclear(text: str, error: TemplateSyntaxError, field: str, position: int | None) -> InvalidError:
    words = (error.message or "This cannot be read").rstrip(".")
    at = _line_begin(text, error.lineno) if position is None else position
    return InvalidError(f"{words}.", field=field, position=at)


def _line_begin(text: str, line: int) -> int:
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1])


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    """Nothing but the language: no functions, filters, tests."""
    made = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    for table in (made.globals, made.filters, made.tests):
        table.clear()
    return made


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    return _environment().from_string(source)
