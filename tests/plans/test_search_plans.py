"""What people search for reads a window of tickets or asks the index of words, by date, by relevance and corrected."""

from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.paging import Cursor
from deskbell.search.finding import BY_RELEVANCE, find
from deskbell.search.queries import prepare
from deskbell.search.snippets import snippets
from deskbell.search.sorting import Order
from deskbell.search.windows import WINDOW, matches
from deskbell.tickets.queries import NEWEST_FIRST
from tests.plans.conftest import BigDesk
from tests.plans.explain import Plans, explaining

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


@pytest.mark.parametrize(
    "query", ["card account", "seldom5 rare5", "seldom5", "nowhere", "word17 word18", "seldom5 -rare5"]
)
def test_a_plan_that_is_kept_for_all_words_asks_the_index_for_each_of_them(
    desk: BigDesk, agent: Actor, query: str
) -> None:
    """An OR with what is no word made PostgreSQL read all documents, as soon as it did not know the words any more."""
    with desk.database.transaction(agent) as session:
        statement = Statement(matches(prepare(session, query), NEWEST_FIRST, limit=50, window=512))
        plans = Plans(MOST)
        plans.examine(query, kept_plan(session, statement), desk.big)
    assert plans.faults == []


def kept_plan(session: Session, statement: Statement) -> dict[str, object]:
    """Run a statement by the plan that suits all values, and return that plan."""
    session.execute(text("set local plan_cache_mode = 'force_generic_plan'"))
    values = [b"null" if value is None else b"'%s'" % value.replace(b"'", b"''") for value in statement.parameters({})]
    with closing(session.connection().connection.cursor()) as cursor:
        cursor.execute(b"prepare kept as " + statement.sql)
        cursor.execute(b"explain (analyze, timing off, format json) execute kept (%s)" % b", ".join(values))
        [[[found]]] = cursor.fetchall()
        cursor.execute(b"deallocate kept")
    plan: dict[str, object] = found["Plan"]
    return plan
