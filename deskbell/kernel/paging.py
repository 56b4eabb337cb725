"""Keyset pages: each begins after the last row of the one before, so page 10,000 costs what page 1 does.

No row is skipped or repeated while others arrive. `keyset` makes the statement, `page` reads its rows, and a `Cursor`
goes from one to the other.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, UnaryExpression, and_, false, literal, or_, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from deskbell.kernel.crypto import sign, unsign
from deskbell.kernel.errors import InvalidError

MAX_LIMIT: Final = 200
_PURPOSE: Final = "cursor/1"
_compact: Final = json.JSONEncoder(separators=(",", ":")).encode

Value = str | int | datetime | None
T = TypeVar("T")
S = TypeVar("S", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column to sort by. NULLs come last in both directions, so an index for `descending` says NULLS LAST too.

    Whether it can be NULL or is unique is taken from the column. Say so where the column cannot know: the far side of
    an outer join can be NULL. An expression must be labelled, and selected under its label.
    """

    column: InstrumentedAttribute[Any] | ColumnElement[Any]
    descending: bool = False
    nullable: bool | None = None
    unique: bool | None = None

    @property
    def name(self) -> str:
        """The attribute under which a row carries the value."""
        name = getattr(self.column, "key", None)
        if not name:
            raise ValueError(f"{self.column} has no name: give the expression a label to sort by")
        return str(name)

    @property
    def can_be_null(self) -> bool:
        """Whether NULL can occur; an expression is not trusted."""
        return bool(getattr(self._element, "nullable", True)) if self.nullable is None else self.nullable

    @property
    def is_unique(self) -> bool:
        """Whether no two rows share a value: said so, a one-column primary key, or `unique=True`."""
        if self.unique is not None:
            return self.unique
        element = self._element
        alone = getattr(element, "primary_key", False) and len(element.table.primary_key) == 1
        return bool(alone or getattr(element, "unique", False))

    @property
    def _element(self) -> Any:  # noqa: ANN401 - a Column, an annotated one, or any expression
        return self.column.__clause_element__() if isinstance(self.column, InstrumentedAttribute) else self.column

    def order(self) -> UnaryExpression[Any]:
        """ORDER BY this."""
        ordered = self.column.desc() if self.descending else self.column.asc()
        return ordered.nulls_last() if self.can_be_null else ordered

    def bound(self, value: Value) -> ColumnElement[Any]:
        """`value` as a parameter of the column's type."""
        return literal(value, self.column.type)

    def equal(self, value: Value) -> ColumnElement[bool]:
        """Rows that have this value."""
        return self.column.is_(None) if value is None else self.column == self.bound(value)

    def beyond(self, value: Value) -> ColumnElement[bool] | None:
        """Rows that come strictly after `value`; None when there can be none."""
        if value is None:
            return None
        strictly = self.column < self.bound(value) if self.descending else self.column > self.bound(value)
        return or_(strictly, self.column.is_(None)) if self.can_be_null else strictly

    def from_(self, value: Value) -> ColumnElement[bool]:
        """Rows that have `value` or come after it, of a column without NULLs."""
        return self.column <= self.bound(value) if self.descending else self.column >= self.bound(value)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one ordered query: the sort values of the last row seen, and the fingerprint of the query.

    Outside it is one opaque, signed text. Text, integers, aware times and None can be sort values.
    """

    values: tuple[Value, ...]
    fingerprint: str

    def seal(self, key: bytes) -> str:
        """Write it as text, safe in a URL, that nobody without `key` can make or change."""
        payload = [self.fingerprint, *map(_packed, self.values)]
        return sign(key, _PURPOSE, _compact(payload).encode())

    @classmethod
    def unseal(cls, text: str, key: bytes) -> "Cursor":
        """Read what `seal` wrote with the same `key`. Raises InvalidError for anything else."""
        try:
            payload = unsign(key, _PURPOSE, text)
        except InvalidError:
            raise InvalidError(
                "The cursor was altered or cut short, or comes from another server. Begin again without a cursor.",
                field="cursor",
            ) from None
        fingerprint, *values = json.loads(payload)
        return cls(tuple(map(_unpacked, values)), fingerprint)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a longer result, and where the next ones begin; `next_cursor` is None on the last page."""

    items: tuple[T, ...]
    next_cursor: Cursor | None

    @property
    def has_more(self) -> bool:
        """Whether further rows follow."""
        return self.next_cursor is not None


