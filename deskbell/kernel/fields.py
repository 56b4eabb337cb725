"""What a slice declares about the fields of the query language; `wiring.py` lists the slices' declarations.

A field says what it is, whom it is for and which column or condition stands behind it. How its values are read and
compared follows from its kind and is the affair of `deskbell.search`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Self, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.paging import SortKey

FIELDS_KEY = "deskbell.fields"

Expression = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and when: `now` is aware; days begin at midnight in the actor's time zone."""

    actor: Actor
    now: datetime
    ticket_prefix: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """A table with exactly one row for each ticket, in which a field is kept."""

    target: type[Any]
    on: Expression


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """What all kinds have in common. `examples` are whole conditions, for the reference and for completion."""

    help: str
    examples: tuple[str, ...]
    staff_only: bool = False
    join: Join | None = None

    @property
    def is_nullable(self) -> bool:
        """Whether its conditions may be neither true nor false."""
        return False

    @property
    def is_comparable(self) -> bool:
        """Whether its values have an order, so that `<` and `>` mean something."""
        return False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ColumnField(Field):
    """A field that is one column; customers may have another one, which counts only what is public."""

    column: ColumnElement[Any]
    customer_column: ColumnElement[Any] | None = None

    @property
    def is_nullable(self) -> bool:
        """As the column."""
        return bool(getattr(self.column, "nullable", True))

    def column_for(self, actor: Actor) -> ColumnElement[Any]:
        """Return the column that the actor may read."""
        return self.column if actor.is_staff or self.customer_column is None else self.customer_column


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Choice(ColumnField):
    """One of a few values; `is_ordered`: from the least to the most."""

    values: tuple[str, ...]
    is_ordered: bool = False

    @property
    def is_comparable(self) -> bool:
        """Where they are ordered."""
        return self.is_ordered


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Time(ColumnField):
    """A moment. Where it can be NULL, `none` is a value."""

    @property
    def is_comparable(self) -> bool:
        """Earlier is less."""
        return True


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Number(ColumnField):
    """A whole number, not negative."""

    @property
    def is_comparable(self) -> bool:
        """As numbers are."""
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """Where things of a kind are found by their unique name, in any case of its letters; `detail` says more of them.

    `is_large`: there may be so many that looking at each takes too long; there is an index on `lower(name)`.
    """

    kind: str
    id: ColumnElement[int]
    name: ColumnElement[str]
    detail: ColumnElement[str] | None = None
    is_large: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Name(Field):
    """A thing with a name: `having(ids)` says that the ticket has one of them, `lacking`, for `none`, that it has none.

    `me`: people, of whom the actor is one. `can_be_null`: `having` compares a column that can be NULL. `offered` says
    which few of the things an editor offers; the others can be found by who knows them.
    """

    catalog: Catalog
    having: Callable[[Sequence[int]], Expression]
    lacking: Expression | None = None
    me: bool = False
    can_be_null: bool = False
    offered: Expression | None = None

    @property
    def is_nullable(self) -> bool:
        """As declared."""
        return self.can_be_null


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Text(Field):
    """Any text, to which the slice gives its meaning; `having` returns an expression that is never NULL."""

    having: Callable[[str, Context], Expression]


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """A value of `is:` or `has:`. `condition` is never NULL.

    `is_about_deleted`: a query that uses it decides by itself whether deleted tickets are among what it finds.
    """

    help: str
    condition: Callable[[Context], Expression]
    staff_only: bool = False
    join: Join | None = None
    is_about_deleted: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Flags(Field):
    """`is:` and `has:`, whose values come from many slices."""

    flags: Mapping[str, Flag]


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """A value of `sort:`: keys in ascending order, which need not be unique. Without keys it is by relevance.

    `then` are further keys where nothing else is said to sort by, so that an index serves the order. `descends` is the
    way it goes when neither -asc nor -desc is said.
    """

    help: str
    keys: tuple[SortKey, ...]
    then: tuple[SortKey, ...] = ()
    descends: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """The fields, the values of `is:` and `has:`, and the ways to sort that some slices declare."""

    fields: Mapping[str, Field] = field(default_factory=dict)
    is_: Mapping[str, Flag] = field(default_factory=dict)
    has: Mapping[str, Flag] = field(default_factory=dict)
    sorts: Mapping[str, Sort] = field(default_factory=dict)

    @classmethod
    def merged(cls, *parts: "Fields") -> Self:
        """Put several slices' declarations together. That two declare the same name is a mistake, and a ValueError."""
        return cls(
            _merged(part.fields for part in parts),
            _merged(part.is_ for part in parts),
            _merged(part.has for part in parts),
            _merged(part.sorts for part in parts),
        )

    def known_to(self, actor: Actor) -> Mapping[str, Field]:
        """Return the fields that exist for the actor, `is` and `has` among them."""
        return _known(self, actor.is_staff)


T = TypeVar("T", Field, Flag)


@lru_cache(maxsize=8)
def _known(fields: Fields, is_staff: bool) -> Mapping[str, Field]:  # noqa: FBT001 - what it is kept by
    def visible(declared: Mapping[str, T]) -> dict[str, T]:
        return {name: its for name, its in declared.items() if is_staff or not its.staff_only}

    return {
        **visible(fields.fields),
        "is": Flags(help="what holds of the ticket", examples=("is:overdue",), flags=visible(fields.is_)),
        "has": Flags(help="what the ticket has", examples=("has:attachment",), flags=visible(fields.has)),
    }


def one_of(column: ColumnElement[Any], values: Sequence[object]) -> Expression:
    """Say that the column has one of the values: where there is one alone, that it is equal."""
    return column == values[0] if len(values) == 1 else column.in_(values)


def fields_of(session: Session) -> Fields:
    """Return the fields that the edge gave this session."""
    fields: Fields = session.info[FIELDS_KEY]
    return fields


def _merged(parts: Iterator[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        if twice := merged.keys() & part.keys():
            raise ValueError(f"two slices declare {', '.join(sorted(twice))}: give one of them another name")
        merged |= part
    return merged
