"""Rows as they were: the rows as they are, with later entries of the audit log reversed. Pure; undo needs the same."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import TIMESTAMP, ColumnElement, Enum, FromClause, LargeBinary, Row

from deskbell.audit.models import AuditAction

Entry = Row[Any]
"""A row with at least the columns of `deskbell.audit.queries.later_entries`."""
Key = tuple[Any, ...]
Values = dict[str, Any]
"""The columns of a row by name, as Python values."""


def rows_as_of(
    table: FromClause, rows: Iterable[Mapping[str, Any]], entries: Iterable[Entry], at: datetime
) -> list[Values]:
    """Return the rows that were there at the aware time `at`, as they were then, in no particular order.

    `entries` are those of `table` that came after `at`, and those that deleted a row at any time. A row was there from
    its own `created_at` on, which may be earlier than the entry that created it: what was imported is older than its
    row. What is not recorded (see `audit/triggers.py`: derived, large, secret) stays as it is, or is missing where the
    row was deleted.
    """
    found = {tuple(row[column.name] for column in table.primary_key): dict(row) for row in rows}
    newest_first = sorted(entries, key=lambda entry: entry.id, reverse=True)
    deleted_before = {
        key_of(table, entry) for entry in newest_first if entry.action == AuditAction.DELETE and entry.created_at <= at
    }
    for entry in newest_first:
        if entry.created_at > at:
            _reverse(table, found, entry, came_back=key_of(table, entry) in deleted_before)
    return [row for row in found.values() if row["created_at"] <= at]


def key_of(table: FromClause, entry: Entry) -> Key:
    """Return the key of the row that an entry is about; of several columns the entry names all but the first."""
    changes = entry.changes or {}
    further = (changes[column.name] for column in list(table.primary_key)[1:])
    return entry.record_id, *(value[1] if isinstance(value, list) else value for value in further)


def read_value(column: ColumnElement[Any], value: Any) -> Any:  # noqa: ANN401 - of any column
    """Turn a value of `changes`, as JSON has it, into one of the column."""
    if value is None:
        return None
    match column.type:
        case TIMESTAMP():
            return datetime.fromisoformat(value)
        case Enum(enum_class=kind) if kind is not None:
            return kind(value)
        case LargeBinary():
            return bytes.fromhex(value.removeprefix("\\x"))
    return value


def _reverse(table: FromClause, found: dict[Key, Values], entry: Entry, *, came_back: bool) -> None:
    key, changes = key_of(table, entry), entry.changes or {}
    match entry.action:
        case AuditAction.CREATE if came_back:  # it has the date that it had before it was deleted
            found.pop(key, None)
        case AuditAction.UPDATE if key in found:
            changed = {name: pair[0] for name, pair in changes.items()}
            found[key].update(_values(table, changed))
        case AuditAction.DELETE:
            found[key] = _values(table, changes)


def _values(table: FromClause, values: Mapping[str, Any]) -> Values:
    """Leave out columns that the table does not have any more."""
    return {name: read_value(table.c[name], value) for name, value in values.items() if name in table.c}
