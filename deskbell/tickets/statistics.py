"""Figures about the tickets of a period: how many stand where, and how long it took until they were resolved."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Person, display_name
from deskbell.audit.caching import Question, cached
from deskbell.kernel.arrays import in_array
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line
from deskbell.kernel.worlds import both_worlds
from deskbell.tickets.figures import Dimension, figures_of_period
from deskbell.tickets.filters import in_utc
from deskbell.tickets.models import TicketPriority, TicketStatus

LONGEST: Final = timedelta(days=3660)
DIMENSIONS: Final[tuple[Dimension, ...]] = ("status", "priority", "assignee")
_SECONDS_OF_AN_HOUR: Final = 3600
Moment = datetime | date


class AssigneeStatistics(NamedTuple):
    """How many tickets somebody has, and in how many hours theirs were resolved; None where none was."""

    name: str
    ticket_count: int
    avg_resolution_hours: float | None


@dataclass(frozen=True, slots=True)
class TicketStatistics:
    """Figures about the tickets that were created in a period. Every status and priority has its count, 0 included.

    Resolution is the time from creation until the last time a ticket was resolved, of those that still are: one that
    was opened again counts once it is resolved for good. `assignee_stats` begins with who has most; tickets that
    nobody has are in none of them.
    """

    status_counts: Mapping[TicketStatus, int]
    priority_counts: Mapping[TicketPriority, int]
    avg_resolution_hours: float | None
    assignee_stats: tuple[AssigneeStatistics, ...]

    @property
    def total(self) -> int:
        """How many tickets there are."""
        return sum(self.status_counts.values())


_ANSWER: Final = TypeAdapter(TicketStatistics)


class _Sum:
    """Tickets counted, and the seconds until those of them that are resolved were so."""

    def __init__(self) -> None:
        self.count, self.resolved, self.seconds = 0, 0, Decimal()

    def add(self, count: int, resolved: int, seconds: Decimal) -> None:
        self.count += count
        self.resolved += resolved
        self.seconds += seconds

    @property
    def average(self) -> float | None:
        return float(self.seconds / self.resolved / _SECONDS_OF_AN_HOUR) if self.resolved else None


@both_worlds
def get_ticket_statistics(session: Session, start_date: Moment, end_date: Moment) -> TicketStatistics:
    """Return exact figures about the tickets created from `start_date` on and before `end_date`, in two statements.

    Both are aware times, or dates, which begin at midnight where the actor is: a week is (Monday, Monday after).
    Deleted tickets and those that the actor may not see do not count. Raises InvalidError, which names the field, for
    a period that is empty, or beyond ten years.
    """
    zone = ZoneInfo(actor_of(session).time_zone)
    start, end = _period(_moment(start_date, "start_date", zone), _moment(end_date, "end_date", zone))
    period = {"start": start.isoformat(), "end": end.isoformat()}
    question = Question("ticket statistics", period, ("tickets", "users"), _ANSWER)
    return cached(session, question, lambda: _computed(session, start, end))


def _computed(session: Session, start: datetime, end: datetime) -> TicketStatistics:
    sums = defaultdict[tuple[str, str], _Sum](_Sum)
    everybody, assignees = _Sum(), dict[int, _Sum]()
    for row in session.execute(figures_of_period(actor_of(session), start, end, DIMENSIONS)):
        found = sums[row.dimension, row.value]
        found.add(row.created, row.resolved, row.seconds)
        if row.dimension == "status":
            everybody.add(row.created, row.resolved, row.seconds)
        elif row.dimension == "assignee" and row.value:
            assignees[int(row.value)] = found
    return TicketStatistics(
        {status: sums["status", status].count for status in TicketStatus},
        {priority: sums["priority", priority].count for priority in TicketPriority},
        everybody.average,
        _by_assignee(session, assignees),
    )


def moment_named(text: str, field: str) -> Moment:
    """Read a date or a time as people write it (ISO 8601): `2026-11-22`, `2026-11-22T09:30:00+01:00`."""
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    message = f"{field} is {one_line(repr(text), 40)}. Write it like 2026-11-22 or 2026-11-22T09:30:00Z."
    raise InvalidError(message, field=field)


def _by_assignee(session: Session, assignees: Mapping[int, _Sum]) -> tuple[AssigneeStatistics, ...]:
    people = select(Person).where(in_array(Person.__table__.c.id, sorted(assignees)))
    names = {person.id: display_name(person) for person in session.scalars(people)} if assignees else {}
    found = [
        AssigneeStatistics(names.get(number, f"#{number}"), figures.count, figures.average)
        for number, figures in assignees.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.ticket_count, one.name)))


def _period(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    if end <= start:
        message = "The period must end after it begins: its end is the first moment, or day, that no longer counts."
        raise InvalidError(message, field="end_date")
    if end - start > LONGEST:
        raise InvalidError("The period is longer than ten years: ask for less at once.", field="end_date")
    return start, end


def _moment(value: Moment, field: str, zone: ZoneInfo) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), tzinfo=zone)
    return in_utc(moment, field, wanted="an aware time, or a date")
