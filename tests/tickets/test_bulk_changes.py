"""Many tickets changed at once: what is changed, what is not and why, in one operation and few statements."""

import threading
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import func, select, text

from deskbell.accounts.actions import set_active
from deskbell.accounts.models import Role, User
from deskbell.audit.models import AuditLog
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.events import HANDLERS_KEY, Event
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets import actions
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.bulk_changes import BulkResult, bulk_assign_tickets, bulk_update_ticket_status
from deskbell.tickets.deletion import soft_delete_ticket
from deskbell.tickets.events import TicketsAssigned, TicketsStatusChanged
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.queries import get_ticket

HOSTILE: list[Any] = [0, -1, 2**63, -(2**63) - 1, True, 1.5, "1", "1\0", None, [1], "DB-1001"]
NOBODY = 10**9
WAITING = text("select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple')")


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT)


def make(database: Database, count: int, creator: User) -> list[int]:
    with database.transaction(SYSTEM) as session:
        return create_tickets(session, [NewTicket(f"Ticket {n}", "text", creator.id) for n in range(count)])


def states(database: Database) -> set[tuple[TicketStatus, int | None]]:
    with database.transaction(SYSTEM) as session:
        return {(status, person) for status, person in session.execute(select(Ticket.status, Ticket.assignee_id))}


def test_each_id_is_accounted_for(database: Database, factory: Factory, agent: User) -> None:
    fresh, done, gone = (factory.ticket().id for _ in range(3))
    with database.transaction(actor(agent)) as session:
        bulk_update_ticket_status(session, [done], "resolved")
        soft_delete_ticket(session, gone)
        result = bulk_update_ticket_status(session, [gone, NOBODY, done, fresh, fresh, done], TicketStatus.RESOLVED)
    assert result == BulkResult(changed=1, unchanged=(done,), deleted=(gone,), missing=(NOBODY,))
    assert result.refused == {gone: "It was deleted. Restore it first.", NOBODY: "There is no such ticket."}


def test_statuses_take_along_what_follows_from_them(database: Database, factory: Factory, agent: User) -> None:
    ids = make(database, 3, factory.user())
    for status, resolved, reopened in (("resolved", True, 0), ("open", False, 1), ("closed", True, 1)):
        with database.transaction(actor(agent)) as session:
            assert bulk_update_ticket_status(session, ids, status).changed == 3
            found = session.scalars(select(Ticket)).all()
            assert {(ticket.resolved_at is not None, ticket.reopen_count) for ticket in found} == {(resolved, reopened)}


def test_assigned_tickets_are_in_progress_if_they_were_open(database: Database, factory: Factory, agent: User) -> None:
    opened, waiting, done = (factory.ticket() for _ in range(3))
    with database.transaction(actor(agent)) as session:
        bulk_update_ticket_status(session, [waiting.id], "waiting_on_customer")
        bulk_update_ticket_status(session, [done.id], "resolved")
        assert bulk_assign_tickets(session, [opened.id, waiting.id, done.id], agent.id).changed == 3
        got = [get_ticket(session, ticket.ticket_number).status.value for ticket in (opened, waiting, done)]
    assert got == ["in_progress", "waiting_on_customer", "resolved"]


def test_assigning_again_changes_nothing_unless_a_ticket_was_opened_again(
    database: Database, factory: Factory, agent: User
) -> None:
    ids = make(database, 2, factory.user())
    with database.transaction(actor(agent)) as session:
        bulk_assign_tickets(session, ids, agent.id)
        assert bulk_assign_tickets(session, ids, agent.id) == BulkResult(0, unchanged=tuple(ids))
        bulk_update_ticket_status(session, ids[:1], "open")
        assert bulk_assign_tickets(session, ids, agent.id) == BulkResult(1, unchanged=(ids[1],))


def test_tickets_can_be_given_to_nobody(database: Database, factory: Factory, agent: User) -> None:
    ids = make(database, 2, factory.user())
    with database.transaction(actor(agent)) as session:
        bulk_assign_tickets(session, ids[:1], agent.id)
        assert bulk_assign_tickets(session, ids, None) == BulkResult(1, unchanged=(ids[1],))
    assert states(database) == {(TicketStatus.IN_PROGRESS, None), (TicketStatus.OPEN, None)}


@pytest.mark.parametrize("count", [1, 50, 500])
def test_two_statements_at_most_however_many_tickets(
    database: Database, factory: Factory, agent: User, count: int
) -> None:
    ids = make(database, count, factory.user())
    with database.transaction(actor(agent)) as session:
        session.connection()
        with count_statements(database.engine) as statements:
            bulk_update_ticket_status(session, ids, "closed")
        assert len(statements) == 1
        with count_statements(database.engine) as statements:
            bulk_update_ticket_status(session, [*ids, NOBODY], "closed")
        assert len(statements) == 2


def test_all_of_it_is_one_operation_by_who_did_it(database: Database, factory: Factory, agent: User) -> None:
    ids = make(database, 50, factory.user())
    with database.transaction(actor(agent)) as session:
        bulk_update_ticket_status(session, ids, "resolved")
        bulk_assign_tickets(session, ids, agent.id)
        found = session.execute(
            select(func.count(), func.count(AuditLog.operation_id.distinct()), func.min(AuditLog.user_id)).where(
                AuditLog.table_name == "tickets", AuditLog.action == "UPDATE"
            )
        ).one()
    assert tuple(found) == (100, 1, agent.id)


