"""From characters to tokens: words, phrases, conditions with their values, and the marks between them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from deskbell.search.language.errors import QueryError, shown
from deskbell.search.language.tree import Condition, Leaf, Operator, Span, Value, Words

MAXIMUM_LENGTH = 2000
"""Characters of a query."""

MAXIMUM_TERMS = 50
"""Words and conditions of a query; each further value of a list counts as one."""

A_TERM = ("a word", 'a "phrase"', "field:value", "(")

SPACE = re.compile(r"\s*")
FIELD = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]*)(?P<operator>:|>=|>|<=|<)")
WORD = re.compile(r'[^\s"()]+')
PLAIN_VALUE = re.compile(r'[^\s"(),]+')
QUOTED = re.compile(r'"((?:[^"\\]|\\["\\]?)*+)"')
_ESCAPED = re.compile(r'\\(["\\])')
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Kind(StrEnum):
    """The kinds of token."""

    LEAF = "a term"
    MINUS = "-"
    NOT = "NOT"
    AND = "AND"
    OR = "OR"
    OPEN = "("
    CLOSE = ")"
    END = "the end"


_MARKS = {"(": Kind.OPEN, ")": Kind.CLOSE, "-": Kind.MINUS}
_KEYWORDS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `leaf` is what a LEAF has been read as."""

    kind: Kind
    span: Span
    leaf: Leaf | None = None


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a query, an END last. Raises QueryError."""
    _check(text)
    position, terms = _skip_space(text, 0), 0
    while position < len(text):
        token = _token(text, position)
        terms += len(token.leaf.values) if isinstance(token.leaf, Condition) else token.leaf is not None
        if terms > MAXIMUM_TERMS:
            message = f"A query has at most {MAXIMUM_TERMS} terms, and each value of a list counts as one."
            raise QueryError(message, span=token.span, found=text[token.span.start : token.span.end])
        yield token
        position = _skip_space(text, token.span.end)
    yield Token(Kind.END, Span(len(text), len(text)))


def unquoted(text: str) -> str:
    r"""Return what stands between two quotation marks without the backslashes of \" and \\; others are plain."""
    return _ESCAPED.sub(r"\1", text)


def _check(text: str) -> None:
    if len(text) > MAXIMUM_LENGTH:
        message = f"A query has at most {MAXIMUM_LENGTH:,} characters, and this one has {len(text):,}."
        raise QueryError(message, span=Span(MAXIMUM_LENGTH, len(text)))
    if wrong := _UNSTORABLE.search(text):
        message = "This character is no text and cannot be searched for. Remove it."
        found = f"U+{ord(wrong[0]):04X}"
        raise QueryError(message, span=Span(*wrong.span()), found=found)


def _skip_space(text: str, position: int) -> int:
    space = SPACE.match(text, position)
    return space.end() if space else position


def _token(text: str, start: int) -> Token:
    kind = _MARKS.get(text[start])
    if kind is not None:
        return Token(kind, Span(start, start + 1))
    if text[start] == '"':
        return _words(text, start, *_quoted(text, start))
    if field := FIELD.match(text, start):
        condition = _condition(text, field)
        return Token(Kind.LEAF, condition.span, condition)
    word = WORD.match(text, start)
    if word is None:
        raise AssertionError("what is no mark, no quotation mark and no space begins a word")
    if word[0] in _KEYWORDS:
        return Token(_KEYWORDS[word[0]], Span(*word.span()))
    return _words(text, start, word[0].rstrip("*"), word.end())


def _words(text: str, start: int, content: str, end: int) -> Token:
    """Read the `*` that may follow a phrase, or has ended a word."""
    is_quoted = text[start] == '"'
    end += is_quoted and text.startswith("*", end)
    span = Span(start, end)
    if not content.strip():
        what = "a word or several" if is_quoted else "the beginning of a word before the *"
        found = text[start:end]
        message = f"{shown(found)} has nothing to search for: write {what}."
        raise QueryError(message, span=span, found=found, expected=("a word",))
    return Token(Kind.LEAF, span, Words(content, text[end - 1] == "*", is_quoted, span))


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Return what stands between quotation marks, and where the second one ends."""
    match = QUOTED.match(text, start)
    if match is None:
        raise QueryError(
            'This quotation mark is not closed: write "the phrase" between two.',
            span=Span(start, start + 1),
            found="the end",
            expected=('"',),
        )
    return unquoted(match[1]), match.end()


def _condition(text: str, field: re.Match[str]) -> Condition:
    values = [_value(text, field.end(), field[0])]
    while text.startswith(",", values[-1].span.end):
        values.append(_value(text, values[-1].span.end + 1, field[0]))
    end = values[-1].span.end
    if end < len(text) and text[end] in '"(':
        message = f"Write a space before {text[end]}, or put the whole value of {shown(field[0])} in quotation marks."
        raise QueryError(message, span=Span(end, end + 1), found=text[end], expected=(",", "a space"))
    return Condition(field["name"].lower(), Operator(field["operator"]), tuple(values), Span(field.start(), end))


def _value(text: str, start: int, field: str) -> Value:
    if text.startswith('"', start):
        content, end = _quoted(text, start)
        if content.strip():
            return Value(content, True, Span(start, end))
    elif plain := PLAIN_VALUE.match(text, start):
        return Value(plain[0], False, Span(*plain.span()))
    raise _no_value(text, start, shown(field))


def _no_value(text: str, start: int, field: str) -> QueryError:
    found = text[start : start + 1]
    suggestion = None
    if found == "(":
        message = f"After {field} comes a value, not a bracket. Several values stand in a row: {field}one,two."
    elif text.startswith(",", start - 1):
        message = f"After the comma a value of {field} is missing. Write the values without spaces between."
    else:
        following = PLAIN_VALUE.match(text, _skip_space(text, start))
        suggestion = f"{field}{shown(following[0])}" if following and found.isspace() else None
        message = (
            f"{field} has no value. Write {field}something, without a space between; "
            f'in quotation marks, "{field}", it is text to search for.'
        )
    said = "a space" if found.isspace() else found or "the end"
    span = Span(start, start + len(found))
    return QueryError(message, span=span, found=said, expected=("a value",), suggestion=suggestion)
