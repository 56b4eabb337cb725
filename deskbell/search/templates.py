"""Queries that differ in their words alone are one statement with other parameters: the template that they share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from deskbell.kernel.fields import Choice, Field, Name
from deskbell.search.language import MAXIMUM_TERMS, And, Condition, Node, Not, Or, Query, Words
from deskbell.search.values import is_keyword

SLOTS: Final = tuple(f"word {number}" for number in range(MAXIMUM_TERMS))
"""Stand for words, and are recognised as these very objects."""


@dataclass(frozen=True, slots=True)
class Template:
    """A query with slots for its words. `is_personal`: it means something else for somebody else."""

    query: Query
    words: tuple[str, ...]
    is_personal: bool

    @property
    def has_words(self) -> bool:
        """Whether it has any, those that are not replaced among them."""
        return any(isinstance(leaf, Words) for leaf in self.query.leaves())

    @property
    def slots(self) -> tuple[str, ...]:
        """The texts that stand for the words."""
        return SLOTS[: len(self.words)]


def template_of(query: Query, known: Mapping[str, Field]) -> Template | None:
    """Return the template; None where the statement depends on more: on the time, or on names to be looked up."""
    words: list[str] = []
    fields: list[Field] = []
    tree = None if query.tree is None else _shape(query.tree, known, words, fields)
    if tree is None and query.tree is not None:
        return None
    return Template(replace(query, tree=tree), tuple(words), any(isinstance(field, Name) for field in fields))


def _shape(node: Node, known: Mapping[str, Field], words: list[str], fields: list[Field]) -> Node | None:
    match node:
        case Words(is_prefix=True):
            return node
        case Words():
            words.append(node.text)
            return replace(node, text=SLOTS[len(words) - 1])
        case Condition():
            field = known.get(node.field)
            fields.extend([] if field is None else [field])
            return node if _is_lasting(node, field) else None
        case Not():
            item = _shape(node.item, known, words, fields)
            return None if item is None else replace(node, item=item)
        case And() | Or():
            items = [_shape(item, known, words, fields) for item in node.items]
            found = tuple(item for item in items if item is not None)
            return replace(node, items=found) if len(found) == len(items) else None


def _is_lasting(term: Condition, field: Field | None) -> bool:
    """Whether the condition means the same tomorrow."""
    if isinstance(field, Name):
        return all(is_keyword(value, field) for value in term.values)
    return isinstance(field, Choice)
