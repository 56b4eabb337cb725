"""Bulk changes by name: a preview says what the change then does, and what it does is one operation."""

import pytest
from sqlalchemy import select, text

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.events import HANDLERS_KEY, Event
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.bulk_acts import BulkAct, bulk_change, changed_since, preview_bulk
from deskbell.tickets.deletion import soft_delete_ticket
from deskbell.tickets.events import TicketsDeleted, TicketsRestored
from deskbell.tickets.models import Ticket, TicketPriority

VALUES = {
    BulkAct.STATUS: "resolved",
    BulkAct.PRIORITY: "urgent",
    BulkAct.TAG: "spring",
    BulkAct.UNTAG: "autumn",
    BulkAct.DELETE: "",
    BulkAct.RESTORE: "",
}


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT)


@pytest.fixture
def ids(database: Database, factory: Factory, agent: User) -> list[int]:
    """Five tickets: one that is as wanted already for most acts, one that was deleted; then one that does not exist."""
    made = factory.tickets(5, tags=[factory.tag("autumn")])
    with database.transaction(actor(agent)) as session:
        bulk_change(session, made[:1], BulkAct.STATUS, "resolved")
        bulk_change(session, made[:1], BulkAct.PRIORITY, "urgent")
        bulk_change(session, made[:1], BulkAct.TAG, "spring")
        bulk_change(session, made[:1], BulkAct.UNTAG, "autumn")
        soft_delete_ticket(session, made[1])
    return [*made, 10**9]


@pytest.mark.parametrize("act", [*VALUES, BulkAct.ASSIGN])
def test_what_a_preview_says_is_what_happens(database: Database, agent: User, ids: list[int], act: BulkAct) -> None:
    value = VALUES.get(act, str(agent.id))
    with database.transaction(actor(agent)) as session:
        said = preview_bulk(session, ids, act, value)
    with database.transaction(actor(agent)) as session:
        done = bulk_change(session, ids, act, value)
        again = preview_bulk(session, ids, act, value)
    told = (said.changing, said.unchanged, said.deleted, said.missing)
    assert told == (done.changed, len(done.unchanged), len(done.deleted), len(done.missing))
    assert done.missing == (10**9,)
    assert again.changing == 0
    expected = {BulkAct.ASSIGN: (4, 0, 1), BulkAct.DELETE: (4, 1, 0), BulkAct.RESTORE: (1, 4, 0)}
    assert told[:3] == expected.get(act, (3, 1, 1))


def test_a_preview_changes_nothing_and_names_the_first_few(database: Database, agent: User, ids: list[int]) -> None:
    facts = text(
        "select (select sum(version) from tickets), (select count(*) from tags), (select count(*) from audit_logs)"
    )
    with database.transaction(SYSTEM) as session:
        before = session.execute(facts).one()
    with database.transaction(actor(agent)) as session, count_statements(database.engine) as statements:
        said = preview_bulk(session, ids, BulkAct.TAG, "brand new")
    assert len([it for it in statements if "set_config" not in it]) == 3
    assert [(one.title, one.is_deleted) for one in said.left_alone] == [("Ticket 1", True)]
    with database.transaction(SYSTEM) as session:
        assert session.execute(facts).one() == before


def test_each_change_is_one_operation(database: Database, agent: User, ids: list[int]) -> None:
    for act in (BulkAct.PRIORITY, BulkAct.TAG, BulkAct.DELETE):
        with database.transaction(actor(agent)) as session:
            bulk_change(session, ids, act, {BulkAct.PRIORITY: "low", BulkAct.TAG: "spring"}.get(act, ""))
            operation = text(
                "select count(distinct operation_id), count(*) from audit_logs"
                " where operation_id = (select max(id) from operations) and table_name in ('tickets', 'ticket_tags')"
            )
            assert session.execute(operation).one()[0] == 1
    with database.transaction(SYSTEM) as session:
        assert set(session.scalars(select(Ticket.priority))) == {TicketPriority.LOW, TicketPriority.MEDIUM}


def test_who_changed_what_since_is_told(database: Database, agent: User, ids: list[int]) -> None:
    with database.transaction(actor(agent)) as session:
        at = preview_bulk(session, ids, BulkAct.PRIORITY, "high").at
        assert changed_since(session, ids, at) == (0, ())
        bulk_change(session, ids[2:4], BulkAct.PRIORITY, "high")
        count, numbers = changed_since(session, ids, at)
    assert (count, len(numbers)) == (2, 2)


def test_others_hear_of_what_is_put_away_and_brought_back(database: Database, agent: User, ids: list[int]) -> None:
    heard: list[Event] = []
    with database.transaction(actor(agent)) as session:
        session.info[HANDLERS_KEY] = {
            kind: (lambda _session, event: heard.append(event),) for kind in (TicketsDeleted, TicketsRestored)
        }
        bulk_change(session, ids[2:4], BulkAct.DELETE)
        bulk_change(session, ids[2:4], BulkAct.RESTORE)
    assert heard == [TicketsDeleted(tuple(ids[2:4])), TicketsRestored(tuple(ids[2:4]))]


@pytest.mark.parametrize(
    ("act", "value"),
    [
        (BulkAct.STATUS, "broken"),
        (BulkAct.STATUS, ""),
        (BulkAct.PRIORITY, "\0"),
        (BulkAct.ASSIGN, "x"),
        (BulkAct.ASSIGN, "9" * 30),
        (BulkAct.TAG, " \n"),
        (BulkAct.TAG, "x" * 101),
    ],
)
def test_what_cannot_be_is_refused(database: Database, agent: User, ids: list[int], act: BulkAct, value: str) -> None:
    for use in (preview_bulk, bulk_change):
        with pytest.raises(InvalidError), database.transaction(actor(agent)) as session:
            use(session, ids, act, value)


def test_customers_change_nothing_in_bulk(database: Database, factory: Factory, ids: list[int]) -> None:
    customer = factory.user()
    for use in (preview_bulk, bulk_change):
        with pytest.raises(ForbiddenError), database.transaction(actor(customer)) as session:
            use(session, ids, BulkAct.DELETE)
