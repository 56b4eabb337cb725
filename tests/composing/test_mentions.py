"""Whom a text mentions, and how they find it."""

import pytest
from sqlalchemy import select

from deskbell.accounts.models import Role
from deskbell.composing.mentions import Colleague, mentioned
from deskbell.composing.models import Mention
from deskbell.kernel.database import Database
from deskbell.search.finding import find_tickets
from deskbell.testing.factories import SYSTEM, Factory, actor

ANN, ANN_LEE, OTHER_ANN, ODD = (
    Colleague(1, "Ann", "ann@example.test"),
    Colleague(2, "Ann Lee", "lee@example.test"),
    Colleague(3, "Ann", "other@example.test"),
    Colleague(4, "<b>Zoë</b> Ünal", "zoe@example.test"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Ann Lee, please", [2]),
        ("@ann lee!", [2]),
        ("@Ann, please", [1, 3]),
        ("(@Ann) and @Ann Lee", [1, 3, 2]),
        ("@ann@example.test", [1]),
        ("write to ann@example.test", []),
        ("x@Ann", []),
        ("@Anna", []),
        ("@Ann Leeds", [1, 3]),
        ("@ Ann", []),
        ("@@Ann", []),
        ("ask @<b>Zoë</b> Ünal", []),
        ("", []),
    ],
)
def test_the_longest_name_that_fits_is_meant(text: str, expected: list[int]) -> None:
    assert mentioned(text, [ANN, ANN_LEE, OTHER_ANN, ODD]) == expected


def test_a_name_that_begins_with_a_letter_may_hold_anything() -> None:
    strange = Colleague(5, "O'Neil (night) <i>", "n@example.test")
    assert mentioned("@O'Neil (night) <i> please", [strange]) == [5]


def test_who_is_mentioned_finds_it_by_the_query_language(database: Database, factory: Factory) -> None:
    writer, ravi = factory.user(Role.AGENT), factory.user(Role.AGENT, full_name="Ravi Patel")
    mentioning, _ = factory.ticket(), factory.ticket()
    factory.comment(mentioning, writer, "@Ravi Patel, have you seen this?", is_internal=True)
    with database.transaction(actor(ravi)) as session:
        found = find_tickets(session, "mentions:me", limit=10, scope="")
        assert [ticket.id for ticket in found.items] == [mentioning.id]
    with database.transaction(actor(writer)) as session:
        assert find_tickets(session, "mentions:me", limit=10, scope="").items == ()


def test_customers_mention_nobody_and_nobody_mentions_customers(database: Database, factory: Factory) -> None:
    customer, agent = factory.user(full_name="Kim Doe"), factory.user(Role.AGENT, full_name="Ravi Patel")
    ticket = factory.ticket(customer)
    factory.comment(ticket, customer, "@Ravi Patel, hurry")
    factory.comment(ticket, agent, "@Kim Doe, we do")
    with database.transaction(SYSTEM) as session:
        assert session.scalars(select(Mention)).all() == []
