"""How long customers waited: for the first answer, and until their ticket was resolved."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Double, Row, Select, Text, cast, func, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from deskbell.kernel.worlds import both_worlds
from deskbell.reports.dimensions import By, check_may_read, checked_period, names_of
from deskbell.tickets.filters import created_before, created_from
from deskbell.tickets.models import Ticket, TicketTag
from deskbell.tickets.queries import tickets

_SECONDS_OF_AN_HOUR: Final = 3600.0
_MEDIAN_AND_P90: Final = (0.5, 0.9)


class ResponseTimes(NamedTuple):
    """Of the tickets of one value: how many, and in how many hours half of them and nine of ten were served.

    The first response is the first public answer by the desk, resolution the last time it was resolved. None where
    no ticket had one.
    """

    value: str
    name: str
    tickets: int
    responded: int
    response_median: float | None
    response_p90: float | None
    resolved: int
    resolution_median: float | None
    resolution_p90: float | None


@both_worlds
def response_times(session: Session, start_date: date, end_date: date, by: By = By.PRIORITY) -> Sequence[ResponseTimes]:
    """Return the times of tickets created from `start_date` on and before `end_date` (UTC), in two statements.

    Hours are interpolated between the two tickets nearest to the middle, as PostgreSQL's `percentile_cont` does. Raises
    ForbiddenError for customers, InvalidError for a period that is empty, or beyond ten years.
    """
    check_may_read(session)
    period = checked_period(start_date, end_date)
    rows = session.execute(_times(*period, by)).all()
    names = names_of(session, by, [row.value for row in rows])
    found = [_of(row, row.value, names[row.value]) for row in rows]
    return sorted(found, key=lambda one: (not one.value, one.name, one.value))


@both_worlds
def all_response_times(session: Session, start_date: date, end_date: date) -> ResponseTimes:
    """Return the times of all tickets created in the period together, under the value ''. Raises as the other does."""
    check_may_read(session)
    return _of(session.execute(_measured(*checked_period(start_date, end_date))).one(), "", "")


def _of(row: Row[*tuple[Any, ...]], value: str, name: str) -> ResponseTimes:
    return ResponseTimes(
        value, name, row.tickets, row.responded, *_two(row.response), row.resolved, *_two(row.resolution)
    )


def _times(start: datetime, end: datetime, by: By) -> Select[*tuple[Any, ...]]:
    statement = _measured(start, end)
    if by is By.TAG:
        statement = statement.join(TicketTag, TicketTag.ticket_id == Ticket.id, isouter=True)
    value = _value(by)
    return statement.add_columns(value.label("value")).group_by(value)


def _measured(start: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    return created_before(created_from(tickets(), start), end).with_only_columns(
        func.count().label("tickets"),
        func.count(Ticket.first_responded_at).label("responded"),
        _percentiles(Ticket.first_responded_at - Ticket.created_at).label("response"),
        func.count(Ticket.resolved_at).label("resolved"),
        _percentiles(Ticket.resolved_at - Ticket.created_at).label("resolution"),
    )


def _value(by: By) -> ColumnElement[str]:
    columns: dict[By, ColumnElement[Any]] = {
        By.STATUS: Ticket.__table__.c.status,
        By.PRIORITY: Ticket.__table__.c.priority,
        By.CHANNEL: Ticket.__table__.c.channel,
        By.ASSIGNEE: Ticket.__table__.c.assignee_id,
        By.TEAM: Ticket.__table__.c.team_id,
        By.TAG: TicketTag.__table__.c.tag_id,
    }
    return func.coalesce(cast(columns[by], Text), "")


def _percentiles(span: ColumnElement[Any]) -> ColumnElement[Any]:
    """Take `date_part`, which is a double: `extract` is numeric, and takes half of the time of the whole statement."""
    hours = func.date_part("epoch", span, type_=Double) / _SECONDS_OF_AN_HOUR
    return func.percentile_cont(literal(list(_MEDIAN_AND_P90), ARRAY(Double))).within_group(hours)


def _two(percentiles: Sequence[float] | None) -> tuple[float | None, float | None]:
    return (percentiles[0], percentiles[1]) if percentiles else (None, None)
