"""Saved views: what can be saved, who sees and who changes them, and their order."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text, update

from deskbell.accounts.models import Role, Team, User
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, ForbiddenError, InvalidError
from deskbell.kernel.paging import Cursor
from deskbell.search.columns import COLUMNS
from deskbell.search.errors import NoSuchViewError
from deskbell.search.language import QueryError
from deskbell.search.models import SavedView, Sharing
from deskbell.search.views import (
    MOST_VIEWS,
    change_view,
    create_view,
    delete_view,
    get_view,
    may_change,
    order_views,
    run_view,
    views_page,
)
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.actions import assign

KEY = b"for tests alone" * 3


class House:
    """Ana and Ben are in a team, Cy is in none, Dora administrates; each acts in a transaction of their own."""

    def __init__(self, database: Database, factory: Factory) -> None:
        self.database = database
        self.ana, self.ben, self.cy = (factory.user(Role.AGENT, full_name=name) for name in ("Ana", "Ben", "Cy"))
        self.dora, self.customer = factory.user(Role.ADMIN), factory.user()
        self.team: Team = factory.team(self.ana, self.ben)

    def as_(self, who: User, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.database.transaction(actor(who)) as session:
            return act(session, *arguments, **named)

    def save(self, who: User, name: str = "Mine", **fields: Any) -> int:
        view: SavedView = self.as_(who, create_view, name=name, **fields)
        return view.id

    def seen_by(self, who: User) -> list[str]:
        """The names, read page by page."""
        names: list[str] = []
        cursor: Cursor | None = None
        while True:
            found = self.as_(who, views_page, limit=2, cursor=cursor)
            names += [view.name for view in found.items]
            if found.next_cursor is None:
                return names
            cursor = Cursor.unseal(found.next_cursor.seal(KEY), KEY)


@pytest.fixture
def house(database: Database, factory: Factory) -> House:
    return House(database, factory)


def test_a_view_is_a_query_with_columns_and_a_sort(house: House) -> None:
    view_id = house.save(
        house.ana, "  Urgent \n cards ", query=" priority>=high card ", columns=["Number", "title"], sort="Created-asc"
    )
    view = house.as_(house.ana, get_view, view_id)
    assert (view.name, view.query, view.columns, view.sort) == (
        "Urgent cards",
        "priority>=high card",
        ["number", "title"],
        "created-asc",
    )
    assert (view.owner.full_name, view.shared_with, view.team) == ("Ana", Sharing.NOBODY, None)


def test_a_view_finds_what_its_query_says_in_the_order_of_its_sort(house: House, factory: Factory) -> None:
    cards = [factory.ticket(message=f"card {n}").id for n in range(3)]
    factory.ticket(message="bill")
    assert house.as_(house.ana, run_view, house.save(house.ana, query="card")).ids == tuple(cards[::-1])
    view_id = house.save(house.ana, query="card", sort="created-asc")
    first = house.as_(house.ana, run_view, view_id, limit=2)
    rest = house.as_(house.ana, run_view, view_id, limit=2, cursor=first.next_cursor)
    assert (*first.ids, *rest.ids) == tuple(cards)
    with pytest.raises(InvalidError, match="belongs to another query"):
        house.as_(house.ana, run_view, house.save(house.ana, query="card"), cursor=first.next_cursor)


def test_a_view_finds_as_many_as_it_counts(house: House, factory: Factory) -> None:
    """A search that finds little looks for words that are written alike; a view does not, so neither does its count."""
    for _ in range(3):
        factory.ticket(message="refund")
    view_id = house.save(house.ana, query="refudn")
    assert house.as_(house.ana, run_view, view_id).ids == ()


def test_a_shared_view_finds_what_is_of_whoever_looks(house: House, factory: Factory) -> None:
    """`assignee:me` in a view of Ana's, which Ben opens, means Ben."""
    ticket = factory.ticket()
    house.as_(house.ben, assign, ticket.ticket_number, house.ben.id)
    view_id = house.save(house.ana, query="assignee:me", shared_with=Sharing.EVERYONE)
    assert house.as_(house.ben, run_view, view_id).ids == (ticket.id,)
    assert house.as_(house.ana, run_view, view_id).ids == ()


