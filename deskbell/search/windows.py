"""Pages of matches, in steps of which each costs little, so that neither a common nor a rare word takes long.

PostgreSQL either walks the tickets by date and looks at the words of each, or asks the index of words for all matches
and sorts them. It chooses by an estimate, which is far off for phrases, for words that go together and for words that
went out of use; a walk that was chosen wrongly reads every ticket. So it is told what to do, in one statement:

1. Look at the words of the newest tickets that fit otherwise: first at a few, then at a window of them where the few
   promise a page.
2. Ask the index of words for the ids of all matches. Where these are many, a page of them stands in a wider window,
   whose tickets are looked up in the list of ids: to walk over a ticket takes a tenth of reading its words.
3. Where they are few, or old, look up the ticket of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, log2, sqrt
from typing import Any, Final, TypeVar

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)

from deskbell.kernel.actor import Actor
from deskbell.kernel.fields import Expression
from deskbell.kernel.paging import Cursor, SortKey, keyset
from deskbell.search.queries import Prepared
from deskbell.search.words import Tsquery, is_empty
from deskbell.search.words import matches as matches_words
from deskbell.tickets.documents import SearchDocument
from deskbell.tickets.models import Ticket

WINDOW: Final = 4096
"""Tickets whose words are looked at one by one, at most: some 11 ms."""
SMALLEST_WINDOW: Final = 128
FEW: Final = 4
"""A quarter of the window is looked at first, and must have a quarter of a page for the others to be worth it."""
WIDER: Final = 3
"""How many windows make the wider one."""
MOST_LISTED: Final = 100_000
"""Ids that are kept in memory while tickets are walked over: beyond, PostgreSQL might refuse to hash them."""

Ids = Select[*tuple[Any, ...]]
Keys = Sequence[SortKey]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Reach:
    """How many of the newest tickets have their words looked at, and how many are looked up in the list of matches.

    More than `enough` matches among them will do.
    """

    near: int
    wide: int
    enough: int


def window_for(tickets: float) -> int:
    """Return a window for a desk of about so many tickets, at most `WINDOW`; less than none: unknown.

    What is looked at in vain grows with the window, and what the index may have beyond it with the desk over the
    window: together they are least where the window grows with the square root. By powers of two, so that it stays.
    """
    if tickets < 0:
        return WINDOW
    wanted = max(4 * sqrt(tickets), SMALLEST_WINDOW)
    return min(WINDOW, 1 << round(log2(wanted)))


def matches(
    prepared: Prepared,
    keys: Keys,
    *,
    limit: int,
    cursor: Cursor | None = None,
    query: str = "",
    further: Sequence[ColumnElement[bool]] = (),
    window: int = WINDOW,
    reach: Reach | None = None,
) -> Ids:
    """Return up to `limit` + 1 rows of an id and the sort values, in order, that fit a query and `further` conditions.

    The columns are `id` and, for each key, `key_` and its name. `reach` says what a page may be found in, by default
    `window`. `cursor` and `query` are as in `deskbell.kernel.paging.keyset`.
    """
    wanted = prepared.narrow_but_for_text(select(*_columns(keys)).select_from(Ticket)).where(*further)
    page = keyset(wanted, keys, limit=1, cursor=cursor, query=query).limit(_rows(limit + 1))
    if prepared.tsquery is None:
        return page
    words = _once("words", prepared.tsquery)
    reach = reach or Reach(window, window * WIDER, limit)
    return _Search(words, prepared.context.actor, page, keys, limit, reach).found()


@dataclass(frozen=True, slots=True)
class _Search:
    """What all steps know: `page` is of the tickets that fit apart from their words, which are worked out once."""

    words: Tsquery
    actor: Actor
    page: Ids
    keys: Keys
    limit: int
    reach: Reach

    def found(self) -> Ids:
        """Put the steps together: what a step is not asked for is not read."""
        near, is_near = self._near()
        matched = self._matched()
        walked, is_walked = self._walked(matched)
        rest = _tickets_of(matched, self.page.order_by(None)).cte("rest").prefix_with("materialized")
        deep = self._top(select(rest), rest).subquery("deep")
        found = union_all(
            *(select(part).where(is_near) for part in near),
            select(walked).where(not_(is_near), is_walked),
            select(deep).where(not_(is_near), not_(is_walked)),
        ).subquery("found")
        return self._top(select(found), found)

    def _matched(self) -> CTE:
        """Return the ids of all matches. Apart from the others, so that the index is asked whatever the words are."""
        ids = select(SearchDocument.ticket_id)
        of_some = ids.where(matches_words(self.words, self.actor, or_nothing=True))
        return union_all(of_some, ids.where(is_empty(self.words))).cte("matched")

    def _near(self) -> tuple[tuple[CTE, CTE], ColumnElement[bool]]:
        """Return the matches of the few newest and of the other ones in the window, and whether these will do."""
        text = matches_words(self.words, self.actor)
        newest = self.page.limit(_rows(self.reach.near)).cte("newest")
        few = self._sorted(select(newest), newest).limit(_rows(self.reach.near // FEW)).cte("few")
        others = self._sorted(select(newest), newest).offset(_rows(self.reach.near // FEW)).cte("others")
        first = self._top(_with_words(few, text), few).cte("first")
        are_all = _count(newest) < self.reach.near
        promised = ceil((self.reach.enough + 1) / FEW)
        goes_on = and_(_count(first) <= self.limit, or_(_count(first) >= promised, are_all))
        second = self._top(_with_words(others, text).where(goes_on), others).cte("second")
        return (first, second), _once("is_near", or_(_count(first) + _count(second) > self.reach.enough, are_all))

    def _walked(self, matched: CTE) -> tuple[CTE, ColumnElement[bool]]:
        """Return those of the wider window that are in the list, where this is long, and whether these will do."""
        wide = self.page.limit(_rows(self.reach.wide)).cte("wide")
        length = _once("length", _count(select(matched).limit(_rows(MOST_LISTED + 1)).subquery()))
        is_long = length.between(self.reach.near + 1, MOST_LISTED)
        listed = wide.c.id.in_(select(matched.c.ticket_id).limit(_rows(MOST_LISTED))).is_(true())
        walked = self._top(select(wide).where(is_long, listed), wide).cte("walked")
        will_do = or_(_count(walked) > self.reach.enough, _count(wide) < self.reach.wide)
        return walked, _once("is_walked", and_(is_long, will_do))

    def _sorted(self, statement: Ids, source: FromClause) -> Ids:
        return statement.order_by(*(replace(key, column=source.c[f"key_{key.name}"]).order() for key in self.keys))

    def _top(self, statement: Ids, source: FromClause) -> Ids:
        return self._sorted(statement, source).limit(_rows(self.limit + 1))


def _columns(keys: Keys) -> list[ColumnElement[Any]]:
    return [Ticket.id.label("id"), *(key.column.label(f"key_{key.name}") for key in keys)]


def _with_words(tickets: CTE, text: Expression) -> Ids:
    """Look at the documents one by one: of a join PostgreSQL may think that reading all documents were cheaper."""
    fits = select(text).where(SearchDocument.ticket_id == tickets.c.id).correlate(tickets).scalar_subquery()
    return select(tickets).where(fits)


def _tickets_of(matched: CTE, tickets: Ids) -> Ids:
    """Look up the ticket of each: told of too many, a join would read all tickets."""
    ticket = tickets.where(Ticket.id == matched.c.ticket_id).limit(_rows(1)).lateral("ticket")
    return select(ticket).select_from(matched.join(ticket, true()))


def _rows(number: int) -> ColumnElement[int]:
    """Write a number into the statement: of a plan that is kept PostgreSQL would have to guess it."""
    return literal_column(str(number), Integer)


def _count(source: FromClause) -> ColumnElement[int]:
    return select(func.count()).select_from(source).scalar_subquery()


def _once(name: str, value: ColumnElement[V]) -> ColumnElement[V]:
    """Have what several parts ask for found out by the first of them."""
    found = select(value.label("value")).cte(name).prefix_with("materialized")
    return select(found.c.value).scalar_subquery()
