"""Queries that differ in their words alone are one statement with other parameters: the template that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from deskbell.kernel.actor import Actor
from deskbell.kernel.fields import Choice, Field, Fields, Name
from deskbell.kernel.lanes.statements import Statement
from deskbell.search.language import MAXIMUM_TERMS, And, Condition, Node, Not, Or, Query, Words, parse
from deskbell.search.values import is_keyword

SLOTS: Final = tuple(f"word {number}" for number in range(MAXIMUM_TERMS))
"""Stand for words, and are recognised as these very objects."""
Names = tuple[tuple[str, ...], ...]
"""The parameters that each word of a template stands for."""


@dataclass(frozen=True, slots=True)
class Template:
    """A query with slots for its words. `is_personal`: it means something else for somebody else."""

    query: Query
    words: tuple[str, ...]
    is_personal: bool

    @property
    def has_words(self) -> bool:
        """Whether it has any, those that are not replaced among them."""
        return self.query.has_words

    @property
    def is_words_alone(self) -> bool:
        """Whether it is nothing but words that are replaced."""
        return len(self.words) == sum(1 for _ in self.query.leaves())

    @property
    def slots(self) -> tuple[str, ...]:
        """The texts that stand for the words."""
        return SLOTS[: len(self.words)]

    def names_in(self, statement: Statement) -> Names:
        """Return which parameters of a statement of this template each word is: none where it was made into others."""
        return tuple(tuple(statement.names_of(slot)) for slot in self.slots)


def by_name(names: Names, words: Sequence[str]) -> dict[str, str]:
    """Return the values of these parameters."""
    return {name: word for each, word in zip(names, words, strict=True) for name in each}


def template_of(query: Query, known: Mapping[str, Field]) -> Template | None:
    """Return the template; None where the statement depends on more: on the time, or on names to be looked up."""
    words: list[str] = []
    fields: list[Field] = []
    tree = None if query.tree is None else _shape(query.tree, known, words, fields)
    if tree is None and query.tree is not None:
        return None
    return Template(replace(query, tree=tree), tuple(words), any(isinstance(field, Name) for field in fields))


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text says. `shape` is the same number for all queries with the same template, and None without one."""

    query: Query
    has_words: bool
    template: Template | None
    shape: int | None


class Readings:
    """Reads queries, and remembers the last ones: agents open the same lists all day."""

    def __init__(self, fields: Fields, remembered: int) -> None:
        """Remember so many texts, and so many shapes."""
        self._fields, self._remembered = fields, remembered
        self._texts: dict[tuple[str, bool], Understood] = {}
        self._shapes: dict[Query, int] = {}
        self._numbers = count()

    def of(self, text: str, actor: Actor) -> Understood:
        """Return what a text says to the actor. Raises QueryError."""
        found = self._texts.get((text, actor.is_staff))
        if found is None:
            query = parse(text)
            template = template_of(query, self._fields.known_to(actor))
            found = Understood(
                query, query.has_words, template, None if template is None else self._shape_of(template.query)
            )
            if len(self._texts) >= self._remembered:
                self._texts.clear()
            self._texts[text, actor.is_staff] = found
        return found

    def _shape_of(self, query: Query) -> int:
        shape = self._shapes.get(query)
        if shape is None:
            if len(self._shapes) >= self._remembered:
                self._shapes.clear()  # the numbers go on: none of them ever means two shapes
            shape = self._shapes[query] = next(self._numbers)
        return shape


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