@pytest.mark.parametrize(
    ("fields", "field", "position"),
    [
        ({"query": "status:opn"}, "query", 7),
        ({"query": 'card "not closed'}, "query", 5),
        ({"query": "card sort:nonsense"}, "query", 10),
        ({"sort": "nonsense"}, "sort", 0),
        ({"sort": "updated,nonsense"}, "sort", 8),
        ({"sort": "relevance,updated"}, "sort", 10),
        ({"sort": 'updated "'}, "sort", 8),
        ({"sort": "updated status:open"}, "sort", None),
        ({"sort": "updated", "query": "sort:created"}, "sort", None),
        ({"sort": "u" * 51}, "sort", None),
        ({"columns": ["number", "titel"]}, "columns", None),
        ({"columns": ["number", "NUMBER"]}, "columns", None),
        ({"columns": ["\x00"]}, "columns", None),
        ({"name": ""}, "name", None),
        ({"name": " \n\t"}, "name", None),
        ({"name": "x" * 101}, "name", None),
        ({"shared_with": Sharing.TEAM}, "team_id", None),
        ({"team_id": 1}, "team_id", None),
        ({"shared_with": Sharing.TEAM, "team_id": 0}, "team_id", None),
        ({"shared_with": Sharing.TEAM, "team_id": 2**63}, "team_id", None),
        ({"shared_with": Sharing.TEAM, "team_id": 2**40}, "team_id", None),
    ],
)
def test_what_makes_no_sense_is_not_saved(
    house: House, fields: dict[str, Any], field: str, position: int | None
) -> None:
    view_id = house.save(house.ana, "Good")
    for act, arguments in ((create_view, {"name": "New", **fields}), (change_view, {"view_id": view_id})):
        with pytest.raises(InvalidError) as raised:
            house.as_(house.ana, act, **arguments, **({"changes": fields} if act is change_view else {}))
        assert (raised.value.field, raised.value.position) == (field, position), raised.value.message
    assert house.seen_by(house.ana) == ["Good"]


@pytest.mark.parametrize(
    "name", ["'; drop table saved_views --", "<script>alert(1)</script>", "100% _ \\", "قائمة", "𝔘𝔫𝔦 👩‍👩‍👧", "x" * 100]
)
def test_a_name_is_any_text(house: House, name: str) -> None:
    house.save(house.ana, name)
    assert house.seen_by(house.ana) == [name]


def test_a_hostile_name_is_cleaned_or_kept(house: House) -> None:
    assert house.as_(house.ana, create_view, name="a\x00b\ud800c\u202ed").name.startswith("a")


def test_who_sees_a_view(house: House) -> None:
    house.save(house.ana, "private")
    house.save(house.ana, "team's", shared_with=Sharing.TEAM, team_id=house.team.id)
    house.save(house.ana, "everyone's", shared_with=Sharing.EVERYONE)
    house.save(house.ben, "ben's")
    assert house.seen_by(house.ana) == ["private", "team's", "everyone's"]
    assert house.seen_by(house.ben) == ["ben's", "team's", "everyone's"]
    assert house.seen_by(house.cy) == ["everyone's"]
    assert set(house.seen_by(house.dora)) == {"private", "team's", "everyone's", "ben's"}


def test_another_ones_private_view_is_not_there(house: House) -> None:
    view_id = house.save(house.ana)
    for act in (get_view, delete_view):
        with pytest.raises(NoSuchViewError, match=f"There is no view {view_id}."):
            house.as_(house.ben, act, view_id)
    with pytest.raises(NoSuchViewError):
        house.as_(house.ben, change_view, view_id, {"name": "Mine now"})


def test_a_shared_view_is_changed_by_its_owner_and_administrators_alone(house: House) -> None:
    view_id = house.save(house.ana, shared_with=Sharing.EVERYONE)
    for act, further in ((change_view, [{"name": "Mine now"}]), (delete_view, [])):
        with pytest.raises(ForbiddenError, match="Only its owner or an administrator"):
            house.as_(house.ben, act, view_id, *further)
    assert [may_change(house.as_(who, get_view, view_id), actor(who)) for who in (house.ben, house.dora)] == [
        False,
        True,
    ]
    assert house.as_(house.dora, change_view, view_id, {"name": "Ours"}).owner_id == house.ana.id
    house.as_(house.dora, delete_view, view_id)
    assert house.seen_by(house.ana) == []


def test_row_security_holds_where_the_use_case_is_left_out(house: House) -> None:
    house.save(house.ana, shared_with=Sharing.EVERYONE)
    with house.database.transaction(actor(house.ben)) as session:
        assert session.execute(update(SavedView).values(name="x").returning(SavedView.id)).all() == []
        assert session.execute(text("delete from saved_views returning id")).all() == []
    with pytest.raises(DeskbellError), house.database.transaction(actor(house.ben)) as session:
        session.execute(text("insert into saved_views (name, owner_id) values ('x', :id)"), {"id": house.ana.id})
    with pytest.raises(DeskbellError), house.database.transaction(actor(house.customer)) as session:
        session.execute(text("select from saved_views"))


