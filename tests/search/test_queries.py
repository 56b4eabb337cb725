"""What a query finds, on a real PostgreSQL, as an agent and as a customer."""

import pytest

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.search.language import QueryError
from deskbell.search.queries import compile_query
from deskbell.testing.factories import Factory, actor
from deskbell.tickets import actions
from deskbell.tickets.labels import tag
from deskbell.tickets.models import TicketPriority, TicketStatus


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
        return {ticket.title for ticket in session.scalars(compile_query(query, actor=actor(person)))}


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
        ("100%", set()),
        ("'; drop table tickets; --", set()),
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


def test_a_customer_finds_their_own_and_knows_no_tags(
    database: Database, factory: Factory, titles: dict[str, str]
) -> None:
    stranger = factory.user()
    assert titles
    assert found(database, stranger, "card") == set()
    with pytest.raises(QueryError, match="There is no field tag:") as raised:
        found(database, stranger, "card tag:billing")
    assert raised.value.position == 5


@pytest.mark.parametrize(
    ("query", "said", "position"),
    [
        ("card statsu:open", r"no field statsu:\. Did you mean status:\?", 5),
        ("status:opn", r"cannot be “opn”\. Did you mean open\?", 7),
    ],
)
def test_a_wrong_field_or_value_names_the_nearest(
    database: Database, agent: User, query: str, said: str, position: int
) -> None:
    with pytest.raises(QueryError, match=said) as raised:
        found(database, agent, query)
    assert raised.value.position == position
