"""What somebody is in the middle of writing: the piece of an unfinished query at the cursor. Never an error."""

import re
from dataclasses import dataclass

from deskbell.search.language.tokens import unquoted

_OPERATOR = r":|>=?|<=?"
_IN_QUOTES = r'"(?:[^"\\]|\\.?)*+"?'
_TERM = re.compile(
    rf"""-*(?:(?P<field>[A-Za-z][A-Za-z0-9_]*)(?P<operator>{_OPERATOR})(?P<values>(?:{_IN_QUOTES}|[^\s"()])*)
           |{_IN_QUOTES}|[^\s"()-][^\s"()]*)?""",
    re.VERBOSE | re.DOTALL,
)
_VALUE = re.compile(rf'(?:{_IN_QUOTES}|[^,"])+', re.DOTALL)
_REST_OF_NAME = re.compile(rf"[A-Za-z0-9_]*(?:{_OPERATOR})?")
_REST_OF_VALUE = re.compile(r'[^\s"(),]*')


@dataclass(frozen=True, slots=True)
class Fragment:
    """A term, or with `field` a value of it. `text` is what is written of it; a completion replaces start to end."""

    text: str
    start: int
    end: int
    field: str | None = None
    operator: str = ""
    is_quoted: bool = False


def fragment_at(text: str, cursor: int) -> Fragment:
    """Return what stands before the cursor, and where it ends after it."""
    place = min(max(cursor, 0), len(text))
    before = text[:place]
    for term in _TERM.finditer(before):
        if term.end() == place:
            return _term(text, term) if term["field"] is None else _value(text, term)
    return Fragment("", place, place)


def _term(text: str, term: re.Match[str]) -> Fragment:
    written = term[0].lstrip("-")
    start = term.end() - len(written)
    rest = _REST_OF_NAME.match(text, term.end())
    end = rest.end() if rest else term.end()
    return Fragment(written, start, end, is_quoted=written.startswith('"'))


def _value(text: str, term: re.Match[str]) -> Fragment:
    values = term["values"]
    last = list(_VALUE.finditer(values))[-1:]
    written = last[0][0] if last and last[0].end() == len(values) else ""
    start, field, operator = term.end() - len(written), term["field"].lower(), term["operator"]
    if written.startswith('"'):
        content = unquoted(written[1:].removesuffix('"') if len(written) > 1 else "")
        return Fragment(content, start, _end_of_quotes(text, term.end(), written), field, operator, is_quoted=True)
    rest = _REST_OF_VALUE.match(text, term.end())
    return Fragment(written, start, rest.end() if rest else term.end(), field, operator)


def _end_of_quotes(text: str, cursor: int, written: str) -> int:
    """Return where the quotation marks close, if they do: an odd number of them is still to come."""
    is_closed = len(written) > 1 and written.endswith('"')
    return cursor if is_closed or text.count('"', cursor) % 2 == 0 else text.index('"', cursor) + 1
