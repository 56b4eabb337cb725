"""What came in and what was done in a whole period, by the values of a dimension: flow without its days."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.worlds import both_worlds
from deskbell.reports.dimensions import By, check_may_read, checked_period, names_of
from deskbell.reports.flow import changes


class Totals(NamedTuple):
    """What a period did to the tickets of one value; `backlog` is what was left when it ended. See `DayOfFlow`."""

    value: str
    name: str
    created: int
    resolved: int
    backlog: int


@both_worlds
def totals(session: Session, start_date: date, end_date: date, by: By = By.STATUS) -> Sequence[Totals]:
    """Return what was created and resolved from `start_date` on and before `end_date`, in two statements.

    Who was given most comes first. Raises as `flow` does.
    """
    check_may_read(session)
    checked_period(start_date, end_date)
    rows = session.execute(_totals(start_date, end_date, by)).all()
    names = names_of(session, by, [row.value for row in rows])
    found = [Totals(row.value, names[row.value], row.created, row.resolved, row.backlog) for row in rows]
    return sorted(found, key=lambda one: (-one.created, -one.backlog, one.name, one.value))


def _totals(start: date, end: date, by: By) -> Select[*tuple[Any, ...]]:
    rows = changes(start, end, by).subquery()
    is_within = rows.c.day >= start
    created, resolved = (func.sum(column) for column in (rows.c.created, rows.c.ended))
    within = [func.coalesce(sum_.filter(is_within), 0) for sum_ in (created, resolved)]
    statement = select(rows.c.value, within[0].label("created"), within[1].label("resolved"))
    statement = statement.add_columns((created - resolved).label("backlog")).group_by(rows.c.value)
    is_any = (within[0] > 0) | (within[1] > 0) | (created > resolved)
    return statement.having(is_any)
