"""The audit log as composable statements: who changed what, when, through what, in which act. For the desk alone.

Their rows have the columns of `changes()`; ids grow with time, so they are paged by `NEWEST_CHANGE_FIRST`. People and
the parts of a ticket are read by the names of their tables, as their models lie above the audit log.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, Subquery, column, func, literal, or_, select, table, union
from sqlalchemy.dialects.postgresql import ARRAY

from deskbell.audit.models import (
    FORMER_ENDS,
    FORMER_TICKET,
    LEFT_A_TICKET,
    TAKEN_AWAY,
    AuditAction,
    AuditLog,
    Operation,
)
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.paging import SortKey

NEWEST_CHANGE_FIRST = (SortKey(AuditLog.id, descending=True, unique=True),)
"""The primary key has the partition's time too; the id alone is unique all the same."""

Entries = Select[*tuple[Any, ...]]
_people = table("users", column("id"), column("full_name"))
_PARTS_OF_TICKET = ("comments", "attachments", "ticket_copies")
_links = table(
    "ticket_links", column("id", BigInteger), column("ticket_id", BigInteger), column("other_id", BigInteger)
)


def changes() -> Entries:
    """Return all changes, with the name of who made them and the act in which they came."""
    facts = (
        AuditLog.id,
        AuditLog.created_at,
        AuditLog.operation_id,
        AuditLog.user_id,
        _people.c.full_name.label("user_name"),
        AuditLog.channel,
        AuditLog.cause,
        Operation.act,
        AuditLog.table_name,
        AuditLog.record_id,
        AuditLog.action,
        AuditLog.changes,
    )
    joined = select(*facts).outerjoin(Operation, Operation.id == AuditLog.operation_id)
    return joined.outerjoin(_people, _people.c.id == AuditLog.user_id)


def changes_where(table_name: str | None = None, record_id: int | None = None) -> Entries:
    """Return all changes, those of a table, or those of one row in it. Raises InvalidError for a row of no table."""
    if table_name is None:
        if record_id is not None:
            raise InvalidError("Say in which table the record is.", field="table")
        return changes()
    statement = changes().where(AuditLog.table_name == table_name)
    return statement if record_id is None else statement.where(AuditLog.record_id == record_id)


def changes_of_ticket(ticket_id: int) -> Entries:
    """Return the changes of a ticket, its comments, attachments, tags, copies and links, also of what it has lost."""
    return _about(changes(), rows_of_ticket(ticket_id))


def later_entries(rows: Subquery, at: datetime) -> Entries:
    """Return what `deskbell.audit.reversal.rows_as_of` needs of the log, for `rows` as of the functions below."""
    facts = (
        AuditLog.id,
        AuditLog.created_at,
        AuditLog.table_name,
        AuditLog.record_id,
        AuditLog.action,
        AuditLog.changes,
    )
    needed = or_(AuditLog.created_at > at, AuditLog.action == AuditAction.DELETE)
    return _about(select(*facts).where(needed), rows)


def rows_of(table_name: str, ids: Iterable[int]) -> Subquery:
    """Name rows of a table."""
    record_id = func.unnest(literal(sorted(ids), ARRAY(BigInteger))).column_valued("record_id")
    return select(literal(table_name).label("table_name"), record_id).subquery("some_rows")


def rows_of_ticket(ticket_id: int) -> Subquery:
    """Name the rows of a ticket and its parts: those that are there, and those that were deleted or moved."""
    parts = (table(name, column("id", BigInteger), column("ticket_id", BigInteger)) for name in _PARTS_OF_TICKET)
    itself = (
        select(literal(name).label("table_name"), literal(ticket_id, BigInteger).label("record_id"))
        for name in ("tickets", "ticket_tags")
    )
    present = (select(literal(part.name), part.c.id).where(part.c.ticket_id == ticket_id) for part in parts)
    left = select(AuditLog.table_name, AuditLog.record_id).where(
        LEFT_A_TICKET, literal(str(ticket_id)) == FORMER_TICKET
    )
    linked = (
        select(literal("ticket_links"), _links.c.id).where(end == ticket_id)
        for end in (_links.c.ticket_id, _links.c.other_id)
    )
    is_end = or_(*(end == literal(str(ticket_id)) for end in FORMER_ENDS))
    taken = select(AuditLog.table_name, AuditLog.record_id).where(TAKEN_AWAY, is_end)
    return union(*itself, *present, *linked, left, taken).subquery("rows_of_ticket")


def _about(statement: Entries, rows: Subquery) -> Entries:
    """Keep entries about `rows`: a short list, each found in the index. `IN` beneath `OR` would read the whole log."""
    here = (rows.c.table_name == AuditLog.table_name) & (rows.c.record_id == AuditLog.record_id)
    return statement.join(rows, here)
