"""Words that are written like others: how a search with a typing error finds something all the same.

Staff draw on the words of all documents. Customers draw on those of their own newest tickets and on no other's, nor
on internal notes: not even the number of their matches may tell what others wrote.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from sqlalchemy import Text, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.search.language import And, Node, Or, Query, Words

MOST: Final = 4
"""Words that one word is widened by."""
FREQUENT: Final = 20
"""In so many of the newest 20,000 documents stands a word that needs no correction."""
LIKE_ENOUGH: Final = 0.38
"""Similarity by trigrams (0 to 1): `refudn` is like `refund` by 0.4."""
SHORTEST: Final = 4
"""Letters of a word that is worth it: below, everything is like everything."""


def _statement(source: str) -> TextClause:
    arrays = (bindparam(name, type_=ARRAY(Text)) for name in ("asked", "forms"))
    return text(source).bindparams(*arrays)


_SIMILAR = """
with asked as (
  select a.word, a.word = a.form as as_written, (tsvector_to_array(deskbell_vector(a.form)))[1] as lexeme
    from unnest(cast(:asked as text[]), cast(:forms as text[])) a (word, form)
){known}, frequent as (
  select a.word from asked a join {source} k on k.word = a.lexeme where a.as_written and k.weight >= :frequent
)
select a.word, l.word
  from asked a, lateral (
    (select k.word, similarity(k.word, a.lexeme) + 0.1 * log(1 + k.weight) as likeness from {source} k
      where a.as_written and k.word % a.lexeme and k.word <> a.lexeme and similarity(k.word, a.lexeme) >= :like_enough
      order by likeness desc limit 20)
    union all
    (select k.word, 1 + 0.1 * log(1 + k.weight) from {source} k where not a.as_written and k.word = a.lexeme limit 1)
  ) l
 where (tsvector_to_array(deskbell_vector(l.word)))[1] = l.word and a.word not in (select word from frequent)
 order by a.word, l.likeness desc, l.word
"""
_SIMILAR_TO_ALL = _statement(_SIMILAR.format(known="", source="search_words"))
_SIMILAR_TO_OWN = _statement(
    _SIMILAR.format(
        known=""", known as materialized (
  select distinct unnest(tsvector_to_array(d.public_vector)) as word, 0 as weight
    from (select id from tickets order by updated_at desc limit 500) t join search_documents d on d.ticket_id = t.id
)""",
        source="known",
    )
)


def widened(session: Session, query: Query) -> tuple[Query, dict[str, tuple[str, ...]]]:
    """Return the query in which similar words will do as well, and which they are. At most one statement.

    Phrases, prefixes, and what is excluded stay as they are. Nothing similar: the query itself, and nothing.
    """
    words = sorted({leaf.text for leaf in _wanted(query.tree)})
    similar = similar_words(session, words) if words else {}
    tree = _replaced(query.tree, similar) if query.tree is not None and similar else query.tree
    return replace(query, tree=tree), similar


def similar_words(session: Session, words: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the lexemes that are like these words, by word, the most similar first; none for a word: left out."""
    statement = _SIMILAR_TO_ALL if actor_of(session).is_staff else _SIMILAR_TO_OWN
    asked, forms = zip(*_forms(words), strict=True)
    values = {"asked": asked, "forms": forms, "like_enough": LIKE_ENOUGH, "frequent": FREQUENT}
    found: dict[str, dict[str, None]] = {}
    for word, similar in session.execute(statement, values):
        found.setdefault(word, {})[similar] = None
    return {word: tuple(islice(likes, MOST)) for word, likes in found.items()}


def _wanted(node: Node | None) -> Iterator[Words]:
    """Yield the single words that a match must have, or may have."""
    if isinstance(node, And | Or):
        for item in node.items:
            yield from _wanted(item)
    elif isinstance(node, Words) and _may_differ(node) and node.text.isalpha() and len(node.text) >= SHORTEST:
        yield node


def _may_differ(words: Words) -> bool:
    """Whether it is not meant as it is written."""
    return not (words.is_prefix or words.is_quoted)


def _replaced(node: Node, similar: Mapping[str, tuple[str, ...]]) -> Node:
    if isinstance(node, And | Or):
        return replace(node, items=tuple(_replaced(item, similar) for item in node.items))
    if isinstance(node, Words) and _may_differ(node) and node.text in similar:
        return Or((node, *(Words(word) for word in similar[node.text])))
    return node


def _forms(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each word with itself and with each of its forms in which two neighbouring letters have changed places."""
    for word in words:
        yield word, word
        for place in range(len(word) - 1):
            yield word, word[:place] + word[place + 1] + word[place] + word[place + 2 :]
