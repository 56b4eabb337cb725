"""What the pages of reports show, as functions over a session: figures only; words are the templates'."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from deskbell.reports import (
    By,
    DayOfFlow,
    Period,
    ResponseTimes,
    Totals,
    all_response_times,
    flow,
    response_times,
    totals,
)
from deskbell.tickets.models import TicketPriority, TicketStatus
from deskbell.web.workspace import reports_links as links
from deskbell.web.workspace.frame import surroundings
from deskbell.web.workspace.reports_asked import Asked

_EARLIEST: Final = date(1970, 1, 1)
_ORDERS: Final[Mapping[By, Sequence[str]]] = {By.STATUS: list(TicketStatus), By.PRIORITY: [*reversed(TicketPriority)]}
_LARGE: Final = {By.ASSIGNEE, By.TAG}
"""They have as many values as a desk has people and tags: what takes long comes after the page."""
R = TypeVar("R", Totals, ResponseTimes)


@dataclass(frozen=True, slots=True)
class Part:
    """A day, a week or a month of a period, or all of it; `backlog` is what was left when it ended."""

    period: Period
    created: int
    resolved: int
    backlog: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.created or self.resolved or self.backlog)


@dataclass(frozen=True, slots=True)
class Overview:
    """All tickets of a period part by part, the whole, and the period before, where there can have been one."""

    parts: Sequence[Part]
    whole: Part
    before: Part | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Each value's figures, and the term by which a query finds its tickets, where there is one."""

    rows: Sequence[Totals]
    terms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Times:
    """How long customers waited: all of them, those of the period before, and those of each value."""

    whole: ResponseTimes
    before: ResponseTimes | None
    rows: Sequence[ResponseTimes]
    terms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One page; what is None is fetched once the page is there."""

    frame: Mapping[str, object]
    overview: Overview
    breakdown: Breakdown | None
    times: Times | None


def page(session: Session, asked: Asked) -> Page:
    """Read all that the page shows at once."""
    return Page(
        surroundings(session),
        overview(session, asked.period),
        breakdown(session, asked) if asked.whole or asked.by not in _LARGE else None,
        times(session, asked) if asked.whole else None,
    )


def overview(session: Session, period: Period) -> Overview:
    """Read the flow of all tickets and that of the period before, in two statements."""
    parts = _parts(period, flow(session, period.start, period.end, By.STATUS))
    created, resolved = sum(one.created for one in parts), sum(one.resolved for one in parts)
    before = _comparable(period)
    return Overview(
        parts, Part(period, created, resolved, parts[-1].backlog), _summed(session, before) if before else None
    )


def breakdown(session: Session, asked: Asked) -> Breakdown:
    """Read the figures of each value, in three statements at most."""
    rows = _in_order(asked.by, totals(session, asked.period.start, asked.period.end, asked.by))
    return Breakdown(rows, links.terms_of(session, asked.by, _names(rows)))


def times(session: Session, asked: Asked) -> Times:
    """Read the times of everybody, before and now, and of each value, in five statements at most."""
    period, before = asked.period, _comparable(asked.period)
    rows = _in_order(asked.by, response_times(session, period.start, period.end, asked.by))
    return Times(
        all_response_times(session, period.start, period.end),
        all_response_times(session, before.start, before.end) if before else None,
        rows,
        links.terms_of(session, asked.by, _names(rows)),
    )


def _comparable(period: Period) -> Period | None:
    before = period.before()
    return before if before.days and before.start >= _EARLIEST else None


def _summed(session: Session, period: Period) -> Part:
    rows = totals(session, period.start, period.end, By.STATUS)
    created, resolved, backlog = (
        sum(getattr(row, name) for row in rows) for name in ("created", "resolved", "backlog")
    )
    return Part(period, created, resolved, backlog)


def _parts(period: Period, days: Iterable[DayOfFlow]) -> list[Part]:
    sums: dict[date, tuple[int, int, int]] = {}
    for day in days:
        created, resolved, backlog = sums.get(day.day, (0, 0, 0))
        sums[day.day] = created + day.created, resolved + day.resolved, backlog + day.backlog
    found = []
    for part in period.parts():
        mine = [sums.get(date.fromordinal(n), (0, 0, 0)) for n in range(part.start.toordinal(), part.end.toordinal())]
        found.append(Part(part, sum(one[0] for one in mine), sum(one[1] for one in mine), mine[-1][2]))
    return found


def _in_order(by: By, rows: Sequence[R]) -> Sequence[R]:
    """Statuses and priorities have an order of their own; of others those with most tickets come first."""
    if by in _ORDERS:
        return sorted(rows, key=lambda row: _ORDERS[by].index(row.value))
    return sorted(rows, key=lambda row: -(row.created if isinstance(row, Totals) else row.tickets))


def _names(rows: Iterable[Totals | ResponseTimes]) -> Mapping[str, str]:
    return {row.value: row.name for row in rows}