def keyset(statement: S, order: Sequence[SortKey], *, limit: int, cursor: Cursor | None = None, query: str = "") -> S:
    """Return the page of `statement` after `cursor`: sorted by `order`, and one row longer than `limit` (1 to 200).

    The last key of `order` must be unique. An ORDER BY that is already there is replaced. `query` is any text that says
    what is asked for (the search, who asks): a cursor made for another query or order is refused with InvalidError.
    """
    check_limit(limit)
    if not order or not order[-1].is_unique:
        raise ValueError("Rows with equal sort values would be lost between pages: end the order with a unique key")
    if cursor is not None:
        if cursor.fingerprint != fingerprint(order, query):
            raise foreign_cursor()
        statement = statement.where(_after(order, cursor.values))
    return statement.order_by(None).order_by(*(key.order() for key in order)).limit(limit + 1)


def page(rows: Sequence[T], order: Sequence[SortKey], *, limit: int, query: str = "") -> Page[T]:
    """Return the page in `rows`, which are all that `keyset` found with the same `order`, `limit` and `query`.

    A row is an entity or a result row that carries each sort value under the name of its column or label.
    """
    items = tuple(rows[:limit])
    if len(rows) <= limit:
        return Page(items, None)
    values = tuple(getattr(items[-1], key.name) for key in order)
    return Page(items, Cursor(values, fingerprint(order, query)))


def check_limit(limit: int) -> None:
    """Raise InvalidError unless a page of `limit` rows is allowed."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidError(f"limit is {limit}: ask for 1 to {MAX_LIMIT} rows a page.", field="limit")


def foreign_cursor() -> InvalidError:
    """Make the error for a cursor that another query has made."""
    message = "The cursor belongs to another query or another order. Begin again without a cursor."
    return InvalidError(message, field="cursor")


def fingerprint(order: Sequence[SortKey], query: str = "") -> str:
    """Return 22 characters that stand for the query, the sort keys and their directions."""
    return _fingerprint(query, _described(tuple(order)))


@lru_cache(maxsize=1000)
def _fingerprint(query: str, order: tuple[str, ...]) -> str:
    return hashlib.sha256(_compact([query, *order]).encode()).hexdigest()[:22]


@lru_cache
def _described(order: tuple[SortKey, ...]) -> tuple[str, ...]:
    return tuple(f"{key.column}{' desc' if key.descending else ''}" for key in order)


def _after(order: Sequence[SortKey], values: Sequence[Value]) -> ColumnElement[bool]:
    """Rows strictly after `values`, as one row comparison if possible: PostgreSQL enters a composite index with it."""
    pairs = list(zip(order, values, strict=True))
    if len({key.descending for key in order}) == 1 and not any(key.can_be_null for key in order):
        columns, bounds = tuple_(*(key.column for key in order)), tuple_(*(key.bound(value) for key, value in pairs))
        return columns < bounds if order[0].descending else columns > bounds
    return _expanded(pairs)


def _expanded(pairs: Sequence[tuple[SortKey, Value]]) -> ColumnElement[bool]:
    """Write out `a > x or (a = x and b < y)`; `a >= x` before it gives an index on `a` a place to begin."""
    terms: list[ColumnElement[bool]] = []
    for index, (key, value) in enumerate(pairs):
        beyond = key.beyond(value)
        if beyond is not None:
            terms.append(and_(*(earlier.equal(its) for earlier, its in pairs[:index]), beyond))
    first, value = pairs[0]
    either = or_(false(), *terms)
    return either if first.can_be_null else and_(first.from_(value), either)


def _packed(value: object) -> object:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone: sort by an aware time")
        return [value.isoformat()]
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"a cursor cannot hold {type(value).__name__} ({value!r})")


def _unpacked(value: Any) -> Value:  # noqa: ANN401 - straight from JSON
    return datetime.fromisoformat(value[0]) if isinstance(value, list) else value