def test_sharing_is_with_ones_own_teams(house: House) -> None:
    with pytest.raises(ForbiddenError, match="a team that you are in"):
        house.save(house.cy, shared_with=Sharing.TEAM, team_id=house.team.id)
    assert house.save(house.dora, shared_with=Sharing.TEAM, team_id=house.team.id)


def test_sharing_ends_with_the_team_left_out(house: House) -> None:
    view_id = house.save(house.ana, shared_with=Sharing.TEAM, team_id=house.team.id)
    assert house.as_(house.ana, change_view, view_id, {"shared_with": "nobody"}).team_id is None
    assert house.seen_by(house.ben) == []
    with pytest.raises(InvalidError):
        house.as_(house.ana, change_view, view_id, {"team_id": house.team.id})
    changed = house.as_(house.ana, change_view, view_id, {"shared_with": "team", "team_id": house.team.id})
    assert (changed.shared_with, changed.team.id) == (Sharing.TEAM, house.team.id)


def test_a_change_leaves_the_rest(house: House) -> None:
    view_id = house.save(house.ana, query="card", columns=["number"], sort="created", shared_with=Sharing.EVERYONE)
    view = house.as_(house.ana, change_view, view_id, {"query": "status:open"})
    assert (view.name, view.query, view.columns, view.sort, view.shared_with) == (
        "Mine",
        "status:open",
        ["number"],
        "created",
        Sharing.EVERYONE,
    )


def test_customers_have_no_views(house: House) -> None:
    view_id = house.save(house.ana, shared_with=Sharing.EVERYONE)
    for act in (
        lambda: house.as_(house.customer, get_view, view_id),
        lambda: house.save(house.customer),
        lambda: house.as_(house.customer, views_page),
        lambda: house.as_(house.customer, order_views, []),
    ):
        with pytest.raises(ForbiddenError, match="Only the desk"):
            act()


def test_the_system_is_nobody_who_could_have_one(house: House) -> None:
    with house.database.transaction(SYSTEM) as session, pytest.raises(InvalidError, match="say who acts"):
        create_view(session, name="Mine")


def test_there_is_an_end_to_the_views_of_one_person(house: House) -> None:
    with house.database.transaction(SYSTEM) as session:
        fill = "insert into saved_views (name, owner_id) select 'view ' || n, :owner from generate_series(1, :most) n"
        session.execute(text(fill), {"owner": house.ana.id, "most": MOST_VIEWS})
    with pytest.raises(InvalidError, match="which is the most"):
        house.save(house.ana)
    assert house.save(house.ben)


def test_views_stand_in_the_order_that_their_owner_gave_them(house: House) -> None:
    a, b, c, d = (house.save(house.ana, name, shared_with=Sharing.EVERYONE) for name in "abcd")
    house.as_(house.ana, order_views, [c, a])
    assert house.seen_by(house.ana) == ["c", "a", "b", "d"]
    house.as_(house.ana, order_views, [d, b, a, c])
    assert house.seen_by(house.ana) == ["d", "b", "a", "c"]
    house.save(house.ana, "e")
    assert house.seen_by(house.ana)[-1] == "e"
    house.save(house.ben, "ben's")
    assert house.seen_by(house.ben) == ["ben's", "d", "b", "a", "c"]


@pytest.mark.parametrize(("ids", "error"), [([1, 1], InvalidError), ([0], InvalidError), ([2**63], InvalidError)])
def test_an_order_of_nonsense_is_refused(house: House, ids: list[int], error: type[DeskbellError]) -> None:
    with pytest.raises(error):
        house.as_(house.ana, order_views, ids)


def test_an_order_names_ones_own_views(house: House) -> None:
    own, other = house.save(house.ana), house.save(house.ben, shared_with=Sharing.EVERYONE)
    with pytest.raises(NoSuchViewError, match=f"You have no view {other}."):
        house.as_(house.ana, order_views, [own, other])


def test_every_column_says_what_it_shows() -> None:
    assert all(COLUMNS.values())


def test_a_query_error_says_what_was_expected(house: House) -> None:
    with pytest.raises(QueryError, match="Did you mean `open`") as raised:
        house.save(house.ana, query="status:opn")
    assert raised.value.details["expected"]
