"""Tickets with everything about them: complete, as the actor may see it, and in a fixed number of statements."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.errors import InvalidError, NotFoundError
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets import actions
from deskbell.tickets.bodies import body_of
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.details import get_tickets_with_details, get_user_with_tickets
from deskbell.tickets.labels import tag
from deskbell.tickets.models import Ticket, TicketStatus

NOW = datetime(2026, 3, 29, tzinfo=UTC)
PARTS = text(
    "insert into comments (ticket_id, author_id, content) select t.id, :author, 'Hello' from tickets t,"
    " generate_series(1, 2);"
)
FILES = text(
    "insert into attachments (ticket_id, comment_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)"
    " select ticket_id, id, 'a.txt', 'text/plain', 1, repeat('a', 64), 'k' || id, author_id from comments"
)


def fill(database: Database, count: int, requesters: list[User], agent: User) -> None:
    """Make tickets of some people, each with a thread, files, a tag and an assignee."""
    with database.transaction(SYSTEM) as session:
        numbers = create_tickets(
            session,
            [
                NewTicket(f"Ticket {n}", "text", requesters[n % len(requesters)].id, assignee_id=agent.id)
                for n in range(count)
            ],
        )
        session.execute(PARTS, {"author": agent.id})
        session.execute(FILES)
        number = session.get_one(Ticket, numbers[0]).ticket_number
        tag(session, number, "billing")


def statements_of(database: Database, who: Actor, act: Any) -> tuple[int, Any]:
    with database.transaction(who) as session:
        session.connection()
        with count_statements(database.engine) as statements:
            found = act(session)
    return len(statements), found


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER])
def test_the_number_of_statements_does_not_grow_with_the_tickets(
    database: Database, factory: Factory, role: Role
) -> None:
    agent, customer = factory.user(Role.AGENT), factory.user()
    who = actor(agent if role is Role.AGENT else customer)
    requesters = [customer] if role is Role.CUSTOMER else [customer, factory.user()]
    counts = {}
    total = 0
    for size in (1, 49, 450):
        fill(database, size, requesters, agent)
        total += size
        count, found = statements_of(database, who, get_tickets_with_details)
        assert len(found) == total
        counts[total] = count
    assert set(counts) == {1, 50, 500}
    assert len(set(counts.values())) == 1, counts
    assert counts[1] <= 11


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER])
def test_the_statements_of_a_person_do_not_grow_with_their_tickets(
    database: Database, factory: Factory, role: Role
) -> None:
    agent, customer = factory.user(Role.AGENT), factory.user()
    person = agent if role is Role.AGENT else customer
    counts = []
    for size in (1, 49, 450):
        fill(database, size, [customer], agent)
        counts.append(statements_of(database, actor(agent), lambda s: get_user_with_tickets(s, person.id))[0])
    assert len(set(counts)) == 1, counts


def test_people_thread_files_and_tags_are_there(database: Database, factory: Factory) -> None:
    agent, customer = factory.user(Role.AGENT), factory.user()
    fill(database, 1, [customer], agent)
    with database.transaction(actor(agent)) as session:
        [ticket] = get_tickets_with_details(session)
    assert ticket.assignee is not None
    assert (ticket.creator.email, ticket.assignee.email) == (customer.email, agent.email)
    assert [comment.author.full_name for comment in ticket.comments] == [agent.full_name] * 2
    assert [len(comment.attachments) for comment in ticket.comments] == [1, 1]
    assert (len(ticket.attachments), [found.name for found in ticket.tags]) == (2, ["billing"])
    assert ticket.requester is not None
    assert ticket.requester.email == customer.email


def test_comments_come_oldest_first_and_tickets_last_changed_first(database: Database, factory: Factory) -> None:
    agent = factory.user(Role.AGENT)
    old, new = factory.ticket(), factory.ticket()
    for message in ("one", "two", "three"):
        factory.comment(old, agent, message)
    with database.transaction(actor(agent)) as session:
        found = get_tickets_with_details(session)
        assert [ticket.id for ticket in found] == [old.id, new.id]
        assert [comment.content for comment in found[0].comments] == ["one", "two", "three"]
        assert get_tickets_with_details(session, limit=1) == found[:1]


def test_only_those_of_the_status_that_is_asked_for(database: Database, factory: Factory) -> None:
    agent, ticket, _other = factory.user(Role.AGENT), factory.ticket(), factory.ticket()
    with database.transaction(actor(agent)) as session:
        actions.change_status(session, ticket.ticket_number, TicketStatus.RESOLVED)
        assert [found.id for found in get_tickets_with_details(session, TicketStatus.RESOLVED)] == [ticket.id]
        assert [found.id for found in get_tickets_with_details(session, "resolved")] == [ticket.id]
        assert get_tickets_with_details(session, "closed") == []


def test_what_was_read_before_is_read_again(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    with database.transaction(actor(agent)) as session:
        assert get_tickets_with_details(session)[0].comments == []
        actions.reply(session, ticket.ticket_number, body=body_of("Hello"), now=NOW)
        assert [comment.content for comment in get_tickets_with_details(session)[0].comments] == ["Hello"]


def test_deleted_tickets_are_left_out(database: Database, factory: Factory) -> None:
    agent, customer = factory.user(Role.AGENT), factory.user()
    gone, kept = factory.ticket(customer), factory.ticket(customer)
    with database.transaction(actor(agent)) as session:
        actions.soft_delete(session, gone.ticket_number, now=NOW)
        assert [ticket.id for ticket in get_tickets_with_details(session)] == [kept.id]
        person: Any = get_user_with_tickets(session, customer.id)
        assert [ticket.id for ticket in person.tickets_created] == [kept.id]


def test_a_customer_sees_their_own_without_notes_and_tags(database: Database, factory: Factory) -> None:
    agent, company = factory.user(Role.AGENT), factory.organization(shares_tickets=True)
    customer, colleague = factory.user(organization=company), factory.user(organization=company)
    factory.ticket()
    ticket = factory.ticket(colleague)
    factory.comment(ticket, agent, "public")
    factory.comment(ticket, agent, "secret", is_internal=True)
    with database.transaction(actor(agent)) as session:
        tag(session, ticket.ticket_number, "difficult")
        actions.assign(session, ticket.ticket_number, agent.id)
    with database.transaction(actor(customer)) as session:
        [seen] = get_tickets_with_details(session)
    assert [comment.content for comment in seen.comments] == ["public"]
    assert [getattr(seen, name) for name in ("tags", "team", "assignee", "creator")] == [[], None, None, None]
    assert seen.agent is not None
    assert (seen.agent.full_name, seen.agent.email) == (agent.full_name, None)
    assert seen.comments[0].writer is not None


def test_a_person_comes_with_both_kinds_of_tickets(database: Database, factory: Factory) -> None:
    agent = factory.user(Role.AGENT)
    own, given = factory.ticket(agent), factory.ticket()
    with database.transaction(actor(agent)) as session:
        actions.assign(session, given.ticket_number, agent.id)
        person: Any = get_user_with_tickets(session, agent.id)
        assert [ticket.id for ticket in person.tickets_created] == [own.id]
        assert [ticket.id for ticket in person.tickets_assigned] == [given.id]
        assert person.tickets_assigned[0].creator.email
        assert person.tickets_assigned[0].comments == []


def test_a_persons_tickets_can_be_limited(database: Database, factory: Factory) -> None:
    customer = factory.user()
    newest = [factory.ticket(customer).id for _ in range(3)][::-1]
    with database.transaction(actor(customer)) as session:
        person: Any = get_user_with_tickets(session, customer.id, limit=2)
    assert [ticket.id for ticket in person.tickets_created] == newest[:2]


def test_somebody_else_is_not_found_by_a_customer(database: Database, factory: Factory) -> None:
    customer, other = factory.user(), factory.user()
    with database.transaction(actor(customer)) as session:
        for stranger in (other.id, 10**9):
            with pytest.raises(NotFoundError):
                get_user_with_tickets(session, stranger)


@pytest.mark.parametrize("arguments", [{"status": "done"}, {"status": ""}, {"limit": 0}, {"limit": -1}])
def test_what_makes_no_sense_is_refused_with_its_field(database: Database, arguments: dict[str, Any]) -> None:
    with database.transaction(SYSTEM) as session, pytest.raises(InvalidError) as raised:
        get_tickets_with_details(session, **arguments)
    assert raised.value.field == next(iter(arguments))
