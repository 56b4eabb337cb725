"""From a figure to its tickets: the query that finds exactly those that were counted."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Person
from deskbell.kernel.arrays import in_array
from deskbell.reports import By, Period

_MIDNIGHT: Final = "T00:00Z"
"""Days of reports are those of UTC, whereas a day of a query is the reader's."""
_NAMED: Final = {By.TEAM: "team", By.TAG: "tag", By.ASSIGNEE: "assignee"}


def tickets_at(*terms: str) -> str:
    """Return the address of the list of tickets for which all of these hold."""
    return f"/tickets?q={quote(' '.join(filter(None, terms)), safe=':,')}"


def created_in(period: Period) -> str:
    """Find what was created in a period."""
    return _within("created", period)


def resolved_in(period: Period) -> str:
    """Find what was resolved in a period, and still is."""
    return _within("resolved", period)


def left_after(period: Period) -> str:
    """Find what was not resolved when a period ended."""
    end = f"{period.end}{_MIDNIGHT}"
    return f"created<{end} (resolved:none OR resolved>={end})"


def terms_of(session: Session, by: By, names: Mapping[str, str]) -> Mapping[str, str]:
    """Return how a query names each of these values (value → name): `team:"Second level"`. One statement at most.

    A value without a term is one that no query can name, like somebody who has no address.
    """
    if by not in _NAMED:
        return {value: f"{by.value}:{value}" for value in names if value}
    field = _NAMED[by]
    known = _addresses(session, names) if by is By.ASSIGNEE else names
    return {"": f"{field}:none"} | {value: f"{field}:{_quoted(known[value])}" for value in names if known.get(value)}


def _addresses(session: Session, values: Iterable[str]) -> Mapping[str, str]:
    numbers = sorted(int(value) for value in values if value)
    people = select(Person.id, Person.email).where(in_array(Person.__table__.c.id, numbers))
    return {str(number): email for number, email in session.execute(people) if email} if numbers else {}


def _quoted(name: str) -> str:
    inner = name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{inner}"'


def _within(field: str, period: Period) -> str:
    return f"{field}>={period.start}{_MIDNIGHT} {field}<{period.end}{_MIDNIGHT}"
