"""How many tickets views find: two statements, exact where that is cheap, and said so where it is not."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.explain import nodes, plan_of
from deskbell.search import view_counts
from deskbell.search.models import SavedView
from deskbell.search.queries import compile_query
from deskbell.search.view_counts import Budget, ViewCount, count_views
from deskbell.search.views import all_views, create_view
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.labels import tag

MODE = "plan_cache_mode"


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT)


def saved(database: Database, agent: User, queries: Sequence[str]) -> list[SavedView]:
    with database.transaction(actor(agent)) as session:
        return [create_view(session, name=f"View {n}", query=query) for n, query in enumerate(queries)]


def counts(
    database: Database, agent: User, views: Sequence[SavedView], budget: Budget = view_counts.USUAL
) -> list[ViewCount]:
    with database.transaction(actor(agent)) as session:
        return count_views(session, views, budget)


def test_views_are_counted_in_their_order(database: Database, factory: Factory, agent: User) -> None:
    first, *_ = [factory.ticket(message=f"card {n}") for n in range(3)]
    factory.ticket(message="bill")
    with database.transaction(SYSTEM) as session:
        tag(session, first.ticket_number, "vip")
    views = saved(database, agent, ["card", "status:open sort:created", "tag:vip", "tag:nothing", "status:closed", ""])
    found = counts(database, agent, views[::-1])
    assert [(count.view_id, count.text) for count in found] == [
        (view.id, told) for view, told in zip(views[::-1], ["4", "0", "0", "1", "4", "3"], strict=True)
    ]
    assert all(count.exact and count.error is None for count in found)


@pytest.mark.parametrize("number", [1, 20])
def test_twenty_views_take_as_many_statements_as_one(
    database: Database, factory: Factory, agent: User, number: int
) -> None:
    factory.tag("vip")
    views = saved(
        database, agent, [f"tag:vip,tag{n} assignee:me team:none card{n} -status:closed" for n in range(number)]
    )
    with database.transaction(actor(agent)) as session, count_statements(database.engine) as statements:
        count_views(session, views)
    assert len([it for it in statements if MODE not in it]) == 3, "names, what it would cost, and counting"
    plain = saved(database, agent, [f"card{n}" for n in range(number)])
    with database.transaction(actor(agent)) as session, count_statements(database.engine) as statements:
        count_views(session, plain)
    assert len([it for it in statements if MODE not in it]) == 2


def test_no_views_need_no_statement(database: Database, agent: User) -> None:
    assert counts(database, agent, []) == []


def test_a_view_that_cannot_be_read_any_more_does_not_break_the_others(
    database: Database, factory: Factory, agent: User
) -> None:
    factory.ticket()
    views = saved(database, agent, ["a", "b", "c", "status:open"])
    with database.transaction(SYSTEM) as session:
        for view, values in zip(views, ({"query": "colour:red"}, {"query": '"open'}, {"sort": "x y"}), strict=False):
            session.execute(update(SavedView).where(SavedView.id == view.id).values(values))
    with database.transaction(actor(agent)) as session:
        views = all_views(session)
    *broken, good = counts(database, agent, views)
    assert [(count.text, count.count, count.exact) for count in broken] == [("", None, False)] * 3
    assert ["colour" in (broken[0].error or ""), all(count.error for count in broken)] == [True, True]
    assert (good.text, good.error) == ("1", None)


def test_only_broken_views_need_no_counting(database: Database, agent: User) -> None:
    view = SavedView(id=7, query="colour:red", sort="", name="x")
    assert [count.error is not None for count in counts(database, agent, [view])] == [True]


def test_what_is_beyond_the_cap_says_so(database: Database, factory: Factory, agent: User) -> None:
    factory.tickets(30)
    [found] = counts(database, agent, saved(database, agent, [""]), Budget(cap=20))
    assert (found.text, found.count, found.exact) == ("20+", 20, False)


def test_what_is_too_dear_is_estimated(database: Database, factory: Factory, agent: User) -> None:
    """The cheapest are counted, while the sum lasts."""
    factory.tickets(30)
    views = saved(database, agent, ["status:open card", "number:DB-1", "tag:none -status:closed"])
    none = counts(database, agent, views, Budget(each=0.0))
    assert {(count.exact, count.text[0]) for count in none} == {(False, "~")}
    with database.transaction(actor(agent)) as session:
        counting = {view.id: view_counts._count(compile_query(session, view.query), 10_000) for view in views}
        costs = sorted(guess.cost for guess in view_counts._asked(session, counting).values())
    for affordable in range(4):
        budget = Budget(total=sum(costs[:affordable]) + 0.001)
        assert sum(count.exact for count in counts(database, agent, views, budget)) == affordable


def test_what_is_far_beyond_the_cap_is_not_counted(database: Database, factory: Factory, agent: User) -> None:
    factory.tickets(30)
    with database.transaction(actor(agent)) as session, count_statements(database.engine) as statements:
        found = count_views(session, [SavedView(id=1, query="-status:closed", sort="")], Budget(cap=0, far=0))
    assert [(count.text, count.exact) for count in found] == [("0+", False)]
    assert not any(statement.startswith("SELECT (SELECT count") for statement in statements)


@pytest.mark.parametrize(
    ("rows", "told"),
    [(0.0, "~0"), (1.0, "~1"), (42.0, "~42"), (2537.0, "~2,500"), (9999.0, "~10,000"), (1e6, "10,000+")],
)
def test_an_estimate_is_as_exact_as_it_says(rows: float, told: str) -> None:
    assert view_counts._roughly(1, rows, 10_000).text == told


@pytest.mark.anyio
async def test_counting_works_in_both_worlds(async_database: Database) -> None:
    async with async_database.async_transaction(SYSTEM) as session:
        assert [
            it.text for it in await session.run_sync(count_views, [SavedView(id=7, query="status:open", sort="")])
        ] == ["0"]


def explained(session: Session, query: str) -> list[str]:
    return [node["Node Type"] for node in nodes(plan_of(session, compile_query(session, query)))]


def test_a_plan_is_made_for_the_values_and_nothing_is_run(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session:
        assert "Limit" not in explained(session, "status:open card")
        change = text("select count(*) from tickets where title = :title").bindparams(title="it's")
        assert plan_of(session, change)["Node Type"] == "Aggregate"
