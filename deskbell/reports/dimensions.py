"""What reports are broken down by, and what its values are called."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Person, Team, display_name
from deskbell.kernel.arrays import in_array
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.tickets.models import Tag

LONGEST: Final = timedelta(days=3660)
_FIRST, _LAST = date(1970, 1, 1), date(9000, 1, 1)


class By(StrEnum):
    """What a report is broken down by."""

    STATUS = "status"
    PRIORITY = "priority"
    CHANNEL = "channel"
    ASSIGNEE = "assignee"
    TEAM = "team"
    TAG = "tag"


def check_may_read(session: Session) -> None:
    """Refuse customers: reports are about everybody's tickets."""
    if not actor_of(session).is_staff:
        raise ForbiddenError("Only the desk reads reports.")


def checked_period(start: date, end: date) -> tuple[datetime, datetime]:
    """Return the moments at which a period of whole days of UTC begins and ends. Raises InvalidError."""
    if end <= start:
        message = "The period must end after it begins: its end is the first day that no longer counts."
        raise InvalidError(message, field="end_date")
    if end - start > LONGEST:
        raise InvalidError("The period is longer than ten years: ask for less at once.", field="end_date")
    if start < _FIRST or end > _LAST:
        raise InvalidError("There are no reports of days before 1970, or after 8999.", field="start_date")
    return _midnight(start), _midnight(end)


def names_of(session: Session, by: By, values: Iterable[str]) -> Mapping[str, str]:
    """Return what the values are called; what has no name, or none any more, by itself. One statement at most."""
    known = sorted(set(values))
    numbers = [int(value) for value in known if value.isdecimal()]
    found = _found(session, by, numbers) if numbers else {}
    return {value: found.get(value, f"#{value}" if value.isdecimal() else value) for value in known}


def _found(session: Session, by: By, numbers: list[int]) -> Mapping[str, str]:
    if by is By.ASSIGNEE:
        people = select(Person).where(in_array(Person.__table__.c.id, numbers))
        return {str(person.id): display_name(person) for person in session.scalars(people)}
    model: type[Team | Tag] = Team if by is By.TEAM else Tag
    key = model.__table__.c.id
    statement: Select[int, str] = select(model.id, model.name).where(in_array(key, numbers))
    return {str(number): name for number, name in session.execute(statement)}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
