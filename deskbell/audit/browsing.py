"""Finding one's way in the audit log: by who, what, when and through what, newest first, each step of bounded work.

The log has indexes by row, by id and (coarse) by operation. What else is asked for is looked up in windows of ids, so
that a condition that nothing fits costs no more than one that everything does: the next step goes on where one ended.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, select, text
from sqlalchemy.orm import Session

from deskbell.audit.models import AuditLog, Operation
from deskbell.audit.queries import changes, changes_of_ticket, changes_where
from deskbell.kernel.errors import NotFoundError
from deskbell.kernel.plans import plan_for_values

WINDOW: Final = 50_000
"""Entries that one step looks through: some 20 ms."""
SLACK: Final = 1_000
"""Ids are given out in about the order of time: so many entries may stand on the wrong side of a moment."""

# The largest id whose entry is older than a moment, by halving: some 25 look-ups by the primary key.
_ID_AT: Final = text("""
with recursive search(low, high) as (
  select 0::bigint, coalesce((select id from audit_logs order by id desc limit 1), 0)
  union all
  select case when probe.at is null or probe.at < :moment then middle else low end,
         case when probe.at is null or probe.at < :moment then high else probe.id - 1 end
    from search
    cross join lateral (select (low + high + 1) / 2 as middle) half
    left join lateral (select id, created_at as at from audit_logs where id <= middle order by id desc limit 1) probe
      on true
   where low < high)
select low from search where low >= high
""")


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes: `since` belongs to them, `until` no more. `by_system` are those that nobody in particular made."""

    user_id: int | None = None
    by_system: bool = False
    table_name: str | None = None
    record_id: int | None = None
    ticket_id: int | None = None
    action: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of `changes()`, and before which id the next step begins; None where nothing older can fit.

    `back_to` is how far was looked, where the step ended before it had found as many as were wanted.
    """

    rows: tuple[Row[Any], ...]
    before: int | None
    back_to: datetime | None = None


def find_changes(
    session: Session, wanted: ChangeFilter, *, limit: int, before: int | None = None, window: int = WINDOW
) -> Step:
    """Return the next changes that fit, newest first. At most five statements.

    Raises InvalidError for a record of no table.
    """
    plan_for_values(session)
    if wanted.ticket_id is not None:
        return _indexed(session, changes_of_ticket(wanted.ticket_id), wanted, limit, before)
    if wanted.record_id is not None:  # of a table, or refused
        return _indexed(session, changes_where(wanted.table_name, wanted.record_id), wanted, limit, before)
    end = _end(session, wanted) if before is None else before
    return _in_window(session, wanted, limit, end, window)


def changes_of_operation(session: Session, operation_id: int, *, limit: int, after: int = 0) -> list[Row[Any]]:
    """Return the changes of an operation, oldest first, after an id. Raises NotFoundError."""
    plan_for_values(session)
    begun = get_operation(session, operation_id).created_at
    first = max(_id_at(session, begun) - SLACK, after)
    those = (AuditLog.operation_id == operation_id, AuditLog.id > first)
    return list(session.execute(changes().where(*those).order_by(AuditLog.id).limit(limit)))


def get_operation(session: Session, operation_id: int) -> Operation:
    """Load an operation. Raises NotFoundError."""
    found = session.get(Operation, operation_id)
    if found is None:
        raise NotFoundError(f"There is no operation {operation_id}.")
    return found


def _indexed(session: Session, statement: Select[Any], wanted: ChangeFilter, limit: int, before: int | None) -> Step:
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(AuditLog.id < before)
    newest = statement.where(*conditions).order_by(AuditLog.id.desc()).limit(limit + 1)
    rows = session.execute(newest).all()
    return Step(tuple(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


def _in_window(session: Session, wanted: ChangeFilter, limit: int, end: int, window: int) -> Step:
    floor = 0 if wanted.since is None else max(_id_at(session, wanted.since) - SLACK, 0)
    start = max(end - window, floor)
    bounds = (AuditLog.id < end, AuditLog.id >= start)
    fitting = select(AuditLog.id).where(*bounds, *_conditions(wanted)).order_by(AuditLog.id.desc()).limit(limit + 1)
    ids = list(session.scalars(fitting))
    rows = _rows(session, ids[:limit])
    if len(ids) > limit:
        return Step(rows, ids[limit - 1])
    if start <= floor:
        return Step(rows, None)
    oldest = select(AuditLog.created_at).where(AuditLog.id >= start).order_by(AuditLog.id).limit(1)
    return Step(rows, start, session.scalar(oldest))


def _rows(session: Session, ids: list[int]) -> tuple[Row[Any], ...]:
    if not ids:
        return ()
    return tuple(session.execute(changes().where(AuditLog.id.in_(ids)).order_by(AuditLog.id.desc())))


def _end(session: Session, wanted: ChangeFilter) -> int:
    """Return the id that lies after all that can fit."""
    if wanted.until is not None:
        return _id_at(session, wanted.until) + SLACK
    return (session.scalar(select(func.max(AuditLog.id))) or 0) + 1


def _id_at(session: Session, moment: datetime) -> int:
    return int(session.scalar(_ID_AT, {"moment": moment}) or 0)


def _conditions(wanted: ChangeFilter) -> list[ColumnElement[bool]]:
    same = {
        AuditLog.user_id: wanted.user_id,
        AuditLog.table_name: wanted.table_name,
        AuditLog.action: wanted.action,
        AuditLog.channel: wanted.channel,
    }
    conditions = [column == value for column, value in same.items() if value is not None]
    if wanted.by_system:
        conditions.append(AuditLog.user_id.is_(None))
    if wanted.since is not None:
        conditions.append(AuditLog.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditLog.created_at < wanted.until)
    return conditions
