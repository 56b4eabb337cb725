"""Words of a query as a `tsquery`: any tree of words alone is one expression, so that one index scan answers it."""

import string

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY
from sqlalchemy.sql import literal

from deskbell.kernel.actor import Actor
from deskbell.kernel.fields import Expression
from deskbell.search.language.tree import And, Condition, Node, Not, Or, Words
from deskbell.tickets.documents import SearchDocument

LANGUAGE = literal("public.deskbell", REGCONFIG)
"""The text search configuration of the documents."""

_TO_SPACES = str.maketrans(dict.fromkeys(string.punctuation, " "))
"""As SQL's `deskbell_words`."""

Tsquery = ColumnElement[str]


def is_text(node: Node) -> bool:
    """Whether a tree consists of words alone."""
    match node:
        case Words():
            return True
        case Condition():
            return False
        case Not():
            return is_text(node.item)
        case And() | Or():
            return all(map(is_text, node.items))


def tsquery(node: Node) -> Tsquery:
    """Compile a tree of words alone. PostgreSQL's algebra passes over what is no word or one that is in every text."""
    match node:
        case Words():
            return _prefix(node.text) if node.is_prefix else _phrase(node.text)
        case Not():
            return func.tsquery_not(tsquery(node.item), type_=TSQUERY)
        case And():
            return _folded("tsquery_and", node.items)
        case Or():
            return _folded("tsquery_or", node.items)
    raise TypeError("a condition on a field is no text")


def matches(query: Tsquery, actor: Actor, *, or_nothing: bool = False) -> Expression:
    """Say that a ticket's document fits. One that is empty after all excludes nothing; in an OR it finds nothing."""
    found = vector(actor).op("@@", is_comparison=True)(query)
    return found if or_nothing else or_(is_empty(query), found)


def is_empty(query: Tsquery) -> Expression:
    """Say that nothing is left of a query, as all its words are in every text."""
    return func.numnode(query) == 0


def vector(actor: Actor) -> Tsquery:
    """Return the lexemes that the actor may search: internal notes are for the desk alone."""
    if actor.is_staff:
        return func.coalesce(SearchDocument.staff_vector, SearchDocument.public_vector)
    return SearchDocument.__table__.c.public_vector


def positive_words(node: Node | None) -> Tsquery | None:
    """Return a `tsquery` for any of the words that a ticket is to have, for ranking and marking; None without any."""
    words = [] if node is None else _positive(node)
    return _folded("tsquery_or", tuple(words)) if words else None


def _positive(node: Node, *, negated: bool = False) -> list[Words]:
    match node:
        case Words():
            return [] if negated else [node]
        case Not():
            return _positive(node.item, negated=not negated)
        case And() | Or():
            return [words for item in node.items for words in _positive(item, negated=negated)]
        case _:
            return []


def _folded(function: str, nodes: tuple[Node, ...]) -> Tsquery:
    first, *others = map(tsquery, nodes)
    for other in others:
        first = getattr(func, function)(first, other, type_=TSQUERY)
    return first


def _phrase(text: str) -> Tsquery:
    return func.phraseto_tsquery(LANGUAGE, func.deskbell_words(text))


def _prefix(text: str) -> Tsquery:
    """A phrase of which the last word may go on: `'card' <-> 'arriv':*`. No part can hold a quotation mark."""
    parts = [f"'{part}'" for part in text.translate(_TO_SPACES).split()]
    return func.to_tsquery(LANGUAGE, " <-> ".join(parts) + ":*" if parts else "")
