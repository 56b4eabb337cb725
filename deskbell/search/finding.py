"""Finding tickets: a query and a place in its result in, the ids of a page out, in order.

Where few fit, words that are written alike do as well. By relevance the newest matches compete, as ranking all of those
of a common word would take a second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.orm import Session

from deskbell.kernel.lanes.pipelining import run
from deskbell.kernel.paging import Cursor, Page, SortKey, check_limit, fingerprint, foreign_cursor
from deskbell.kernel.plans import plan_for_values
from deskbell.search.language import Query, print_query
from deskbell.search.likeness import widened
from deskbell.search.names import Hint
from deskbell.search.queries import prepare
from deskbell.search.rankings import RANKED, kept_ranking, ranking
from deskbell.search.sizes import window_of
from deskbell.search.sorting import Order
from deskbell.search.windows import Ids, matches
from deskbell.search.words import Tsquery
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import NEWEST_FIRST, listed_by_ids

FEW: Final = 5
"""Matches below which words that are written alike do as well."""
BY_RELEVANCE: Final = Order(())
"""As a `default`."""
BEST: Final = 20
"""Rows of a page by relevance: each has a piece of its text, and who looks for words looks at the first ones."""


@dataclass(frozen=True, slots=True)
class Found:
    """The ids of a page, in order. `query` is the one that was run, with `corrections` by word where it was widened.

    `previous_cursor` leads to the page before: the rows that come right before the first one here.
    """

    ids: tuple[int, ...]
    next_cursor: Cursor | None
    query: Query
    words: Tsquery | None
    hints: tuple[Hint, ...] = ()
    corrections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    previous_cursor: Cursor | None = None


def find(
    session: Session,
    query: str | Query,
    *,
    limit: int = 50,
    cursor: Cursor | None = None,
    scope: str = "",
    default: Order | None = None,
    widen: bool = True,
) -> Found:
    """Return a page of the tickets that fit, as the session's actor may see them.

    `default` is the order where the query says none: last changed first. `scope` is who asks where, for the cursor.
    Without `widen` a ticket must have the very words, as it must to be counted.
    At most eight statements, however many fit. Raises QueryError, and InvalidError for another query's cursor.
    """
    check_limit(limit)
    plan_for_values(session)
    order = default or Order(NEWEST_FIRST)
    search = _Search(session, query, order, scope)
    if not widen or cursor is None or search.has_made(cursor):
        found = search.page(limit, cursor)
        if not widen or cursor is not None or found.words is None or len(found.ids) >= min(FEW, limit):
            return found
        wide, corrections = widened(session, found.query)
        if not corrections:
            return found
    else:
        wide, corrections = widened(session, search.prepared.query)
    search = _Search(session, wide, order, scope)
    return replace(search.page(limit, cursor), corrections=corrections)


def find_tickets(
    session: Session, query: str | Query, *, limit: int = 50, cursor: Cursor | None = None, scope: str = ""
) -> Page[Ticket]:
    """Return the same page as tickets, as a list shows them: those that have the very words, last changed first."""
    found = find(session, query, limit=limit, cursor=cursor, scope=scope, widen=False)
    return Page(tuple(listed_by_ids(session, found.ids)), found.next_cursor)


class _Search:
    """A query that was understood, with the keys of its order and its name in a cursor."""

    def __init__(self, session: Session, query: str | Query, default: Order, scope: str) -> None:
        self.session, self.prepared = session, prepare(session, query)
        self.name = f"{scope} {print_query(self.prepared.query)}"
        order = self.prepared.order or default
        self.is_ranked = order.is_by_relevance and self.prepared.words is not None
        self.keys = RANKED if self.is_ranked else order.keys or NEWEST_FIRST
        self.back = tuple(replace(key, descending=not key.descending) for key in self.keys)

    def has_made(self, cursor: Cursor) -> bool:
        return cursor.fingerprint in {fingerprint(self.keys, self.name), fingerprint(self.back, self.name)}

    def page(self, limit: int, cursor: Cursor | None) -> Found:
        """Return a page; a cursor that was made for the reversed order leads backwards."""
        if cursor is not None and not self.has_made(cursor):
            raise foreign_cursor()
        if cursor is None or cursor.fingerprint == fingerprint(self.keys, self.name):
            rows = self._rows(self.keys, limit, cursor)
            return self._found(rows[:limit], has_more=len(rows) > limit, has_less=cursor is not None)
        rows = self._rows(self.back, limit, cursor)
        if len(rows) <= limit:  # the beginning: shown from there on, and not as a page that is too short
            return self.page(limit, None)
        return self._found(rows[:limit][::-1], has_more=True, has_less=True)

    def _rows(self, keys: Sequence[SortKey], limit: int, cursor: Cursor | None) -> Sequence[Row[*tuple[Any, ...]]]:
        if not self.is_ranked:
            return self.session.execute(self._sorted(keys, limit, cursor)).all()
        kept = kept_ranking(self.session, self.prepared, limit) if cursor is None else None
        if kept is not None:
            return run(self.session, *kept).all()
        statement = ranking(self.prepared, keys, limit=limit, cursor=cursor, name=self.name)
        return self.session.execute(statement).all()

    def _found(self, rows: Sequence[Row[*tuple[Any, ...]]], *, has_more: bool, has_less: bool) -> Found:
        following = Cursor(tuple(rows[-1])[1:], fingerprint(self.keys, self.name)) if has_more else None
        previous = Cursor(tuple(rows[0])[1:], fingerprint(self.back, self.name)) if has_less and rows else None
        ids, prepared = tuple(row.id for row in rows), self.prepared
        found = Found(ids, following, prepared.query, prepared.words, prepared.hints)
        return replace(found, previous_cursor=previous)

    def _sorted(self, keys: Sequence[SortKey], limit: int, cursor: Cursor | None) -> Ids:
        window = window_of(self.session, self.prepared)
        return matches(self.prepared, keys, limit=limit, cursor=cursor, query=self.name, window=window)
