"""Figures of a period: what counts, what does not, and where the period begins and ends."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import InvalidError
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.bulk_changes import bulk_update_ticket_status
from deskbell.tickets.deletion import soft_delete_ticket
from deskbell.tickets.models import TicketPriority, TicketStatus
from deskbell.tickets.statistics import get_ticket_statistics

MONDAY = date(2026, 3, 23)
AFTER = MONDAY + timedelta(days=7)
NOON = datetime(2026, 3, 25, 12, tzinfo=UTC)


def make(database: Database, creator: int, *tickets: dict[str, Any]) -> list[int]:
    with database.transaction(SYSTEM) as session:
        new = [
            NewTicket(**{"title": "x", "description": "", "creator_id": creator, "created_at": NOON, **values})
            for values in tickets
        ]
        return create_tickets(session, new)


def done_in(hours: float, **values: Any) -> dict[str, Any]:
    return {"status": TicketStatus.RESOLVED, "resolved_at": NOON + timedelta(hours=hours), **values}


def test_tickets_are_counted_by_status_priority_and_assignee(database: Database, factory: Factory) -> None:
    anna, bert = (factory.user(Role.AGENT, full_name=name) for name in ("Anna", "Bert"))
    make(
        database,
        factory.user().id,
        {},
        {"priority": TicketPriority.URGENT, "assignee_id": bert.id},
        done_in(2, assignee_id=anna.id),
        done_in(4, assignee_id=anna.id, status=TicketStatus.CLOSED),
    )
    with database.transaction(actor(anna)) as session:
        found = get_ticket_statistics(session, MONDAY, AFTER)
    assert found.status_counts == {"open": 2, "in_progress": 0, "waiting_on_customer": 0, "resolved": 1, "closed": 1}
    assert found.priority_counts == {"low": 0, "medium": 3, "high": 0, "urgent": 1}
    assert (found.avg_resolution_hours, found.total) == (3.0, 4)
    assert found.assignee_stats == (("Anna", 2, 3.0), ("Bert", 1, None))


def test_an_empty_period_has_zeros_and_no_average(database: Database) -> None:
    with database.transaction(SYSTEM) as session:
        found = get_ticket_statistics(session, MONDAY, AFTER)
    assert set(found.status_counts.values()) == set(found.priority_counts.values()) == {0}
    assert (found.avg_resolution_hours, found.assignee_stats) == (None, ())


def test_a_ticket_that_was_opened_again_is_not_averaged_as_resolved(database: Database, factory: Factory) -> None:
    """Trap 9: averaging over reopened tickets."""
    _fast, again = make(database, factory.user().id, done_in(1), done_in(1000))
    with database.transaction(actor(factory.user(Role.AGENT))) as session:
        bulk_update_ticket_status(session, [again], "open")
        assert get_ticket_statistics(session, MONDAY, AFTER).avg_resolution_hours == 1.0


def test_deleted_tickets_do_not_count(database: Database, factory: Factory) -> None:
    [gone] = make(database, factory.user().id, {})
    with database.transaction(SYSTEM) as session:
        soft_delete_ticket(session, gone)
        assert get_ticket_statistics(session, MONDAY, AFTER).total == 0


def test_the_end_does_not_belong_to_the_period(database: Database, factory: Factory) -> None:
    start, end = datetime(2026, 3, 23, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    make(database, factory.user().id, *({"created_at": at} for at in (start - instant, start, end - instant, end)))
    with database.transaction(SYSTEM) as session:
        assert get_ticket_statistics(session, start, end).total == 2
        assert get_ticket_statistics(session, MONDAY, AFTER).total == 2
        assert get_ticket_statistics(session, start.astimezone(ZoneInfo("Asia/Kathmandu")), end).total == 2


def test_a_date_begins_where_the_actor_is(database: Database, factory: Factory) -> None:
    agent = factory.user(Role.AGENT)
    make(database, agent.id, {"created_at": datetime(2026, 3, 22, 11, tzinfo=UTC)})  # Monday in Auckland
    for zone, total in (("UTC", 0), ("Pacific/Auckland", 1)):
        who = Actor(ActorKind.AGENT, agent.id, Channel.API, time_zone=zone)
        with database.transaction(who) as session:
            assert get_ticket_statistics(session, MONDAY, AFTER).total == total


def test_a_customer_gets_figures_of_what_they_may_see(database: Database, factory: Factory) -> None:
    agent, customer = factory.user(Role.AGENT, full_name="Anna"), factory.user()
    make(database, customer.id, done_in(2, assignee_id=agent.id))
    make(database, factory.user().id, {}, {})
    with database.transaction(actor(customer)) as session:
        found = get_ticket_statistics(session, MONDAY, AFTER)
    assert (found.total, found.assignee_stats) == (1, (("Anna", 1, 2.0),))


@pytest.mark.parametrize("count", [1, 50, 500])
def test_two_statements_however_many_tickets(database: Database, factory: Factory, count: int) -> None:
    agents = [factory.user(Role.AGENT) for _ in range(5)]
    make(database, agents[0].id, *({"assignee_id": agents[n % 5].id} for n in range(count)))
    with database.transaction(actor(agents[0])) as session:
        session.connection()
        with count_statements(database.engine) as statements:
            get_ticket_statistics(session, MONDAY, AFTER)
    assert len(statements) == 2


PERIODS: list[tuple[Any, Any, str]] = [
    (AFTER, MONDAY, "end_date"),
    (MONDAY, MONDAY, "end_date"),
    (MONDAY, MONDAY + timedelta(days=3661), "end_date"),
    (date.min, date.max, "end_date"),
    (NOON.replace(tzinfo=None), AFTER, "start_date"),
    (MONDAY, NOON.replace(tzinfo=None), "end_date"),
    (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), AFTER, "start_date"),
    (MONDAY, datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), "end_date"),
]


@pytest.mark.parametrize(("start", "end", "field"), PERIODS)
def test_a_period_that_makes_no_sense_is_refused(database: Database, start: Any, end: Any, field: str) -> None:
    with database.transaction(SYSTEM) as session, pytest.raises(InvalidError) as raised:
        get_ticket_statistics(session, start, end)
    assert raised.value.field == field
