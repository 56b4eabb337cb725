"""What came in and what was done, day by day, and what was left: the backlog."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Date, Select, Text, column, func, literal, select
from sqlalchemy.orm import Session

from deskbell.kernel.worlds import both_worlds
from deskbell.reports.dimensions import By, check_may_read, checked_period, names_of

_DAY: Final = timedelta(days=1)
_Changes = dict[str, dict[date, tuple[int, int]]]


class DayOfFlow(NamedTuple):
    """One day of UTC and one value, which is a word, an id, or '' for none; `backlog` is as the day ends.

    `resolved` counts each ticket that is resolved, or closed, once: on the day on which it was so for the last time.
    A ticket is in the backlog from its creation until then, also where it was resolved before and opened again.
    """

    day: date
    value: str
    name: str
    created: int
    resolved: int
    backlog: int


@both_worlds
def flow(session: Session, start_date: date, end_date: date, by: By = By.STATUS) -> Sequence[DayOfFlow]:
    """Return every day from `start_date` on and before `end_date`, for each value that has a ticket, in two statements.

    A ticket with two tags is in both of them. Raises ForbiddenError for customers, InvalidError for a period that is
    empty, or beyond ten years.
    """
    check_may_read(session)
    checked_period(start_date, end_date)
    found: _Changes = defaultdict(dict)
    for day, value, created, ended in session.execute(changes(start_date, end_date, by)):
        found[value][day] = created, ended
    names = names_of(session, by, found)
    days = [start_date + number * _DAY for number in range((end_date - start_date).days)]
    order = sorted(found, key=lambda value: (not value, names[value], value))
    return [one for value in order for one in _days(days, value, names[value], found[value])]


def changes(start: date, end: date, by: By) -> Select[*tuple[Any, ...]]:
    """Select `day`, `value`, `created` and `ended`; what came before `start` is together on the day before it."""
    period = (literal(start, Date), literal(end, Date))
    found = func.deskbell_tag_flow(*period) if by is By.TAG else func.deskbell_flow(*period, literal(by.value, Text))
    rows = found.table_valued(
        column("day", Date), column("value", Text), column("created", BigInteger), column("ended", BigInteger)
    )
    return select(*rows.c)


def _days(days: Sequence[date], value: str, name: str, changes: dict[date, tuple[int, int]]) -> Iterator[DayOfFlow]:
    before = changes.get(days[0] - _DAY, (0, 0))
    backlog = before[0] - before[1]
    for day in days:
        created, ended = changes.get(day, (0, 0))
        backlog += created - ended
        yield DayOfFlow(day, value, name, created, ended, backlog)
