"""Who gets copies of a ticket's answers, who says so, and how its history tells of it."""

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.copies import MOST_COPIES, add_copies, add_copy, copies_of, newest_copy, remove_copy
from deskbell.tickets.history import history_page
from deskbell.tickets.models import Ticket


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT)


@pytest.fixture
def ticket(factory: Factory) -> Ticket:
    return factory.ticket(factory.user(email="kim@example.test"))


def test_an_agent_puts_somebody_in_copy_and_takes_them_out_again(
    database: Database, agent: User, ticket: Ticket
) -> None:
    number = ticket.ticket_number
    with database.transaction(actor(agent)) as session:
        first = add_copy(session, number, " Lee@Example.test ", "Lee\nDoe")
        second = add_copy(session, number, "ada@example.test")
        assert [(each.email, each.name) for each in copies_of(session, ticket.id)] == [
            ("Lee@Example.test", "Lee Doe"),
            ("ada@example.test", ""),
        ]
        assert newest_copy(session, ticket.id) == second.id
        remove_copy(session, number, first.id)
        assert [each.id for each in copies_of(session, ticket.id)] == [second.id]


def test_the_history_tells_of_copies_also_of_those_that_are_gone(
    database: Database, agent: User, ticket: Ticket
) -> None:
    number = ticket.ticket_number
    with database.transaction(actor(agent)) as session:
        copy_id = add_copy(session, number, "lee@example.test").id
    with database.transaction(actor(agent)) as session:
        remove_copy(session, number, copy_id)
    with database.transaction(actor(agent)) as session:
        add_copies(session, session.get_one(Ticket, ticket.id), [("a@x.test", ""), ("b@x.test", "")])
    with database.transaction(actor(agent)) as session:
        told = [act.summary for act in history_page(session, number).items]
    assert told[0] == "put in copy a@x.test, b@x.test"
    assert told[1:3] == ["took out of copy lee@example.test", "put in copy lee@example.test"]


def test_what_makes_no_sense_is_refused(database: Database, agent: User, ticket: Ticket) -> None:
    number = ticket.ticket_number
    with database.transaction(actor(agent)) as session:
        add_copy(session, number, "lee@example.test")
        with pytest.raises(ConflictError):
            add_copy(session, number, "LEE@example.test")
        for email in ("nobody", "", "KIM@example.test"):
            with pytest.raises(InvalidError):
                add_copy(session, number, email)
        for copy_id in (0, 10**9):
            with pytest.raises(NotFoundError):
                remove_copy(session, number, copy_id)
        many = [(f"p{n}@example.test", "") for n in range(100)]
        assert len(add_copies(session, session.get_one(Ticket, ticket.id), many)) == MOST_COPIES - 1
        with pytest.raises(InvalidError, match="at most 20"):
            add_copy(session, number, "late@example.test")


def test_a_copy_of_another_ticket_is_not_taken_out_by_its_number(
    database: Database, factory: Factory, agent: User, ticket: Ticket
) -> None:
    with database.transaction(actor(agent)) as session:
        copy_id = add_copy(session, ticket.ticket_number, "lee@example.test").id
        with pytest.raises(NotFoundError):
            remove_copy(session, factory.ticket().ticket_number, copy_id)


def test_customers_see_who_gets_copies_of_their_tickets_and_change_nothing(
    database: Database, factory: Factory, ticket: Ticket
) -> None:
    with database.transaction(SYSTEM) as session:
        add_copies(session, ticket, [("lee@example.test", "")])
        requester = session.get_one(User, ticket.creator_id)
    with database.transaction(actor(requester)) as session:
        assert [each.email for each in copies_of(session, ticket.id)] == ["lee@example.test"]
        with pytest.raises(ForbiddenError):
            add_copy(session, ticket.ticket_number, "x@example.test")
        with pytest.raises(ForbiddenError):
            remove_copy(session, ticket.ticket_number, 1)
    with database.transaction(actor(factory.user())) as session:
        assert not copies_of(session, ticket.id)


def test_what_was_taken_out_is_found_in_an_index_of_the_log(database: Database, ticket: Ticket) -> None:
    """Else each history would read the whole log."""
    query = (
        "explain select record_id from audit_logs where table_name in ('ticket_copies', 'ticket_links')"
        " and action = 'DELETE' and (changes ->> 'ticket_id' = :id or changes ->> 'other_id' = :id)"
    )
    with database.transaction(SYSTEM) as session:
        session.execute(text("set local enable_seqscan = off"))
        plan = "\n".join(session.scalars(text(query), {"id": str(ticket.id)}))
    assert "former_ends" in plan
    assert "Seq Scan" not in plan