def test_a_hundred_thousand_ids_are_one_parameter(database: Database, factory: Factory, agent: User) -> None:
    ids = make(database, 3, factory.user())
    with database.transaction(actor(agent)) as session:
        result = bulk_update_ticket_status(session, [*ids, *range(NOBODY, NOBODY + 99_997)], "resolved")
        assert (result.changed, len(result.missing)) == (3, 99_997)
        with pytest.raises(InvalidError, match="100,000"):
            bulk_update_ticket_status(session, range(1, 100_002), "resolved")


@pytest.mark.parametrize("act", ["status", "assignee"])
def test_one_event_names_all_that_changed(database: Database, factory: Factory, agent: User, act: str) -> None:
    ids = make(database, 3, factory.user())
    heard: list[Event] = []
    with database.transaction(actor(agent)) as session:
        session.info[HANDLERS_KEY] = dict.fromkeys(
            (TicketsStatusChanged, TicketsAssigned), (lambda _, event: heard.append(event),)
        )
        for _ in range(2):
            if act == "status":
                bulk_update_ticket_status(session, [*ids, NOBODY], "closed")
            else:
                bulk_assign_tickets(session, [*ids, NOBODY], agent.id)
    expected = TicketsStatusChanged(tuple(ids), "closed") if act == "status" else TicketsAssigned(tuple(ids), agent.id)
    assert heard == [expected]


def test_what_the_session_had_loaded_is_up_to_date(database: Database, factory: Factory, agent: User) -> None:
    number = factory.ticket().ticket_number
    with database.transaction(actor(agent)) as session:
        ticket = get_ticket(session, number)
        ticket.title = "New title"
        bulk_update_ticket_status(session, [ticket.id], "resolved")
        assert (ticket.status, ticket.title, ticket.version) == (TicketStatus.RESOLVED, "New title", 3)
        assert ticket.resolved_at is not None
        actions.change_title(session, number, "Newer title", expected=3)


def test_customers_may_not(database: Database, factory: Factory) -> None:
    customer = factory.user()
    ticket = factory.ticket(customer)
    with database.transaction(actor(customer)) as session:
        with pytest.raises(ForbiddenError):
            bulk_update_ticket_status(session, [ticket.id], "resolved")
        with pytest.raises(ForbiddenError):
            bulk_assign_tickets(session, [ticket.id], None)


@pytest.mark.parametrize("number", HOSTILE, ids=repr)
def test_what_is_no_id_is_refused(database: Database, agent: User, number: Any) -> None:
    with database.transaction(actor(agent)) as session:
        with pytest.raises(InvalidError) as raised:
            bulk_update_ticket_status(session, [1, number], "resolved")
        assert raised.value.field == "ticket_ids"
        with pytest.raises(InvalidError) as raised:
            bulk_assign_tickets(session, [1, number], agent.id)
        assert raised.value.field == "ticket_ids"
        if number is not None:
            with pytest.raises(InvalidError) as raised:
                bulk_assign_tickets(session, [1], number)
            assert raised.value.field == "assignee_id"


def test_nothing_to_do_is_a_mistake(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session, pytest.raises(InvalidError) as raised:
        bulk_update_ticket_status(session, [], "resolved")
    assert raised.value.field == "ticket_ids"


@pytest.mark.parametrize("status", ["", "done", "RESOLVED", "resolved\0", "x" * 100_000])
def test_what_is_no_status_is_refused(database: Database, agent: User, status: str) -> None:
    with (
        database.transaction(actor(agent)) as session,
        pytest.raises(InvalidError, match="It is one of open") as raised,
    ):
        bulk_update_ticket_status(session, [1], status)
    assert raised.value.field == "status"
    assert len(raised.value.message) < 200


def test_who_cannot_be_given_tickets_is_refused(database: Database, factory: Factory, agent: User) -> None:
    ticket, customer, gone = factory.ticket(), factory.user(), factory.user(Role.AGENT)
    with database.transaction(SYSTEM) as session:
        set_active(session, gone.id, active=False)
    refused: dict[int, type[DeskbellError]] = {NOBODY: NotFoundError, customer.id: InvalidError, gone.id: InvalidError}
    for person, error in refused.items():
        with database.transaction(actor(agent)) as session, pytest.raises(error):
            bulk_assign_tickets(session, [ticket.id], person)
    assert states(database) == {(TicketStatus.OPEN, None)}


def test_rows_are_locked_in_the_order_of_their_ids(fresh_database: Database) -> None:
    """Two callers that lock the same rows in different orders are a deadlock, of which PostgreSQL ends one.

    The rows lie in the table in another order. Somebody holds the second one: the first is locked, the third not yet.
    """
    factory = Factory(fresh_database)
    agent = factory.user(Role.AGENT)
    first, second, third = make(fresh_database, 3, factory.user())
    for number in (first, second):
        with fresh_database.transaction(SYSTEM) as session:
            session.execute(text("update tickets set title = title || '!' where id = :id"), {"id": number})
    results: list[BulkResult] = []

    def work() -> None:
        with fresh_database.transaction(actor(agent)) as session:
            results.append(bulk_update_ticket_status(session, [third, first, second], "closed"))

    worker = threading.Thread(target=work)
    with fresh_database.transaction(SYSTEM) as holding:
        holding.execute(select(Ticket.id).where(Ticket.id == second).with_for_update())
        worker.start()
        deadline = monotonic() + 30
        while not holding.scalar(WAITING):
            assert monotonic() < deadline
        with fresh_database.transaction(SYSTEM) as other:
            free = select(Ticket.id).order_by(Ticket.id).with_for_update(skip_locked=True)
            assert other.scalars(free).all() == [third]
    worker.join(timeout=60)
    assert results == [BulkResult(3)]
