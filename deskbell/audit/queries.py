"""The audit log as composable statements: who changed what, when, through what, in which act. For the desk alone.

Their rows have the columns of `changes()`; ids grow with time, so they are paged by `NEWEST_CHANGE_FIRST`. People and
the parts of a ticket are read by the names of their tables, as their models lie above the audit log.
"""

from typing import Any

from sqlalchemy import CompoundSelect, Select, column, literal, select, table, union_all

from deskbell.audit.models import AuditLog, Operation
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.paging import SortKey

NEWEST_CHANGE_FIRST = (SortKey(AuditLog.id, descending=True, unique=True),)
"""The primary key has the partition's time too; the id alone is unique all the same."""

_people = table("users", column("id"), column("full_name"))
_PARTS_OF_TICKET = ("comments", "attachments")


def changes() -> Select[*tuple[Any, ...]]:
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


def changes_where(table_name: str | None = None, record_id: int | None = None) -> Select[*tuple[Any, ...]]:
    """Return all changes, those of a table, or those of one row in it. Raises InvalidError for a row of no table."""
    if table_name is None:
        if record_id is not None:
            raise InvalidError("Say in which table the record is.", field="table")
        return changes()
    statement = changes().where(AuditLog.table_name == table_name)
    return statement if record_id is None else statement.where(AuditLog.record_id == record_id)


def changes_of_ticket(ticket_id: int) -> Select[*tuple[Any, ...]]:
    """Return the changes of a ticket, its comments, attachments and tags.

    Joined to a short list of rows, each found in the index: `IN` beneath `OR` would read the whole log.
    """
    rows = _rows_of_ticket(ticket_id).subquery("rows_of_ticket")
    here = (rows.c.table_name == AuditLog.table_name) & (rows.c.record_id == AuditLog.record_id)
    return changes().join(rows, here)


def _rows_of_ticket(ticket_id: int) -> CompoundSelect[Any]:
    parts = (table(name, column("id"), column("ticket_id")) for name in _PARTS_OF_TICKET)
    return union_all(
        *(
            select(literal(name).label("table_name"), literal(ticket_id, AuditLog.record_id.type).label("record_id"))
            for name in ("tickets", "ticket_tags")
        ),
        *(select(literal(part.name), part.c.id).where(part.c.ticket_id == ticket_id) for part in parts),
    )
