"""The contract's operations read what they return and not the table; so do the filters, as each role that asks."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor, Channel
from deskbell.search.contract import search_tickets
from deskbell.search.windows import WINDOW
from deskbell.tickets.details import get_tickets_with_details, get_user_with_tickets
from deskbell.tickets.filters import assigned_to, created_after, created_before, created_from, with_status, with_tags
from deskbell.tickets.jobs import keep_figures
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.queries import newest_first, tickets
from deskbell.tickets.statistics import get_ticket_statistics
from tests.plans.conftest import BigDesk
from tests.plans.explain import MOST_ROWS, explaining
from tests.plans.moments import NOW

PEOPLE = ["agent", "loner", "member"]
DAY = timedelta(days=1)
HAVE_ALL = text("select until = deskbell_utc_day(now() - interval '1 hour') from figure_progress")


def faults(desk: BigDesk, who: Actor, act: Callable[[Session], object], most: int = MOST_ROWS) -> list[str]:
    with desk.database.transaction(who) as session, explaining(session, desk.big, most) as plans:
        act(session)
    assert plans.statements
    return plans.faults


@pytest.fixture(params=PEOPLE)
def who(request: pytest.FixtureRequest) -> Actor:
    found: Actor = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("status", [None, *TicketStatus])
def test_a_page_of_tickets_with_details(desk: BigDesk, who: Actor, status: TicketStatus | None) -> None:
    """The names of a shared page are found from the customer's tickets, not from all those of each agent on it."""
    assert faults(desk, who, lambda session: get_tickets_with_details(session, status, limit=50)) == []


def test_a_person_with_tickets(desk: BigDesk, who: Actor) -> None:
    """An agent has 260 tickets or so, a customer five."""
    number: Any = who.user_id
    assert faults(desk, who, lambda session: get_user_with_tickets(session, number)) == []


def test_figures_of_a_period_read_its_tickets_alone(desk: BigDesk, who: Actor) -> None:
    """The desk has a ticket for each of the last 14 days' minutes: two days have 2,880."""
    assert faults(desk, who, lambda session: get_ticket_statistics(session, NOW - 2 * DAY, NOW)) == []


def test_figures_of_many_days_do_not_read_their_tickets(desk: BigDesk, agent: Actor) -> None:
    """Fourteen days have 20,000 tickets; today, yesterday and the day that is begun have 4,320 at most."""
    deadline = monotonic() + 60
    while monotonic() < deadline:
        with desk.database.transaction(Actor.system(Channel.JOB)) as session:
            keep_figures(session)
            if session.scalar(HAVE_ALL):
                break
        sleep(0.02)  # until transactions that other tests have open on the server have ended
    assert faults(desk, agent, lambda session: get_ticket_statistics(session, NOW - 300 * DAY, NOW + DAY)) == []


FILTERS: dict[str, Callable[[Select[Ticket]], Select[Ticket]]] = {
    "created after": lambda s: created_after(s, NOW - DAY / 4),
    "created after, of two statuses": lambda s: with_status(
        created_after(s, NOW - DAY), [TicketStatus.OPEN, TicketStatus.IN_PROGRESS]
    ),
    "of somebody": lambda s: assigned_to(s, 7),
    "of nobody": lambda s: assigned_to(s, 0),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter(desk: BigDesk, who: Actor, name: str) -> None:
    statement = newest_first(FILTERS[name](tickets())).limit(50)
    assert faults(desk, who, lambda session: session.scalars(statement).all()) == []


def test_a_period_by_time_of_creation(desk: BigDesk, who: Actor) -> None:
    period = created_before(created_from(tickets(), NOW - 2 * DAY), NOW - DAY)
    statement = period.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(50)
    assert faults(desk, who, lambda session: session.scalars(statement).all()) == []


@pytest.mark.parametrize("match", ["any", "all"])
def test_a_filter_of_tags(desk: BigDesk, agent: Actor, match: Any) -> None:
    statement = newest_first(with_tags(tickets(), ["tag 3", "tag 7"], match)).limit(50)
    assert faults(desk, agent, lambda session: session.scalars(statement).all()) == []


SEARCHES: dict[str, dict[str, Any]] = {
    "words": {"search_term": "word17 rare5"},
    "words and filters": {"search_term": "word17", "status_list": ["open"], "created_after": NOW - 10 * DAY},
    "an assignee": {"assignee_id": 7, "status_list": ["open", "in_progress"]},
    "lately created": {"created_after": NOW - DAY / 2},
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search(desk: BigDesk, who: Actor, name: str) -> None:
    most = WINDOW + 500  # of 20,000
    assert faults(desk, who, lambda session: search_tickets(session, **SEARCHES[name]), most) == []


def test_a_search_by_tags(desk: BigDesk, agent: Actor) -> None:
    assert faults(desk, agent, lambda session: search_tickets(session, tags=["tag 3", "tag 7"], tag_match="any")) == []


@pytest.mark.parametrize("late", [Ticket.is_overdue_at(NOW - DAY), Ticket.is_overdue], ids=["at", "now"])
def test_what_is_overdue_is_read_from_the_index_of_what_is_unresolved(desk: BigDesk, agent: Actor, late: Any) -> None:
    statement = select(Ticket).where(late).order_by(Ticket.created_at, Ticket.id).limit(50)
    assert faults(desk, agent, lambda session: session.scalars(statement).all()) == []
