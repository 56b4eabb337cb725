"""`sort:`: each order is followed by the pages of a list, and ends in a unique key."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.paging import keyset, page
from deskbell.search.queries import compile_query, prepare
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.models import Ticket, TicketPriority

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRIORITIES = ("high", "low", "urgent", "medium", "low", "high")


@pytest.fixture
def agent(factory: Factory) -> User:
    """An agent of a desk with six tickets, called 0 to 5 in the order of their numbers."""
    kim = factory.user()
    with factory.database.transaction(SYSTEM) as session:
        for number, priority in enumerate(PRIORITIES):
            changed = {"created_at": NOW - timedelta(days=number), "updated_at": NOW + timedelta(days=number % 4)}
            values = {"title": str(number), "creator_id": kim.id, "priority": TicketPriority(priority), **changed}
            session.execute(insert(Ticket).values(values))
    return factory.user(Role.AGENT)


def read(session: Session, query: str, limit: int = 2) -> str:
    """Return the titles in order, read two at a time."""
    found, cursor, prepared = "", None, prepare(session, query)
    while True:
        statement = keyset(compile_query(session, prepared), prepared.keys, limit=limit, cursor=cursor)
        rows = page(session.scalars(statement).all(), prepared.keys, limit=limit)
        found += "".join(ticket.title for ticket in rows.items)
        cursor = rows.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("sort", "titles"),
    [
        ("created", "012345"),
        ("created-desc", "012345"),
        ("created-asc", "543210"),
        ("updated", "325140"),
        ("updated-asc", "041523"),
        ("number", "012345"),
        ("number-desc", "543210"),
        ("priority", "250314"),
        ("priority-asc", "413052"),
        ("Priority,created", "205314"),
        ("priority-asc,created-asc", "413502"),
    ],
)
def test_a_list_is_sorted_as_the_query_says(database: Database, agent: User, sort: str, titles: str) -> None:
    with database.transaction(actor(agent)) as session:
        assert read(session, f"sort:{sort}") == titles


def test_without_sort_nothing_is_said_and_by_relevance_has_no_keys(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session:
        assert prepare(session, "card").order is None
        by_relevance = prepare(session, "card sort:relevance")
    assert by_relevance.order is not None
    assert by_relevance.order.is_by_relevance
    assert by_relevance.keys == ()


def test_what_is_sorted_by_time_backwards_goes_backwards_in_its_unique_key_too(database: Database, agent: User) -> None:
    """Else no index would serve it: they are (updated_at, id) and the like."""
    with database.transaction(actor(agent)) as session:
        keys = prepare(session, "sort:updated-desc").keys
    assert [(key.name, key.descending) for key in keys] == [("updated_at", True), ("id", True)]
