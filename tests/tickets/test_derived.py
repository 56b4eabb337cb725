"""What follows from a ticket's times is the same in Python and in SQL, whatever the times, statuses and time zones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from deskbell.kernel.database import Database
from deskbell.kernel.errors import InvalidError
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.models import Ticket, TicketStatus

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu")
SPRING = datetime(2026, 3, 29, 1, tzinfo=UTC)
"""The hour that clocks in Berlin skip."""
WEEK = timedelta(hours=168)
INSTANT = timedelta(microseconds=1)
FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)
"""A day within what Python knows: in another zone it could not read the very first and last times."""

near = st.timedeltas(min_value=timedelta(days=-9), max_value=timedelta(days=9)).map(lambda span: SPRING + span)
anywhere = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC))
moments = near | anywhere
zoned = st.builds(lambda moment, zone: moment.astimezone(ZoneInfo(zone)), near, st.sampled_from(ZONES))
hours = st.floats(-400, 400) | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**12), 10**12)


@dataclass
class Row:
    """One stored ticket, whose columns a test sets as it likes."""

    session: Session
    ticket: Ticket

    def set(self, **values: object) -> None:
        self.session.execute(update(Ticket.__table__).where(Ticket.id == self.ticket.id).values(**values))  # type: ignore[arg-type]  # a Table
        self.session.refresh(self.ticket)

    def both(self, expression: Any, value: object) -> object:
        """Return the value, which must be what the database says."""
        found = self.session.scalars(select(expression).where(Ticket.id == self.ticket.id)).one()
        assert found == value
        return value


@pytest.fixture
def row(database: Database, factory: Factory) -> Iterator[Row]:
    number = factory.ticket().id
    with database.transaction(SYSTEM) as session:
        yield Row(session, session.get_one(Ticket, number))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    created=moments,
    now=moments | zoned,
    status=st.sampled_from(TicketStatus),
    deleted=st.none() | near,
    responded=st.none() | moments,
    hours=hours,
    zone=st.sampled_from(ZONES),
)
@example(SPRING - WEEK, SPRING, TicketStatus.OPEN, None, None, 168, "Europe/Berlin")
@example(SPRING - WEEK - INSTANT, SPRING, TicketStatus.OPEN, None, None, 168, "Europe/Berlin")
@example(FIRST, LAST, TicketStatus.OPEN, None, LAST, 0, "UTC")
@example(LAST, FIRST, TicketStatus.OPEN, None, FIRST, -1e300, "Pacific/Kiritimati")
@example(SPRING, SPRING, TicketStatus.OPEN, None, SPRING + INSTANT, 1e-9, "Asia/Kathmandu")
def test_they_are_equal_in_python_and_in_sql(
    row: Row,
    created: datetime,
    now: datetime,
    status: TicketStatus,
    deleted: datetime | None,
    responded: datetime | None,
    hours: float,
    zone: str,
) -> None:
    row.set(created_at=created, status=status, deleted_at=deleted, first_responded_at=responded)
    row.session.execute(select(func.set_config("timezone", zone, True)))
    ticket = row.ticket
    row.both(Ticket.is_overdue_at(now), ticket.is_overdue_at(now))
    row.both(Ticket.is_priority_escalation_needed_at(now, hours), ticket.is_priority_escalation_needed_at(now, hours))
    row.both(Ticket.response_time_hours, ticket.response_time_hours)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(age=st.timedeltas(timedelta(days=-3), timedelta(days=60)), status=st.sampled_from(TicketStatus), hours=hours)
def test_they_are_equal_by_the_clock_too(row: Row, age: timedelta, status: TicketStatus, hours: float) -> None:
    """The clocks of both are read one after the other: what lies just on the edge is left to the test above."""
    created = datetime.now(UTC) - age - timedelta(seconds=30)
    row.set(created_at=created, status=status)
    row.both(Ticket.is_overdue, row.ticket.is_overdue)
    if abs(age.total_seconds() - hours * 3600) > 60:
        row.both(Ticket.is_priority_escalation_needed(hours), row.ticket.is_priority_escalation_needed(hours))


@pytest.mark.parametrize("zone", ZONES)
def test_seven_days_are_168_hours_also_where_clocks_change(row: Row, zone: str) -> None:
    """Trap 7: `.days > 7` means eight days; and a day of a calendar may have 23 or 25 hours."""
    row.session.execute(select(func.set_config("timezone", zone, True)))
    row.set(created_at=SPRING)
    for now, overdue in ((SPRING + WEEK, False), (SPRING + WEEK + INSTANT, True)):
        local = now.astimezone(ZoneInfo(zone))
        assert row.both(Ticket.is_overdue_at(local), row.ticket.is_overdue_at(local)) is overdue


def test_what_is_done_or_deleted_is_not_overdue(row: Row) -> None:
    now = SPRING + 2 * WEEK
    late = {}
    for status in TicketStatus:
        row.set(created_at=SPRING, status=status, deleted_at=None)
        late[status.value] = row.both(Ticket.is_overdue_at(now), row.ticket.is_overdue_at(now))
    assert late == {
        "open": True,
        "in_progress": True,
        "waiting_on_customer": True,
        "resolved": False,
        "closed": False,
    }
    row.set(status=TicketStatus.OPEN, deleted_at=SPRING)
    assert row.both(Ticket.is_overdue_at(now), row.ticket.is_overdue_at(now)) is False


@pytest.mark.parametrize(("hours", "needed"), [(24, False), (23.999, True), (0, True), (-24.5, True), (24.0001, False)])
def test_escalation_is_for_what_is_open_and_older(row: Row, hours: float, needed: bool) -> None:  # noqa: FBT001 - a table
    row.set(created_at=SPRING)
    now, ticket = SPRING + timedelta(hours=24), row.ticket
    assert (
        row.both(
            Ticket.is_priority_escalation_needed_at(now, hours), ticket.is_priority_escalation_needed_at(now, hours)
        )
        is needed
    )
    row.set(status=TicketStatus.IN_PROGRESS)
    assert (
        row.both(Ticket.is_priority_escalation_needed_at(now, 0), ticket.is_priority_escalation_needed_at(now, 0))
        is False
    )


def test_the_response_time_is_in_hours(row: Row) -> None:
    assert row.both(Ticket.response_time_hours, row.ticket.response_time_hours) is None
    row.set(created_at=SPRING, first_responded_at=SPRING + timedelta(minutes=90))
    assert row.both(Ticket.response_time_hours, row.ticket.response_time_hours) == 1.5


@pytest.mark.parametrize("hours", [nan, inf, -inf])
def test_what_is_no_number_of_hours_is_refused(hours: float) -> None:
    with pytest.raises(InvalidError, match="no number of hours"):
        Ticket.is_priority_escalation_needed(hours)
    with pytest.raises(InvalidError, match="no number of hours"):
        Ticket(status=TicketStatus.OPEN, created_at=SPRING).is_priority_escalation_needed(hours)


def test_a_time_without_a_zone_is_refused() -> None:
    """Trap 7: `utcnow()` minus an aware time raises TypeError somewhere below."""
    with pytest.raises(InvalidError, match="no time zone"):
        Ticket.is_overdue_at(SPRING.replace(tzinfo=None))


def test_a_ticket_that_was_never_stored_is_not_overdue() -> None:
    assert Ticket(status=TicketStatus.OPEN).is_overdue is False


def test_they_can_be_used_in_a_query(row: Row) -> None:
    row.set(created_at=SPRING, first_responded_at=SPRING + timedelta(hours=2))
    found = select(Ticket.id).where(Ticket.is_overdue, Ticket.is_priority_escalation_needed())
    assert row.session.scalars(found.order_by(Ticket.response_time_hours.desc())).all() == [row.ticket.id]
    assert "utc" in str(row.session.scalar(text("show timezone"))).lower()
