"""What people search for reads a window of tickets or asks the index of words, by date, by relevance and corrected."""

import pytest

from deskbell.kernel.actor import Actor
from deskbell.kernel.paging import Cursor
from deskbell.search.finding import BY_RELEVANCE, find
from deskbell.search.snippets import snippets
from deskbell.search.sorting import Order
from deskbell.search.windows import WINDOW
from deskbell.tickets.queries import NEWEST_FIRST
from tests.plans.conftest import BigDesk
from tests.plans.explain import explaining

MOST = WINDOW + 500
"""Of 20,000 tickets."""
ORDERS = {"date": Order(NEWEST_FIRST), "relevance": BY_RELEVANCE}
QUERIES = (
    "card account",
    "word17 rare5",
    "rare5",
    "seldom5",
    "acccount",
    '"card account"',
    "accou*",
    "card -rare5",
    "card status:open",
    "card created>-1d",
)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("name", ["agent", "loner", "member"])
def test_a_search_and_its_second_page(
    desk: BigDesk, request: pytest.FixtureRequest, name: str, query: str, order: str
) -> None:
    who: Actor = request.getfixturevalue(name)
    cursor: Cursor | None = None
    with desk.database.transaction(who) as session, explaining(session, desk.big, MOST) as plans:
        for _ in range(2):
            found = find(session, query, limit=20, cursor=cursor, default=ORDERS[order])
            if found.words is not None and found.ids:
                snippets(session, found.ids, found.words)
            cursor = found.next_cursor
    assert plans.statements
    assert plans.faults == []
