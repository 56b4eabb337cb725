"""The access log as composable statements: who read what, when, through what. For administrators alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, column, select, table

from deskbell.audit.models import AccessKind, AccessLog
from deskbell.kernel.paging import SortKey

NEWEST_ACCESS_FIRST = (SortKey(AccessLog.id, descending=True, unique=True),)
"""By the order in which they were written, which is that of reading but for a second."""

Entries = Select[*tuple[Any, ...]]
_people = table("users", column("id", BigInteger), column("full_name"))
_tickets = table("tickets", column("id", BigInteger), column("ticket_number"))


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which entries: `since` belongs to them, `until` no more."""

    user_id: int | None = None
    ticket_id: int | None = None
    kind: AccessKind | None = None
    since: datetime | None = None
    until: datetime | None = None


def accesses(wanted: AccessFilter) -> Entries:
    """Return entries, with the name of who read and the number of the ticket they read."""
    facts = (
        *AccessLog.__table__.columns,
        _people.c.full_name.label("user_name"),
        _tickets.c.ticket_number.label("ticket_number"),
    )
    joined = select(*facts).outerjoin(_people, _people.c.id == AccessLog.user_id)
    statement = joined.outerjoin(_tickets, _tickets.c.id == AccessLog.ticket_id)
    return statement.where(*_conditions(wanted))


def _conditions(wanted: AccessFilter) -> list[ColumnElement[bool]]:
    same = {
        AccessLog.user_id: wanted.user_id,
        AccessLog.ticket_id: wanted.ticket_id,
        AccessLog.kind: wanted.kind,
    }
    conditions = [column == value for column, value in same.items() if value is not None]
    if wanted.since is not None:
        conditions.append(AccessLog.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AccessLog.at < wanted.until)
    return conditions
