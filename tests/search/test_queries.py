"""What a query finds, on a real PostgreSQL, as an agent and as a customer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.search.language import QueryError
from deskbell.search.queries import compile_query, prepare
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets import actions
from deskbell.tickets.labels import tag
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT, email="Agent@bank.example")


@pytest.fixture
def titles(database: Database, factory: Factory, agent: User) -> dict[str, str]:
    """Four tickets by title; the values are their numbers."""
    kim = factory.user(email="kim@bank.example", organization=factory.organization("Kim & Co"))
    card = factory.ticket(kim, title="Where is my card?", message="It has not arrived.")
    bill = factory.ticket(kim, title="Bill", message="I was charged twice.", priority=TicketPriority.HIGH)
    cards = factory.ticket(title="Cards in general", message="How many can I have?")
    gone = factory.ticket(title="Deleted card", message="Never mind.")
    with database.transaction(actor(agent)) as session:
        tag(session, card.ticket_number, "ΟΔΟΣ")
        tag(session, bill.ticket_number, "billing")
        actions.assign(session, bill.ticket_number, agent.id)
        actions.change_status(session, cards.ticket_number, TicketStatus.CLOSED)
        actions.soft_delete(session, gone.ticket_number, now=gone.created_at)
    return {ticket.title: ticket.ticket_number for ticket in (card, bill, cards)}


def found(database: Database, person: User, query: str) -> set[str]:
    with database.transaction(actor(person)) as session:
        tickets = session.scalars(compile_query(session, query)).all()
    assert len({ticket.id for ticket in tickets}) == len(tickets)
    return {ticket.title for ticket in tickets}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Where is my card?", "Bill", "Cards in general"}),
        ("card", {"Where is my card?", "Cards in general"}),
        ("where is my card", {"Where is my card?", "Cards in general"}),  # words without a stem exclude nothing
        ("card &", {"Where is my card?", "Cards in general"}),
        ("card arrived", {"Where is my card?"}),
        ('"charged twice"', {"Bill"}),
        ('"twice charged"', set()),
        ("status:open", {"Where is my card?"}),
        ("status:open,closed card", {"Where is my card?", "Cards in general"}),
        ("STATUS:Open", {"Where is my card?"}),
        ("priority:high", {"Bill"}),
        ("tag:BILLING", {"Bill"}),
        ("tag:οδοσ", {"Where is my card?"}),
        ("tag:none", {"Cards in general"}),
        ("assignee:me", {"Bill"}),
        ("assignee:agent@BANK.example", {"Bill"}),
        ("assignee:none", {"Where is my card?", "Cards in general"}),
        ("requester:KIM@bank.example", {"Where is my card?", "Bill"}),
        ('organization:"kim & co"', {"Where is my card?", "Bill"}),
        ("organization:none", {"Cards in general"}),
        ("team:none", {"Where is my card?", "Bill", "Cards in general"}),
        ('assignee:agent@bank.example,"none"', {"Bill"}),
        ("-assignee:agent@bank.example", {"Where is my card?", "Cards in general"}),
        ("-organization:unknown", {"Where is my card?", "Bill", "Cards in general"}),
        ("priority>medium", {"Bill"}),
        ("tag:billing,ΟΔΟΣ", {"Where is my card?", "Bill"}),
        ("tag:billing tag:ΟΔΟΣ", set()),
        ("charged OR general", {"Bill", "Cards in general"}),
        ("-charged -general", {"Where is my card?"}),
        ("card -(status:closed OR arrived)", set()),
        ("gener*", {"Cards in general"}),
        ('"charged twi"*', {"Bill"}),
        ("the", {"Where is my card?", "Bill", "Cards in general"}),
        ("the OR charged", {"Bill"}),
        ("the OR status:closed", {"Cards in general"}),
        ("created:today", {"Where is my card?", "Bill", "Cards in general"}),
        ("created<-7d", set()),
        ("comments>0", set()),
        ("has:tag is:unassigned", {"Where is my card?"}),
        ("is:deleted", {"Deleted card"}),
        ("is:deleted OR charged", {"Deleted card", "Bill"}),
        ("-is:deleted card", {"Where is my card?", "Cards in general"}),
        ("100%", set()),
        ("%", {"Where is my card?", "Bill", "Cards in general"}),  # a mark is no word
        ("tag:%", set()),
        ("tag:bill_ng", set()),
        (r"number:\DB", set()),
        (r'"C:\temp"', set()),
        ('\'; drop table tickets; -"--"', set()),
    ],
)
def test_a_query_finds_what_it_says(
    database: Database, agent: User, titles: dict[str, str], query: str, expected: set[str]
) -> None:
    assert titles
    assert found(database, agent, query) == expected


def test_a_ticket_is_found_by_its_number(database: Database, agent: User, titles: dict[str, str]) -> None:
    number = titles["Bill"]
    assert found(database, agent, number.lower()) == {"Bill"}
    assert found(database, agent, f"number:{number}") == {"Bill"}
    assert found(database, agent, f"number:{number.removeprefix('DB-')}") == {"Bill"}


def test_a_customer_finds_their_own_and_knows_no_tags(
    database: Database, factory: Factory, titles: dict[str, str]
) -> None:
    stranger = factory.user()
    assert titles
    assert found(database, stranger, "card") == set()
    with pytest.raises(QueryError, match="There is no field tag:") as raised:
        found(database, stranger, "card tag:billing")
    assert raised.value.position == 5


def test_the_words_of_internal_notes_are_for_the_desk_alone(database: Database, factory: Factory, agent: User) -> None:
    kim = factory.user()
    ticket = factory.ticket(kim, title="Card", message="It has not arrived.")
    factory.comment(ticket, agent, "Looks like fraud.", is_internal=True)
    factory.comment(ticket, agent, "We are looking into it.")
    for query in ("fraud", "has:note", "comments:2"):
        assert found(database, agent, query) == {"Card"}
    for query in ("fraud", "comments:2", "arrived fraud"):
        assert found(database, kim, query) == set()
    for query in ("looking", "comments:1", "-fraud", "has:comment"):
        assert found(database, kim, query) == {"Card"}


def test_a_ticket_with_several_of_the_tags_is_found_once(
    database: Database, agent: User, titles: dict[str, str]
) -> None:
    with database.transaction(actor(agent)) as session:
        tag(session, titles["Bill"], "refund")
    assert found(database, agent, "tag:billing,refund") == {"Bill"}
    assert found(database, agent, "tag:billing tag:refund") == {"Bill"}


def test_a_day_is_the_day_of_who_asks(database: Database, factory: Factory, agent: User) -> None:
    ticket = factory.ticket(title="Late")
    with database.transaction(SYSTEM) as session:
        late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
        session.execute(update(Ticket).where(Ticket.id == ticket.id).values(due_at=late))
    for zone, day in (("UTC", "2026-01-31"), ("Europe/Berlin", "2026-02-01")):
        who = replace(actor(agent), time_zone=zone)
        with database.transaction(who) as session:
            assert session.scalars(compile_query(session, f"due:{day}")).one().title == "Late"


def test_what_people_write_is_never_part_of_the_statement(database: Database, agent: User) -> None:
    query = 'word "a phrase" pre* tag:t1,t2 assignee:a@b.example number:N-7 created>2026-01-31 comments>12345'
    with database.transaction(actor(agent)) as session:
        statement = str(compile_query(session, query).compile(dialect=session.get_bind().dialect))
    for value in ("word", "phrase", "pre", "t1", "a@b", "N-7", "2026", "12345"):
        assert f"{value}'" not in statement
        assert f" {value} " not in statement


def test_words_side_by_side_are_one_search_of_the_index(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session:
        statement = str(compile_query(session, "card status:open (refund OR -twice) pre*"))
    assert statement.count("@@") == 1
    assert "JOIN search_documents" in statement


def test_documents_are_read_only_where_words_or_counts_are_asked_for(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session:
        assert "search_documents" not in str(compile_query(session, "status:open tag:none is:overdue created>-7d"))
        assert str(compile_query(session, "comments>3 has:attachment card")).count("search_documents ON") == 1


def test_the_words_to_be_marked_are_those_that_a_ticket_should_have(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session:
        words = prepare(session, "Cards -refunds -(-charges) (lost OR status:open) pre*").words
        assert words is not None
        assert session.scalar(select(words)) == "'card' | 'charg' | 'lost' | 'pre':*"
        assert prepare(session, "-card status:open").words is None
