"""Bulk changes by name, as people choose them from a list: what one would do, and doing it.

Beside those of `bulk_changes` these are priority, tags, deletion and restoring. A preview asks the same condition by
which the change then finds what needs it, so that the two cannot disagree about the same tickets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Table, and_, delete, exists, func, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.kernel.arrays import in_array
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line
from deskbell.kernel.worlds import both_worlds
from deskbell.tickets.actions import require_staff
from deskbell.tickets.bulk_changes import (
    IS_THERE,
    STAFF_ONLY,
    BulkResult,
    Change,
    change_all,
    checked_ids,
    giving_to,
    locked,
    moving_to,
    setting,
)
from deskbell.tickets.events import TicketsDeleted, TicketsRestored
from deskbell.tickets.labels import ensure_tags, tag_name
from deskbell.tickets.models import Tag, Ticket, TicketTag
from deskbell.tickets.rules import priority_named, status_named

SHOWN: Final = 6
"""Tickets of each kind that are named; the others are counted."""
_TICKETS: Final[Table] = Ticket.__table__  # type: ignore[assignment]  # a mapped class's table is one


class BulkAct(StrEnum):
    """What can be done to many tickets."""

    STATUS = "status"
    ASSIGN = "assign"
    PRIORITY = "priority"
    TAG = "tag"
    UNTAG = "untag"
    DELETE = "delete"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A ticket that a change leaves as it is, and why: it is so already, or it is deleted."""

    number: str
    title: str
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What a change would do now: counts, and of the tickets it leaves alone the first few."""

    changing: int
    unchanged: int
    deleted: int
    missing: int
    at: datetime
    left_alone: tuple[LeftAlone, ...] = ()


@both_worlds
def bulk_change(session: Session, ticket_ids: Iterable[int], act: BulkAct, value: str = "") -> BulkResult:
    """Do one of the acts to up to 100,000 tickets, as one operation; `value` is what `change_named` takes."""
    require_staff(session, STAFF_ONLY)
    ids = checked_ids(ticket_ids)
    return change_all(session, ids, change_named(session, act, value, makes_tags=True))


@both_worlds
def preview_bulk(session: Session, ticket_ids: Iterable[int], act: BulkAct, value: str = "") -> BulkPreview:
    """Say what the act would do, and do nothing. Raises as `bulk_change`."""
    require_staff(session, STAFF_ONLY)
    ids = checked_ids(ticket_ids)
    change = change_named(session, act, value)
    among, gone = in_array(_TICKETS.c.id, ids), _TICKETS.c.deleted_at.is_not(None)
    refused = and_(gone, not_(change.needed)) if change.refuses_deleted else literal(value=False)
    counts = select(
        func.count(),
        func.count().filter(change.needed),
        func.count().filter(refused),
        func.clock_timestamp(),
    ).where(among)
    present, changing, deleted, at = session.execute(counts).one()
    unchanged = present - changing - deleted
    shown = _left_alone(session, among, change) if unchanged or deleted else ()
    return BulkPreview(changing, unchanged, deleted, len(ids) - present, at, shown)


def changed_since(session: Session, ticket_ids: Sequence[int], at: datetime) -> tuple[int, tuple[str, ...]]:
    """Return how many of the tickets somebody has changed since then, and the numbers of the first few."""
    statement = (
        select(_TICKETS.c.ticket_number, func.count().over())
        .where(in_array(_TICKETS.c.id, ticket_ids), _TICKETS.c.updated_at > at)
        .order_by(_TICKETS.c.updated_at.desc())
        .limit(SHOWN)
    )
    rows = session.execute(statement).all()
    return (rows[0][1] if rows else 0), tuple(row[0] for row in rows)


def change_named(session: Session, act: BulkAct, value: str, *, makes_tags: bool = False) -> Change:
    """Return the change. `value` is a status, a priority, the id of an agent or nothing for nobody, or a tag's name.

    Raises InvalidError for a value that cannot be. A tag that is new is made only where the change is to be made.
    """
    match act:
        case BulkAct.STATUS:
            return moving_to(status_named(value))
        case BulkAct.ASSIGN:
            return giving_to(session, _agent(value))
        case BulkAct.PRIORITY:
            priority = priority_named(value)
            return Change(and_(IS_THERE, _TICKETS.c.priority != priority), setting({"priority": priority}))
        case BulkAct.TAG:
            return _tagging(session, value, makes_tags=makes_tags)
        case BulkAct.UNTAG:
            return _untagging(session, value)
        case BulkAct.DELETE | BulkAct.RESTORE:
            return _putting_away(is_away=act is BulkAct.DELETE)


def _putting_away(*, is_away: bool) -> Change:
    values = {"deleted_at": func.statement_timestamp() if is_away else None}
    needed, event = (IS_THERE, TicketsDeleted) if is_away else (not_(IS_THERE), TicketsRestored)
    return Change(needed, setting(values), event, refuses_deleted=False)


def _agent(value: str) -> int | None:
    if value and not value.isdecimal():
        raise InvalidError(f"{one_line(value, 40)} is no agent.", field="assignee_id")
    return int(value) if value else None


def _tagging(session: Session, name: str, *, makes_tags: bool) -> Change:
    tag_id = ensure_tags(session, [name])[tag_name(name)] if makes_tags else _tag_id(session, name)

    def put(session: Session, ids: list[int], needed: ColumnElement[bool]) -> tuple[int, ...]:
        wanted = locked(ids, needed).cte("wanted")
        rows = select(wanted.c.id, literal(tag_id, BigInteger))
        statement = insert(TicketTag).from_select(["ticket_id", "tag_id"], rows).on_conflict_do_nothing()
        return tuple(sorted(session.scalars(statement.returning(TicketTag.ticket_id))))

    return Change(and_(IS_THERE, not_(_bears(tag_id))), put)


def _untagging(session: Session, name: str) -> Change:
    tag_id = _tag_id(session, name)

    def take(session: Session, ids: list[int], needed: ColumnElement[bool]) -> tuple[int, ...]:
        wanted = locked(ids, needed).cte("wanted")
        mine = delete(TicketTag).where(TicketTag.tag_id == tag_id, TicketTag.ticket_id == wanted.c.id)
        return tuple(sorted(session.scalars(mine.returning(TicketTag.ticket_id))))

    return Change(and_(IS_THERE, _bears(tag_id)), take)


def _tag_id(session: Session, name: str) -> int | None:
    """Return the id of the tag of this name, None where there is none yet. Raises InvalidError for what is no name."""
    return session.scalar(select(Tag.id).where(func.lower(Tag.name) == func.lower(tag_name(name))))


def _bears(tag_id: int | None) -> ColumnElement[bool]:
    return exists().where(TicketTag.ticket_id == _TICKETS.c.id, TicketTag.tag_id == tag_id)


def _left_alone(session: Session, among: ColumnElement[bool], change: Change) -> tuple[LeftAlone, ...]:
    """Name the first few, those that cannot be changed first."""
    gone: Any = _TICKETS.c.deleted_at.is_not(None)
    statement = (
        select(_TICKETS.c.ticket_number, _TICKETS.c.title, gone)
        .where(among, or_(not_(change.needed), change.needed.is_(None)))
        .order_by(gone.desc(), _TICKETS.c.id)
        .limit(SHOWN)
    )
    return tuple(LeftAlone(*row) for row in session.execute(statement))
