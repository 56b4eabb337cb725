"""Many tickets created at once: in order, in few statements, and none of them where one is wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from deskbell.accounts.actions import set_active
from deskbell.accounts.models import Role, User
from deskbell.audit.models import AuditLog
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.events import HANDLERS_KEY, Event
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.bulk import NewTicket, insert_tickets
from deskbell.tickets.bulk_creation import bulk_create_tickets, bulk_insert_with_return
from deskbell.tickets.events import TicketsOpened
from deskbell.tickets.labels import create_tag
from deskbell.tickets.models import Tag, Ticket, TicketPriority, TicketStatus
from deskbell.tickets.queries import FOR_LIST

THEN = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
NOBODY = 10**9


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT)


@pytest.fixture
def customer(factory: Factory) -> User:
    return factory.user(organization=factory.organization())


def row(creator: User, **values: Any) -> dict[str, Any]:
    return {"title": "Card", "description": "It has not arrived.", "creator_id": creator.id} | values


def all_tickets(database: Database) -> list[Ticket]:
    with database.transaction(SYSTEM) as session:
        return list(session.scalars(select(Ticket).options(*FOR_LIST).order_by(Ticket.id)))


def test_a_dict_becomes_a_ticket_with_what_it_says(database: Database, agent: User, customer: User) -> None:
    said = {
        "status": "resolved",
        "priority": "urgent",
        "assignee_id": agent.id,
        "created_at": THEN,
        "resolved_at": THEN + timedelta(hours=3),
        "first_responded_at": THEN + timedelta(hours=1),
        "tags": ["Billing", "late"],
    }
    with database.transaction(actor(agent)) as session:
        assert bulk_create_tickets(session, [row(customer, **said)]) == 1
    [ticket] = all_tickets(database)
    assert (ticket.title, ticket.status, ticket.priority) == ("Card", TicketStatus.RESOLVED, TicketPriority.URGENT)
    assert (ticket.creator_id, ticket.assignee_id) == (customer.id, agent.id)
    assert (ticket.created_at, ticket.updated_at, ticket.resolved_at) == (THEN, THEN, THEN + timedelta(hours=3))
    assert ticket.response_time_hours == 1.0
    assert {tag.name for tag in ticket.tags} == {"Billing", "late"}
    assert (ticket.organization_id, ticket.channel) == (customer.organization_id, Channel.API)


def test_little_is_needed(database: Database, agent: User, customer: User) -> None:
    rows: list[dict[str, Any]] = [
        {"description": "Where is my card? It was sent in May.", "creator_id": customer.id},
        {"title": "Card", "creator_id": customer.id},
    ]
    with database.transaction(actor(agent)) as session:
        bulk_create_tickets(session, rows)
    found = all_tickets(database)
    assert [ticket.title for ticket in found] == ["Where is my card?", "Card"]
    assert {ticket.status for ticket in found} == {TicketStatus.OPEN}
    assert abs(found[0].created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_ids_and_numbers_come_back_in_order(database: Database, agent: User, customer: User) -> None:
    rows = [row(customer, title=f"Ticket {n}", created_at=THEN - timedelta(days=n)) for n in range(20)]
    with database.transaction(actor(agent)) as session:
        created = bulk_insert_with_return(session, rows)
        titles = {ticket.id: (ticket.title, ticket.ticket_number) for ticket in session.scalars(select(Ticket))}
    assert [titles[one.id] for one in created] == [(f"Ticket {n}", created[n].ticket_number) for n in range(20)]


def test_batches_follow_each_other(database: Database, agent: User) -> None:
    new = [NewTicket(f"Ticket {n}", "", agent.id, tags=()) for n in range(20)]
    with database.transaction(actor(agent)) as session:
        ids = [created.id for created in insert_tickets(session, new, batch=7)]
        assert ids == sorted(ids)
    assert [ticket.title for ticket in all_tickets(database)] == [ticket.title for ticket in new]


def test_known_tags_of_any_case_are_used_and_new_ones_made(database: Database, agent: User, customer: User) -> None:
    with database.transaction(actor(agent)) as session:
        known = create_tag(session, name="Billing")
        new = NewTicket("Card", "", customer.id, tag_ids=(known.id, known.id), tags=("BILLING", "new", "New"))
        bulk_create_tickets(session, [new])
        assert session.scalars(select(Tag.name).order_by(Tag.id)).all()[0] == "Billing"
    assert {tag.name.lower() for tag in all_tickets(database)[0].tags} == {"billing", "new"}


@pytest.mark.parametrize("count", [1, 50, 500])
def test_the_number_of_statements_does_not_grow_with_the_tickets(
    database: Database, agent: User, customer: User, count: int
) -> None:
    rows = [row(customer, tags=[f"tag {n % 7}"]) for n in range(count)]
    with database.transaction(actor(agent)) as session:
        session.connection()
        with count_statements(database.engine) as statements:
            bulk_create_tickets(session, rows)
    assert len(statements) == 5  # people, tags twice, tickets, their tags


def test_all_of_it_is_one_operation_and_one_event(database: Database, agent: User, customer: User) -> None:
    heard: list[Event] = []
    with database.transaction(actor(agent)) as session:
        session.info[HANDLERS_KEY] = {TicketsOpened: (lambda _, event: heard.append(event),)}
        created = bulk_insert_with_return(session, [row(customer)] * 20)
        log = select(func.count(), func.count(AuditLog.operation_id.distinct())).where(AuditLog.table_name == "tickets")
        assert tuple(session.execute(log).one()) == (20, 1)
    assert heard == [TicketsOpened(tuple(ticket.id for ticket in created))]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"creator_id": None}, "creator_id"),
    ({"creator_id": NOBODY}, "creator_id"),
    ({"creator_id": 0}, "creator_id"),
    ({"creator_id": 2**63}, "creator_id"),
    ({"creator_id": "1"}, "creator_id"),
    ({"assignee_id": NOBODY}, "assignee_id"),
    ({"team_id": NOBODY}, "team_id"),
    ({"organization_id": NOBODY}, "organization_id"),
    ({"tag_ids": [NOBODY]}, "tag_ids"),
    ({"tag_ids": [2**63]}, "tag_ids"),
    ({"tag_ids": ["x"]}, "tag_ids"),
    ({"tags": "billing"}, "tags"),
    ({"tags": [1]}, "tags"),
    ({"tags": ["\0"]}, "name"),
    ({"tags": ["x" * 101]}, "name"),
    ({"title": "", "description": ""}, "title"),
    ({"title": "\0 ", "description": "\n"}, "title"),
    ({"title": "x" * 501}, "title"),
    ({"title": None}, "title"),
    ({"description": "x" * 5_000_001}, "description"),
    ({"description": b"x"}, "description"),
    ({"status": "done"}, "status"),
    ({"status": None}, "status"),
    ({"priority": 1}, "priority"),
    ({"channel": "pigeon"}, "channel"),
    ({"created_at": THEN.replace(tzinfo=None)}, "created_at"),
    ({"created_at": "2026-01-01"}, "created_at"),
    ({"created_at": datetime.min.replace(tzinfo=UTC)}, "created_at"),
    ({"created_at": datetime.max.replace(tzinfo=UTC)}, "created_at"),
    ({"due_at": datetime.max.replace(tzinfo=UTC)}, "due_at"),
    ({"created_at": THEN, "resolved_at": THEN - timedelta(seconds=1)}, "resolved_at"),
    ({"titel": "x"}, "titel"),
    ({"id": 1}, "id"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG, ids=[f"{i}-{field}" for i, (_, field) in enumerate(WRONG)])
def test_a_row_that_is_wrong_is_named_and_nothing_is_created(
    database: Database, agent: User, customer: User, wrong: dict[str, Any], field: str
) -> None:
    rows = [row(customer), row(customer), row(customer, **wrong), row(customer)]
    with pytest.raises(InvalidError) as raised, database.transaction(actor(agent)) as session:
        bulk_create_tickets(session, rows)
    assert raised.value.message.startswith("tickets[2]: ")
    assert len(raised.value.message) < 300
    assert (raised.value.details["row"], raised.value.field) == (2, field)
    assert all_tickets(database) == []


def test_who_is_no_active_agent_is_given_no_new_ticket(
    database: Database, factory: Factory, agent: User, customer: User
) -> None:
    gone = factory.user(Role.AGENT)
    with database.transaction(SYSTEM) as session:
        set_active(session, gone.id, active=False)
    for person in (gone, customer):
        with database.transaction(actor(agent)) as session, pytest.raises(InvalidError, match="no active agent"):
            bulk_create_tickets(session, [row(customer, assignee_id=person.id)])


@pytest.mark.parametrize("rows", [[], ["x"], [None], [[]]], ids=repr)
def test_what_is_no_list_of_tickets_is_refused(database: Database, agent: User, rows: list[Any]) -> None:
    with database.transaction(actor(agent)) as session, pytest.raises(InvalidError) as raised:
        bulk_create_tickets(session, rows)
    assert raised.value.field == "tickets"


def test_texts_are_made_storable(database: Database, agent: User, customer: User) -> None:
    """Trap 16: names and subjects contain NUL bytes and lone surrogates."""
    with database.transaction(actor(agent)) as session:
        bulk_create_tickets(session, [row(customer, title="a\0b\ud800\nc", description="x\0\udfff" * 50_000)])
    [ticket] = all_tickets(database)
    assert ticket.title == "ab\N{REPLACEMENT CHARACTER} c"


def test_customers_may_not(database: Database, customer: User) -> None:
    with database.transaction(actor(customer)) as session, pytest.raises(ForbiddenError):
        bulk_create_tickets(session, [row(customer)])
