"""Pages of matches, newest window first, so that neither a common nor a rare word takes long.

PostgreSQL either walks the tickets by date and looks at the words of each, or asks the index of words for all matches
and sorts them. It chooses by an estimate, which is far off for phrases, for words that go together and for words that
went out of use; a walk that was chosen wrongly reads every ticket. So the walk ends after a window of the newest
tickets that fit otherwise. Only where these have too few matches is the index asked: there are not many then.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import log2, sqrt
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, FromClause, Select, func, not_, or_, select, true, union_all

from deskbell.kernel.fields import Expression
from deskbell.kernel.paging import Cursor, SortKey, keyset
from deskbell.search.queries import Prepared
from deskbell.tickets.documents import SearchDocument
from deskbell.tickets.models import Ticket

WINDOW: Final = 5_000
"""Tickets whose words are looked at one by one: some 20 ms."""

SMALLEST_WINDOW: Final = 128

Ids = Select[*tuple[Any, ...]]
Keys = Sequence[SortKey]


def window_for(tickets: float) -> int:
    """Return a window for a desk of about so many tickets, at most `WINDOW`.

    What is looked at in vain grows with the window, and what the index may have beyond it with the desk over the
    window: together they are least where the window grows with the square root. By powers of two, so that it stays.
    """
    wanted = max(2 * sqrt(max(tickets, 0)), SMALLEST_WINDOW)
    return min(WINDOW, 1 << round(log2(wanted)))


def matches(
    prepared: Prepared,
    keys: Keys,
    *,
    limit: int,
    enough: int | None = None,
    cursor: Cursor | None = None,
    query: str = "",
    further: Sequence[ColumnElement[bool]] = (),
    window: int = WINDOW,
) -> Ids:
    """Return up to `limit` + 1 rows of an id and the sort values, in order, that fit a query and `further` conditions.

    The columns are `id` and, for each key, `key_` and its name. More than `enough` (default: `limit`) from the window
    will do. `cursor` and `query` are as in `deskbell.kernel.paging.keyset`.
    """
    wanted = prepared.narrow_but_for_text(select(*_columns(keys)).select_from(Ticket)).where(*further)
    page = keyset(wanted, keys, limit=1, cursor=cursor, query=query).limit(limit + 1)
    if prepared.text is None:
        return page
    newest = page.limit(window).cte("newest")
    near = _sorted(_with_words(newest, prepared.text), newest, keys).limit(limit + 1).cte("near")
    is_answer = or_(_count(newest) < window, _count(near) > (limit if enough is None else enough))
    rest = _of_documents(page.order_by(None), prepared.text).cte("rest").prefix_with("materialized")
    deep = _sorted(select(rest), rest, keys).limit(limit + 1).subquery("deep")
    found = union_all(select(near).where(is_answer), select(deep).where(not_(is_answer))).subquery("found")
    return _sorted(select(found), found, keys)


def _columns(keys: Keys) -> list[ColumnElement[Any]]:
    return [Ticket.id.label("id"), *(key.column.label(f"key_{key.name}") for key in keys)]


def _with_words(tickets: CTE, text: Expression) -> Ids:
    """Look at the documents one by one: of a join PostgreSQL may think that reading all documents were cheaper."""
    fits = select(text).where(SearchDocument.ticket_id == tickets.c.id).correlate(tickets).scalar_subquery()
    return select(tickets).where(fits)


def _of_documents(tickets: Ids, text: Expression) -> Ids:
    """Begin with the documents and look up the ticket of each: told of too many, a join would read all tickets."""
    matched = select(SearchDocument.ticket_id).where(text).cte("matched")
    ticket = tickets.where(Ticket.id == matched.c.ticket_id).limit(1).lateral("ticket")
    return select(ticket).select_from(matched.join(ticket, true()))


def _sorted(statement: Ids, source: FromClause, keys: Keys) -> Ids:
    return statement.order_by(*(replace(key, column=source.c[f"key_{key.name}"]).order() for key in keys))


def _count(source: CTE) -> ColumnElement[int]:
    return select(func.count()).select_from(source).scalar_subquery()
