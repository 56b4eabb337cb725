"""What a query is once it is read: a tree of words and conditions. Equal trees may have stood in different places."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as member
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the text: zero-based characters from `start` up to, not including, `end`."""

    start: int
    end: int


NOWHERE = Span(0, 0)


class Operator(StrEnum):
    """How a condition compares."""

    IS = ":"
    ABOVE = ">"
    FROM = ">="
    BELOW = "<"
    TO = "<="


@dataclass(frozen=True, slots=True)
class Words:
    """Words that the text must have next to each other.

    `is_prefix`: the last one may go on. `is_quoted`: they are meant as they are written.
    """

    text: str
    is_prefix: bool = False
    is_quoted: bool = False
    span: Span = member(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a condition. A quoted one is taken literally: `tag:"none"` is the tag called none."""

    text: str
    is_quoted: bool = False
    span: Span = member(default=NOWHERE, compare=False, repr=False)

    def says(self, keyword: str) -> bool:
        """Whether this is the keyword, which quoting would make a plain name."""
        return not self.is_quoted and self.text.lower() == keyword


@dataclass(frozen=True, slots=True)
class Condition:
    """`field:value`, with `:` any of several values; the field's name is in lower case."""

    field: str
    operator: Operator
    values: tuple[Value, ...]
    span: Span = member(default=NOWHERE, compare=False, repr=False)

    @property
    def name_span(self) -> Span:
        """Where the field's name stands."""
        return Span(self.span.start, self.span.start + len(self.field))

    @property
    def operator_span(self) -> Span:
        """Where the operator stands."""
        return Span(self.name_span.end, self.name_span.end + len(self.operator))

    @property
    def values_span(self) -> Span:
        """Where the values stand."""
        return Span(self.values[0].span.start, self.values[-1].span.end)


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    item: "Node"
    span: Span = member(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more hold."""

    items: tuple["Node", ...]
    span: Span = member(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more holds."""

    items: tuple["Node", ...]
    span: Span = member(default=NOWHERE, compare=False, repr=False)


Leaf = Words | Condition
Node = Leaf | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, None for everything, and what `sort:` says, first key first."""

    tree: Node | None = None
    sort: tuple[Value, ...] = ()

    @property
    def has_words(self) -> bool:
        """Whether anything is looked for in texts."""
        return any(isinstance(leaf, Words) for leaf in self.leaves())

    def leaves(self) -> Iterator[Leaf]:
        """Yield words and conditions from left to right."""
        return iter(()) if self.tree is None else _leaves(self.tree)


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, And | Or):
        for item in node.items:
            yield from _leaves(item)
    elif isinstance(node, Not):
        yield from _leaves(node.item)
    else:
        yield node
