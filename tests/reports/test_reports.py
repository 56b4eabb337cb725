"""Reports equal what is counted ticket by ticket, whether figures are kept, marked or missing."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from statistics import median
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.reports import By, all_response_times, flow, response_times, totals
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.jobs import keep_figures
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus, TicketTag

START, END = date(2026, 3, 10), date(2026, 3, 20)
FIRST = datetime(2026, 3, 1, 7, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def busy(database: Database, factory: Factory) -> Database:
    """A desk with 150 tickets of a month, some resolved, deleted, tagged, with a team and an agent."""
    chance = Random(7)  # noqa: S311 - a test's
    agents, team = [factory.user(Role.AGENT) for _ in range(2)], factory.team(name="Cards")
    tags = [factory.tag(name).id for name in ("angry", "vip")]
    customer = factory.user().id
    with database.transaction(SYSTEM) as session:
        create_tickets(session, [new(chance, customer, agents[n % 2].id if n % 3 else None, tags) for n in range(150)])
        session.execute(update(Ticket).where(Ticket.id % 3 == 0).values(team_id=team.id))
        session.execute(update(Ticket).where(Ticket.id % 10 == 0).values(deleted_at=FIRST))
        raw = "update tickets set first_responded_at = created_at + id % 7 * interval '1 hour' where id % 4 > 0"
        session.execute(text(raw))
    return database


def new(chance: Random, customer: int, agent: int | None, tags: Sequence[int]) -> NewTicket:
    created = FIRST + chance.random() * 30 * DAY
    done = chance.random() < 0.6
    return NewTicket(
        title="x",
        description="",
        creator_id=customer,
        created_at=created,
        assignee_id=agent,
        priority=chance.choice(list(TicketPriority)),
        status=TicketStatus.CLOSED if done else TicketStatus.OPEN,
        resolved_at=created + chance.random() * 10 * DAY if done else None,
        tag_ids=tuple(chance.sample(list(tags), chance.randrange(3))),
    )


def values(session: Session, ticket: Ticket, by: By) -> list[str]:
    """Return the values under which a ticket counts."""
    if by is By.TAG:
        tags = session.scalars(select(TicketTag.tag_id).where(TicketTag.ticket_id == ticket.id))
        return [str(tag) for tag in tags] or [""]
    name = {By.ASSIGNEE: "assignee_id", By.TEAM: "team_id"}.get(by, by.value)
    found = getattr(ticket, name)
    return ["" if found is None else str(found)]


def naive_flow(session: Session, by: By) -> dict[tuple[date, str], tuple[int, int, int]]:
    """Count created, resolved and left, for each day and value, from the tickets."""
    all_of_them = [
        (ticket, value)
        for ticket in session.scalars(select(Ticket).where(Ticket.deleted_at.is_(None)))
        for value in values(session, ticket, by)
    ]
    found = {}
    for number in range((END - START).days):
        day = START + number * DAY
        ends = datetime.combine(day + DAY, time(), tzinfo=UTC)
        for value in {value for _, value in all_of_them}:
            mine = [ticket for ticket, of in all_of_them if of == value]
            created = [t for t in mine if t.created_at.date() == day]
            resolved = [t for t in mine if t.resolved_at and t.resolved_at.date() == day]
            left = [t for t in mine if t.created_at < ends and not (t.resolved_at and t.resolved_at < ends)]
            found[day, value] = len(created), len(resolved), len(left)
    return found


@pytest.mark.parametrize("by", list(By))
def test_flow_equals_a_naive_count_with_figures_and_without(busy: Database, by: By) -> None:
    with busy.transaction(SYSTEM) as session:
        for _ in range(3):
            keep_figures(session)
            expected = naive_flow(session, by)
            found = {(one.day, one.value): one[3:] for one in flow(session, START, END, by)}
            assert {key: counts for key, counts in expected.items() if any(counts)}.items() <= found.items()
            assert not any(any(counts) for key, counts in found.items() if key not in expected)
            session.execute(update(Ticket).where(Ticket.id % 5 == 1).values(status="closed", priority="low"))
            session.expire_all()


@pytest.mark.parametrize("by", list(By))
def test_times_are_the_median_of_those_that_were_answered(busy: Database, by: By) -> None:
    with busy.transaction(SYSTEM) as session:
        found = {one.value: one for one in response_times(session, START, END, by)}
        begins, ends = (datetime.combine(day, time(), tzinfo=UTC) for day in (START, END))
        everybody = session.scalars(select(Ticket).where(Ticket.deleted_at.is_(None))).all()
        mine = [t for t in everybody if begins <= t.created_at < ends]
        assert set(found) == {value for ticket in mine for value in values(session, ticket, by)}
        for value, times in found.items():
            those = [t for t in mine if value in values(session, t, by)]
            hours = [(t.first_responded_at - t.created_at) / timedelta(hours=1) for t in those if t.first_responded_at]
            assert (times.tickets, times.responded) == (len(those), len(hours))
            assert times.response_median == (pytest.approx(median(hours)) if hours else None)
            assert times.response_p90 == (pytest.approx(nine_of_ten(hours)) if hours else None)
            spans = [(t.resolved_at - t.created_at) / timedelta(hours=1) for t in those if t.resolved_at]
            assert times.resolved == len(spans)
            assert times.resolution_p90 == (pytest.approx(nine_of_ten(spans)) if spans else None)


def nine_of_ten(hours: Sequence[float]) -> float:
    """Return the 90th percentile, between the two nearest where it lies between them."""
    ordered = sorted(hours)
    place = 0.9 * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def test_times_of_all_count_each_ticket_once(busy: Database) -> None:
    with busy.transaction(SYSTEM) as session:
        whole = all_response_times(session, START, END)
        by_priority = response_times(session, START, END, By.PRIORITY)
        assert whole.tickets == sum(one.tickets for one in by_priority) > 0
        found = session.scalars(select(Ticket).where(Ticket.deleted_at.is_(None), Ticket.resolved_at.is_not(None)))
        mine = [t for t in found if START <= t.created_at.date() < END]
        hours = [(t.resolved_at - t.created_at) / timedelta(hours=1) for t in mine if t.resolved_at]
        assert (whole.value, whole.resolved) == ("", len(hours))
        assert whole.resolution_p90 == pytest.approx(nine_of_ten(hours))
        assert all_response_times(session, date(2020, 1, 1), date(2020, 2, 1)) == (
            "",
            "",
            0,
            0,
            None,
            None,
            0,
            None,
            None,
        )


@pytest.mark.parametrize("by", list(By))
def test_totals_are_the_flow_of_all_days(busy: Database, by: By) -> None:
    with busy.transaction(SYSTEM) as session:
        days = flow(session, START, END, by)
        found = {one.value: one[2:] for one in totals(session, START, END, by)}
        for value in {one.value for one in days}:
            mine = [one for one in days if one.value == value]
            sums = sum(one.created for one in mine), sum(one.resolved for one in mine), mine[-1].backlog
            assert found.get(value, (0, 0, 0)) == sums
        assert found


def test_names_are_told_beside_ids(busy: Database) -> None:
    with busy.transaction(SYSTEM) as session:
        assert {one.name for one in flow(session, START, END, By.TEAM)} == {"Cards", ""}
        assert {one.name for one in flow(session, START, END, By.TAG)} == {"angry", "vip", ""}
        assert {one.name for one in response_times(session, START, END)} == set(TicketPriority)


REPORTS: list[Callable[..., Any]] = [flow, response_times, totals, all_response_times]


@pytest.mark.parametrize("report", REPORTS)
def test_customers_read_no_reports(busy: Database, factory: Factory, report: Callable[..., Any]) -> None:
    with busy.transaction(actor(factory.user())) as session, pytest.raises(ForbiddenError):
        report(session, START, END)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("end", [START, START + 3661 * DAY])
def test_a_period_that_makes_no_sense_is_refused(database: Database, report: Callable[..., Any], end: date) -> None:
    with database.transaction(SYSTEM) as session, pytest.raises(InvalidError) as raised:
        report(session, START, end)
    assert raised.value.field == "end_date"


@pytest.mark.parametrize("report", [flow, response_times, totals])
def test_two_statements_at_most(busy: Database, report: Callable[..., Any]) -> None:
    with busy.transaction(SYSTEM) as session:
        session.connection()
        with count_statements(busy.engine) as statements:
            report(session, START, END, By.ASSIGNEE)
    assert len(statements) == 2
