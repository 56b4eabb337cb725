"""The query language: plain words, "phrases" and `field:value`. Text in, terms with their positions out.

    status:open tag:card_arrival card "not arrived"

All terms must hold. Several values of one field, separated by commas, mean any of them: `status:open,in_progress`.
"""

import re
from dataclasses import dataclass

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import clean

MAXIMUM_LENGTH = 2000
MAXIMUM_TERMS = 50


class QueryError(InvalidError):
    """The query cannot be read."""

    code = "query"


@dataclass(frozen=True, slots=True)
class Words:
    """Words to be found in the text, in any order; a phrase, in this order. `position` is the zero-based character."""

    text: str
    position: int
    is_phrase: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """`field:value`, or `field:one,two` for any of them."""

    field: str
    values: tuple[str, ...]
    position: int
    value_position: int


Term = Words | Condition

_TERM = re.compile(
    r"""(?P<field>[A-Za-z_]+):(?P<value>(?:"[^"]*"|[^\s"])*)   # field:value, quotes within
      | "(?P<phrase>[^"]*)"                                    # "a phrase"
      | (?P<word>[^\s"]+)                                      # a word
    """,
    re.VERBOSE,
)
_VALUE = re.compile(r'"([^"]*)"|([^,"]+)')


def parse(text: str) -> tuple[Term, ...]:
    """Read a query. Raises QueryError with the position, what was found and what to do."""
    if len(text) > MAXIMUM_LENGTH:
        raise QueryError(f"A query has at most {MAXIMUM_LENGTH:,} characters.", field="q", position=MAXIMUM_LENGTH)
    if text.count('"') % 2:
        message = 'A quotation mark is not closed: write "the phrase" between two.'
        raise QueryError(message, field="q", position=text.rindex('"'))
    terms = tuple(_term(match) for match in _TERM.finditer(clean(text)))
    if len(terms) > MAXIMUM_TERMS:
        position = terms[MAXIMUM_TERMS].position
        raise QueryError(f"A query has at most {MAXIMUM_TERMS} terms.", field="q", position=position)
    return terms


def _term(match: re.Match[str]) -> Term:
    if match["field"] is None:
        phrase = match["phrase"]
        return Words(match["word"] if phrase is None else phrase, match.start(), is_phrase=phrase is not None)
    values = tuple(quoted or plain for quoted, plain in _VALUE.findall(match["value"]))
    if not values:
        message = f"{match['field']}: has no value. Write {match['field']}:something, without a space between."
        raise QueryError(message, field="q", position=match.end())
    return Condition(match["field"].lower(), values, match.start(), match.start("value"))
