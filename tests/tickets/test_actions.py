"""What happens to tickets, through the use cases, on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from deskbell.accounts.actions import set_active
from deskbell.accounts.login import open_session
from deskbell.accounts.models import Role
from deskbell.accounts.profiles import change_user
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError, StaleError
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets import actions
from deskbell.tickets.bodies import body_of
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.changes import change_ticket
from deskbell.tickets.labels import tag, untag
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.queries import get_thread, get_ticket

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def fresh(database: Database, ticket: Ticket) -> Ticket:
    with database.transaction(SYSTEM) as session:
        return get_thread(session, ticket.ticket_number)


def test_a_new_ticket_is_open_numbered_and_titled_from_its_message(factory: Factory) -> None:
    ticket = factory.ticket(message="My card has not arrived.\nIt was sent two weeks ago.")
    assert ticket.ticket_number.startswith("DB-")
    assert ticket.title == "My card has not arrived."
    assert (ticket.status, ticket.version, ticket.reopen_count) == (TicketStatus.OPEN, 1, 0)


def test_a_customers_reply_reopens_a_resolved_ticket(database: Database, factory: Factory) -> None:
    customer, agent = factory.user(), factory.user(Role.AGENT)
    ticket = factory.ticket(customer)
    with database.transaction(actor(agent)) as session:
        actions.reply(session, ticket.ticket_number, body=body_of("Sent."), status=TicketStatus.RESOLVED, now=NOW)
    resolved = fresh(database, ticket)
    assert (resolved.status, resolved.first_responded_at) == (TicketStatus.RESOLVED, NOW)
    assert resolved.resolved_at is not None
    with database.transaction(actor(customer)) as session:
        actions.reply(session, ticket.ticket_number, body=body_of("It is not here."), now=NOW)
    reopened = fresh(database, ticket)
    assert (reopened.status, reopened.resolved_at, reopened.reopen_count) == (TicketStatus.OPEN, None, 1)


def test_a_bulk_update_cannot_leave_resolved_at_wrong(database: Database, factory: Factory) -> None:
    """Trap 9: a status set by a bulk statement or raw SQL, with `resolved_at` forgotten."""
    ticket = factory.ticket()
    for status, resolved in (("resolved", True), ("closed", True), ("open", False), ("closed", True)):
        with database.transaction(SYSTEM) as session:
            session.execute(
                text("update tickets set status = :status where id = :id"), {"status": status, "id": ticket.id}
            )
            found = session.execute(
                text("select resolved_at from tickets where id = :id"), {"id": ticket.id}
            ).scalar_one()
        assert (found is not None) is resolved
    assert fresh(database, ticket).reopen_count == 1


def test_a_bulk_update_moves_updated_at_and_the_version(database: Database, factory: Factory) -> None:
    """Trap 15: `updated_at` set by the ORM alone misses bulk updates."""
    ticket = factory.ticket()
    with database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set priority = 'high' where id = :id"), {"id": ticket.id})
    changed = fresh(database, ticket)
    assert changed.updated_at > ticket.updated_at
    assert changed.version == 2


def test_an_internal_note_leaves_the_first_response_open(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    factory.comment(ticket, agent, is_internal=True)
    assert fresh(database, ticket).first_responded_at is None


def test_a_change_of_what_was_changed_meanwhile_is_refused(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    with database.transaction(actor(agent)) as session:
        actions.change_status(session, ticket.ticket_number, TicketStatus.RESOLVED, expected=1)
    with pytest.raises(StaleError) as raised, database.transaction(actor(agent)) as session:
        actions.change_status(session, ticket.ticket_number, TicketStatus.CLOSED, expected=1)
    assert raised.value.details == {"seen": 1, "current": 2}
    assert fresh(database, ticket).status is TicketStatus.RESOLVED


def test_an_open_ticket_that_is_assigned_is_in_progress(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    with database.transaction(actor(agent)) as session:
        assigned = actions.assign(session, ticket.ticket_number, agent.id)
    assert (assigned.status, assigned.assignee_id) == (TicketStatus.IN_PROGRESS, agent.id)


def test_a_ticket_is_not_assigned_to_a_customer(database: Database, factory: Factory) -> None:
    agent, customer, ticket = factory.user(Role.AGENT), factory.user(), factory.ticket()
    with pytest.raises(InvalidError, match="agents and administrators"), database.transaction(actor(agent)) as session:
        actions.assign(session, ticket.ticket_number, customer.id)


def test_who_leaves_gives_back_their_unresolved_tickets(database: Database, factory: Factory) -> None:
    admin, agent, ticket = factory.user(Role.ADMIN), factory.user(Role.AGENT), factory.ticket()
    with database.transaction(actor(admin)) as session:
        actions.assign(session, ticket.ticket_number, agent.id)
        set_active(session, agent.id, active=False)
    assert fresh(database, ticket).assignee_id is None


def test_tagging_twice_changes_nothing_the_second_time(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    with database.transaction(actor(agent)) as session:
        assert tag(session, ticket.ticket_number, "Billing")
        assert not tag(session, ticket.ticket_number, "billing")
        assert untag(session, ticket.ticket_number, "BILLING")
        assert not untag(session, ticket.ticket_number, "billing")
    assert fresh(database, ticket).tags == []


def test_a_deleted_ticket_is_kept_hidden_and_can_come_back(database: Database, factory: Factory) -> None:
    agent, customer = factory.user(Role.AGENT), factory.user()
    ticket = factory.ticket(customer)
    with database.transaction(actor(agent)) as session:
        assert actions.soft_delete(session, ticket.ticket_number, now=NOW)
        assert not actions.soft_delete(session, ticket.ticket_number, now=NOW)
    with pytest.raises(NotFoundError), database.transaction(actor(customer)) as session:
        get_ticket(session, ticket.ticket_number)
    with database.transaction(actor(agent)) as session:
        assert actions.restore(session, ticket.ticket_number)
        assert not actions.restore(session, ticket.ticket_number)


def test_a_customer_reaches_neither_notes_nor_strangers_tickets(database: Database, factory: Factory) -> None:
    agent, customer, stranger = factory.user(Role.AGENT), factory.user(), factory.user()
    ticket = factory.ticket(customer)
    factory.comment(ticket, agent, "public")
    factory.comment(ticket, agent, "secret", is_internal=True)
    with database.transaction(actor(customer)) as session:
        assert [comment.content for comment in get_thread(session, ticket.ticket_number).comments] == ["public"]
    with pytest.raises(NotFoundError), database.transaction(actor(stranger)) as session:
        actions.reply(session, ticket.ticket_number, body=body_of("Hello?"), now=NOW)
    with pytest.raises(ForbiddenError), database.transaction(actor(customer)) as session:
        actions.change_priority(session, ticket.ticket_number, ticket.priority)


def test_a_customer_may_resolve_and_reopen_but_not_steer(database: Database, factory: Factory) -> None:
    customer = factory.user()
    number = factory.ticket(customer).ticket_number
    for status in (TicketStatus.RESOLVED, TicketStatus.OPEN):
        with database.transaction(actor(customer)) as session:
            actions.change_status(session, number, status)
    with pytest.raises(ForbiddenError, match="resolve"), database.transaction(actor(customer)) as session:
        actions.change_status(session, number, TicketStatus.IN_PROGRESS)


def test_an_empty_change_of_a_stale_ticket_is_refused_too(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    with pytest.raises(StaleError), database.transaction(actor(agent)) as session:
        change_ticket(session, ticket.ticket_number, {}, expected=99)


def test_who_no_longer_works_for_the_desk_gives_back_their_tickets(database: Database, factory: Factory) -> None:
    admin, agent, ticket = factory.user(Role.ADMIN), factory.user(Role.AGENT), factory.ticket()
    with database.transaction(actor(admin)) as session:
        actions.assign(session, ticket.ticket_number, agent.id)
        change_user(session, agent.id, {"role": Role.CUSTOMER})
    assert fresh(database, ticket).assignee_id is None


def test_deactivation_by_an_administrator_ends_all_log_ins_for_good(database: Database, factory: Factory) -> None:
    admin, person = factory.user(Role.ADMIN), factory.user(Role.AGENT)
    with database.transaction(SYSTEM) as session:
        open_session(session, person.id, lifetime=timedelta(days=1), now=NOW)
    with database.transaction(actor(admin)) as session:
        set_active(session, person.id, active=False)
        set_active(session, person.id, active=True)
    with database.transaction(SYSTEM) as session:
        assert session.scalar(text("select count(*) from login_sessions")) == 0


def test_an_imported_ticket_was_resolved_when_it_says_not_today(database: Database, factory: Factory) -> None:
    """Trap 9: averages over imported tickets would all be years."""
    then = datetime(2020, 5, 1, tzinfo=UTC)
    new = NewTicket("Old", "Old", factory.user().id, None, then, status=TicketStatus.RESOLVED)
    with database.transaction(SYSTEM) as session:
        [number] = create_tickets(session, [new])
        assert session.get_one(Ticket, number).resolved_at == then


def test_a_text_of_more_words_than_an_index_holds_is_kept_whole(factory: Factory) -> None:
    text_ = " ".join(f"{chr(0x20000 + n)}-{chr(0x20001 + n)}" for n in range(33_000))
    assert factory.ticket(message=text_).description == text_
