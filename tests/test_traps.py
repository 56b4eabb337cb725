"""The traps of the usual recipe, each by the harm that it does: one short test for each shows that it is not done here.

More about each of them is tested where it belongs (`tests/audit`, `tests/access`, `tests/tickets`, `tests/plans`, ...).
"""

import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import FrameType

import httpx
import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from deskbell import (
    AuditLog,
    Comment,
    Database,
    DeskbellError,
    ForbiddenError,
    InvalidError,
    Role,
    Ticket,
    TicketStatus,
    User,
    bulk_assign_tickets,
    bulk_create_tickets,
    bulk_update_ticket_status,
    get_ticket_statistics,
    search_tickets,
    soft_delete_ticket,
)
from deskbell.accounts.actions import create_user, set_active
from deskbell.accounts.passwords import hash_password, verify_password
from deskbell.kernel.paging import Cursor, keyset, page
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.labels import tag
from deskbell.tickets.queries import NEWEST_FIRST, get_ticket, tickets
from tests.web.api.conftest import app_on

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_01_bulk_updates_and_raw_sql_pass_the_audit_log_by(database: Database, factory: Factory) -> None:
    ticket = factory.ticket()
    with database.transaction(actor(factory.user(Role.AGENT))) as session:
        session.get_one(Ticket, ticket.id).title = "by the ORM"
        session.flush()
        session.execute(update(Ticket).values(title="by a bulk update"))
        session.execute(text("update tickets set title = 'by raw SQL'"))
        found = session.scalars(select(AuditLog.changes["title"][1].astext).where(AuditLog.action == "UPDATE")).all()
    assert sorted(found) == ["by a bulk update", "by raw SQL", "by the ORM"]


def test_02_removing_a_person_takes_their_tickets_along(database: Database, factory: Factory) -> None:
    admin, customer = factory.user(Role.ADMIN), factory.user()
    ticket = factory.ticket(customer)
    with pytest.raises(ForbiddenError), database.transaction(actor(admin)) as session:
        session.execute(delete(User).where(User.id == customer.id))
    with database.transaction(actor(admin)) as session:
        set_active(session, customer.id, active=False)
        assert get_ticket(session, ticket.ticket_number).creator_id == customer.id


def test_03_enumerations_are_stored_by_their_python_names(database: Database, factory: Factory) -> None:
    factory.ticket()
    with database.transaction(SYSTEM) as session:
        session.execute(update(Ticket).values(status=TicketStatus.WAITING_ON_CUSTOMER))
        assert session.scalar(text("select status || ' ' || priority from tickets")) == "waiting_on_customer medium"


def test_04_extract_is_written_in_a_way_that_postgresql_rejects(database: Database, factory: Factory) -> None:
    customer, agent = factory.user(), factory.user(Role.AGENT)
    factory.comment(factory.ticket(customer), agent)
    with database.transaction(SYSTEM) as session:
        hours = session.scalars(select(Ticket.response_time_hours)).one()
        assert hours is not None
        assert 0 < hours < 1
        get_ticket_statistics(session, NOW, NOW + timedelta(days=1))


def test_05_joining_tags_counts_a_ticket_twice(database: Database, factory: Factory) -> None:
    ticket = factory.ticket()
    with database.transaction(actor(factory.user(Role.AGENT))) as session:
        for name in ("billing", "login"):
            tag(session, ticket.ticket_number, name)
        for match, names, total in (("any", ["billing", "login"], 1), ("all", ["billing", "other"], 0)):
            found = search_tickets(session, tags=names, tag_match="any" if match == "any" else "all")
            assert (len(found.tickets), found.total) == (total, total)


def test_06_what_the_user_typed_is_taken_for_wildcards(database: Database, factory: Factory) -> None:
    factory.ticket(message="Refund of 1000 euros")
    with database.transaction(SYSTEM) as session:
        assert [search_tickets(session, term).total for term in ("refund", "re%nd", "r_fund", "100%0")] == [1, 0, 0, 0]


