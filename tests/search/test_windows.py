"""A page of matches is the same one whichever step finds it, and each step is taken where it is meant to be."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.explain import nodes
from deskbell.kernel.paging import Cursor, fingerprint
from deskbell.search.queries import compile_query, prepare
from deskbell.search.sizes import Window, window_of
from deskbell.search.windows import SMALLEST_WINDOW, WINDOW, Ids, matches, window_for
from deskbell.testing.factories import Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.queries import NEWEST_FIRST, ORDERS

TICKETS = 600
FILL = text("""
insert into tickets (title, description, creator_id, status, created_at, updated_at, deleted_at)
select 'Ticket', concat_ws(' ', 'card', case when n % 3 = 0 then 'third' end, case when n % 12 = 0 then 'twelfth' end,
                           case when n % 97 = 0 then 'rare' end, case when n < 150 then 'old' end),
       :who, (array['open', 'closed'])[1 + n % 2], timestamptz '2026-01-01' + n * 13 % 601 * interval '1 hour',
       timestamptz '2026-01-01' + n * interval '1 hour', case when n % 53 = 0 then now() end
  from (select i * 7 % 601 as n from generate_series(1, 600) i) numbers
""")
QUERIES = (
    "card",
    "third",
    "twelfth",
    "rare",
    "old",
    "third twelfth",
    "card -third",
    "nowhere",
    '"card third"',
    "rare*",
)


@pytest.fixture
def agent(factory: Factory) -> Actor:
    return actor(factory.user(Role.AGENT))


@pytest.fixture
def session(database: Database, factory: Factory, agent: Actor) -> Iterator[Session]:
    """A desk whose newest tickets are not the last ones that were added."""
    with database.transaction(Actor.system()) as session:
        session.execute(FILL, {"who": factory.user().id})
    with database.transaction(agent) as session:
        yield session


def steps(session: Session, statement: Ids) -> set[str]:
    """Return the parts of a statement that read a table."""
    compiled = statement.compile(dialect=session.get_bind().dialect)
    with closing(session.connection().connection.cursor()) as cursor:
        cursor.execute(f"explain (analyze, format json) {compiled}", compiled.params)
        [[[found]]] = cursor.fetchall()
    return {
        node["Subplan Name"].removeprefix("CTE ")
        for node in nodes(found["Plan"])
        if node.get("Subplan Name", "").startswith("CTE ")
        and any("Relation Name" in part and part["Actual Loops"] for part in nodes(node))
    }


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("order", ["-updated_at", "created_at"])
def test_every_window_gives_the_page_that_looking_at_all_tickets_gives(
    session: Session, query: str, order: str
) -> None:
    keys = ORDERS[order]
    for said in (query, f"{query} status:open"):
        every = compile_query(session, said).order_by(*(key.order() for key in keys))
        expected = [ticket.id for ticket in session.scalars(every)]
        for window in (4, 12, 40, 128, WINDOW):
            statement = matches(prepare(session, said), keys, limit=10, window=window)
            assert [row.id for row in session.execute(statement)] == expected[:11], (said, window)


@pytest.mark.parametrize("window", [4, 40, WINDOW])
def test_a_page_begins_after_the_cursor_in_every_step(session: Session, window: int) -> None:
    prepared, found, cursor = prepare(session, "twelfth"), list[int](), None
    while True:
        rows = session.execute(matches(prepared, NEWEST_FIRST, limit=5, window=window, cursor=cursor)).all()
        found += [row.id for row in rows[:5]]
        if len(rows) <= 5:
            break
        cursor = Cursor(tuple(rows[4])[1:], fingerprint(NEWEST_FIRST, ""))
    every = compile_query(session, "twelfth").order_by(*(key.order() for key in NEWEST_FIRST))
    assert found == [ticket.id for ticket in session.scalars(every)]


STEPS = {
    "the few have a page": ("card", 128, {"newest", "first"}),
    "the few promise one": ("third", 96, {"newest", "first", "second"}),
    "the few do not, and the list is long": ("twelfth", 44, {"newest", "first", "matched", "wide"}),
    "the few do not, and the list is short": ("rare", 128, {"newest", "first", "matched", "rest"}),
    "the list is long, and old": ("old", 44, {"newest", "first", "matched", "wide", "rest"}),
    "the window is the desk": ("nowhere", 1024, {"newest", "first", "second"}),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_taken_where_it_is_worth_it_and_the_others_read_nothing(session: Session, name: str) -> None:
    query, window, taken = STEPS[name]
    assert steps(session, matches(prepare(session, query), NEWEST_FIRST, limit=10, window=window)) == taken


@pytest.mark.parametrize(
    ("tickets", "window"),
    [(-1, WINDOW), (0, SMALLEST_WINDOW), (500, SMALLEST_WINDOW), (20_000, 512), (1_000_000, WINDOW), (1e8, WINDOW)],
)
def test_the_window_grows_with_the_square_root_of_the_desk(tickets: float, window: int) -> None:
    assert window_for(tickets) == window


def test_the_size_of_the_desk_is_asked_for_once_and_not_without_words(session: Session, database: Database) -> None:
    words, none = prepare(session, "card"), prepare(session, "status:open")
    window_of(session, words)
    with count_statements(database.engine) as statements:
        assert window_of(session, words) in {SMALLEST_WINDOW, WINDOW}
        assert window_of(session, none) == WINDOW
    assert not statements


def test_a_window_is_not_known_before_it_was_learnt() -> None:
    window = Window()
    assert (window.is_known, window.size) == (False, WINDOW)
    assert (window.learn(20_000), window.is_known, window.size) == (512, True, 512)