def test_07_seven_days_become_eight_and_naive_times_raise(database: Database, factory: Factory) -> None:
    factory.ticket()
    with database.transaction(SYSTEM) as session:
        ticket = session.scalars(select(Ticket)).one()
        for late, overdue in ((timedelta(0), False), (timedelta(seconds=1), True)):
            now = ticket.created_at + timedelta(days=7) + late
            assert ticket.is_overdue_at(now) is overdue
            assert session.scalars(select(Ticket.is_overdue_at(now))).one() is overdue
        with pytest.raises(InvalidError, match="no time zone"):
            ticket.is_overdue_at(NOW.replace(tzinfo=None))


def test_08_a_helper_commits_half_of_what_a_request_does(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    with suppress(ZeroDivisionError), database.transaction(actor(agent)) as session:
        bulk_create_tickets(session, [{"title": "New", "creator_id": agent.id}])
        bulk_assign_tickets(session, [ticket.id], agent.id)
        soft_delete_ticket(session, ticket.id)
        raise ZeroDivisionError
    with database.transaction(SYSTEM) as session:
        found = session.execute(select(Ticket.id, Ticket.version, Ticket.assignee_id, Ticket.deleted_at)).all()
    assert [tuple(row) for row in found] == [(ticket.id, 1, None, None)]


def test_09_resolved_tickets_lack_their_time_and_reopened_ones_keep_it(database: Database, factory: Factory) -> None:
    ticket = factory.ticket()
    with database.transaction(actor(factory.user(Role.AGENT))) as session:
        for status, resolved, average in (("resolved", True, True), ("open", False, False)):
            bulk_update_ticket_status(session, [ticket.id], status)
            assert (session.scalar(select(Ticket.resolved_at)) is not None) is resolved
            figures = get_ticket_statistics(session, NOW, NOW + timedelta(days=3660))
            assert (figures.avg_resolution_hours is not None) is average


@pytest.mark.anyio
async def test_10_the_asynchronous_engine_is_given_the_synchronous_pool(fresh_database: Database) -> None:
    assert isinstance(fresh_database.engine.pool, QueuePool)
    assert isinstance(fresh_database.async_engine.pool, AsyncAdaptedQueuePool)
    async with fresh_database.async_transaction(SYSTEM) as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 0
    await fresh_database.aclose()


def test_11_pages_repeat_and_skip_tickets_while_others_arrive(database: Database, factory: Factory) -> None:
    known = [factory.ticket().id for _ in range(4)]
    seen: list[int] = []
    cursor: Cursor | None = None
    for _ in range(2):
        with database.transaction(SYSTEM) as session:
            rows = session.scalars(keyset(tickets(), NEWEST_FIRST, limit=2, cursor=cursor)).all()
            found = page(rows, NEWEST_FIRST, limit=2)
        seen += [ticket.id for ticket in found.items]
        cursor = found.next_cursor
        factory.ticket()
    assert seen == known[::-1]


@pytest.mark.anyio
async def test_12_thousands_of_ids_meet_the_drivers_limit_of_parameters(
    database: Database, async_database: Database
) -> None:
    ids = range(10**9, 10**9 + 70_000)
    with database.transaction(SYSTEM) as plain:
        assert len(bulk_update_ticket_status(plain, ids, "closed").missing) == 70_000
    async with async_database.async_transaction(SYSTEM) as session:
        assert len((await bulk_update_ticket_status(session, ids, "closed")).missing) == 70_000


def test_13_the_next_request_on_a_connection_is_somebody_elses(fresh_database: Database) -> None:
    agent = actor(Factory(fresh_database).user(Role.AGENT))
    me = text("select current_user, current_setting('deskbell.actor', true), pg_backend_pid()")
    with fresh_database.transaction(agent) as session:
        role, number, backend = session.execute(me).one()
    assert (role, number) == ("deskbell_agent", str(agent.user_id))
    with fresh_database.engine.connect() as connection:
        assert tuple(connection.execute(me).one()) == ("deskbell_app", "", backend)


def test_14_row_security_is_open_to_the_owner_to_views_and_to_guessing(database: Database, factory: Factory) -> None:
    customer, hidden = factory.user(), factory.ticket()
    unguarded = text(
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
        " and relrowsecurity and not relforcerowsecurity"
    )
    mighty = text("select rolname from pg_roles where rolname like 'deskbell%' and (rolsuper or rolbypassrls)")
    with database.transaction(SYSTEM) as session:
        assert session.scalars(unguarded).all() == session.scalars(mighty).all() == []
    with database.transaction(actor(customer)) as session:
        assert session.scalars(select(Ticket.id)).all() == []
        assert session.scalars(text("select email from people where email is not null")).all() == [customer.email]
    told = []
    for ticket_id in (hidden.id, 10**9):
        with pytest.raises(DeskbellError) as raised, database.transaction(actor(customer)) as session:
            session.add(Comment(ticket_id=ticket_id, author_id=customer.id, content="Is it there?"))
        told.append((type(raised.value), raised.value.message))
    assert told[0] == told[1]


def test_15_changes_carry_the_time_at_which_their_transaction_began(database: Database, factory: Factory) -> None:
    ticket = factory.ticket()
    with database.transaction(SYSTEM) as session:
        times = []
        for title in ("one", "two"):
            session.execute(update(Ticket.__table__).values(title=title))  # type: ignore[arg-type]  # a Table
            times.append(session.scalars(select(Ticket.updated_at)).one())
        assert session.scalars(select(func.now())).one() < times[0] < times[1]
    assert ticket.updated_at < times[0]


def test_16_addresses_differ_by_case_and_texts_hold_what_cannot_be_stored(database: Database, factory: Factory) -> None:
    factory.user(email="Anna@Example.test")
    with pytest.raises(DeskbellError, match="already"):
        factory.user(email="anna@example.TEST")
    ticket = factory.ticket(title="a\0b\ud800" + "x" * 100_000, message="\0\udfff" + "y" * 100_000)
    assert (ticket.title[:3], len(ticket.title) <= 500) == ("ab\N{REPLACEMENT CHARACTER}", True)
    assert ticket.description == "\N{REPLACEMENT CHARACTER}" + "y" * 100_000
    with database.transaction(SYSTEM) as session:
        bulk_create_tickets(session, [{"title": "\0c", "description": "\ud800", "creator_id": ticket.creator_id}])


def test_17_ticket_numbers_collide_under_load(fresh_database: Database) -> None:
    creator = Factory(fresh_database).user().id
    new = [{"title": "x", "creator_id": creator}] * 50
    with fresh_database.transaction(SYSTEM) as one, fresh_database.transaction(SYSTEM) as other:
        bulk_create_tickets(one, new)
        bulk_create_tickets(other, new)  # the first ones are not committed yet
    with fresh_database.transaction(SYSTEM) as session:
        assert session.scalar(select(func.count(Ticket.ticket_number.distinct()))) == 100


@pytest.mark.anyio
async def test_18_hashing_a_password_stalls_every_other_request(async_database: Database) -> None:
    async with async_database.async_transaction(SYSTEM) as session:
        password = hash_password("correct horse")
        await session.run_sync(create_user, email="anna@example.test", password_hash=password)
    threads: set[int] = set()

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is verify_password.__code__:
            threads.add(threading.get_ident())

    transport = httpx.ASGITransport(app=app_on(async_database))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        threading.setprofile(watch)
        sys.setprofile(watch)
        try:
            body = {"email": "anna@example.test", "password": "correct horse"}
            answer = await client.post("/api/v1/session", json=body)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    assert answer.status_code in {200, 201}, answer.text
    assert threads
    assert threading.get_ident() not in threads


def test_each_trap_has_its_test() -> None:
    tests = [name for name in globals() if name.startswith("test_") and name[5:7].isdigit()]
    assert sorted(int(name[5:7]) for name in tests) == list(range(1, 19))
