"""The triggers that write the audit log, generated from the tables.

Statement-level triggers with transition tables: one call for a statement, however many rows it touches and whichever
way it came. Each is generated from its table's columns, because `to_jsonb(old)` on wide rows made an update three
times dearer.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql.base import PGDialect

from deskbell.kernel.access import OWNER

SECRET = "'[secret]'::text"  # noqa: S105 - what stands in the log instead of one
FULL = "full"
_ARGUMENTS = 100  # of one function call, at most: FUNC_MAX_ARGS of PostgreSQL
_quoted = PGDialect().identifier_preparer.quote  # type: ignore[no-untyped-call]

_FUNCTION = """\
create or replace function {name}() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), '{table}', {body}
  return null;
end
$$"""
# The subquery is evaluated once, for the first row that is recorded: where nothing is, no operation begins. No nested
# loops on purpose: the plan is made once in a session, perhaps for one row, and kept for ten thousand.


def is_audited(table: Table) -> bool:
    """Whether the table's changes are recorded; otherwise `info["audit"]` is the reason why they are not."""
    return bool(table.info["audit"] == FULL)


def audit_ddl(table: Table) -> Iterator[str]:
    """Yield the statements that make every INSERT, UPDATE and DELETE of `table` appear in the audit log."""
    bodies = {"insert": _created(table), "update": _updated(table), "delete": _deleted(table)}
    transitions = {
        "insert": "new table as new_rows",
        "update": "old table as old_rows new table as new_rows",
        "delete": "old table as old_rows",
    }
    for event, body in bodies.items():
        name = f"deskbell_audit_{table.name}_{event}"
        yield _FUNCTION.format(name=name, table=table.name, body=body)
        yield f"alter function {name}() owner to {OWNER}"
        yield f"revoke all on function {name}() from public"
        yield (
            f"create or replace trigger audit_{event} after {event} on {table.name} "
            f"referencing {transitions[event]} for each statement execute function {name}()"
        )
    yield (
        f"create or replace trigger audit_truncate before truncate on {table.name} "
        "for each statement execute function deskbell_refuse_truncate()"
    )
    keys = ", ".join(_quoted(column.name) for column in table.primary_key.columns)
    yield (
        f"create or replace trigger audit_key before update of {keys} on {table.name} "
        "for each statement execute function deskbell_refuse_new_key()"
    )


def _record_id(table: Table) -> str:
    return _quoted(next(iter(table.primary_key.columns)).name)


def _further_keys(table: Table, before: str, after: str) -> str | None:
    """Return the object `{column: [before, after]}` of the key columns that `record_id` does not tell."""
    further = list(table.primary_key.columns)[1:]
    pairs = [(column, f"jsonb_build_array({_key(column, before)}, {_key(column, after)})") for column in further]
    return _object(pairs) if pairs else None


def _key(column: Column[object], row: str) -> str:
    return f"{row}.{_quoted(column.name)}" if row else "null"


def _created(table: Table) -> str:
    """Name the further key columns only: the row has its values."""
    return f"n.{_record_id(table)}, 'CREATE', {_further_keys(table, '', 'n') or 'null'}\n    from new_rows n;"


def _updated(table: Table) -> str:
    """Compare the columns that can change, one by one, and name the further key columns beside what changed."""
    names = [_quoted(column.name) for column in table.primary_key.columns]
    keys = " and ".join(f"o.{name} = n.{name}" for name in names)
    carried = ", ".join(f"n.{name}" for name in names)
    further = _further_keys(table, "d", "d")
    return (  # the names are the models', not a person's
        f"d.{_record_id(table)}, 'UPDATE', d.changes{f' || {further}' if further else ''}\n    from (\n"  # noqa: S608 - as above
        f"      select {carried}, {_difference(table)} as changes\n"
        f"        from new_rows n join old_rows o on {keys}\n    ) d\n   where d.changes <> '{{}}';"
    )


def _difference(table: Table) -> str:
    """Concatenate what differs; `||` costs next to nothing while one side is empty."""
    parts = []
    for column in table.columns:
        if column.primary_key or column.computed is not None or column.info.get("audit") in {"derived", "large"}:
            continue
        name = _quoted(column.name)
        pair = f"jsonb_build_array({_value(column, 'o')}, {_value(column, 'n')})"
        parts.append(f"case when o.{name} is distinct from n.{name} then {_object([(column, pair)])} else '{{}}' end")
    return "\n          || ".join(parts) or "'{}'::jsonb"


def _deleted(table: Table) -> str:
    """Keep the whole row but for secrets, megabytes and what is computed from the rest."""
    kept = [c for c in table.columns if c.computed is None and c.info.get("audit") != "large"]
    row = _object([(column, _value(column, "o")) for column in kept])
    return f"o.{_record_id(table)}, 'DELETE',\n    {row}\n    from old_rows o;"


def _value(column: Column[object], row: str) -> str:
    """Return a column's value, or that it had one where it is secret."""
    name = f"{row}.{_quoted(column.name)}"
    return f"case when {name} is not null then {SECRET} end" if column.info.get("audit") == "secret" else name


def _object(pairs: Sequence[tuple[Column[object], str]]) -> str:
    """Return the expression of a JSON object, in as many calls as its pairs need."""
    written = ["'{}', {}".format(column.name.replace("'", "''"), value) for column, value in pairs]
    step = _ARGUMENTS // 2
    calls = [", ".join(written[start : start + step]) for start in range(0, len(written), step)]
    return " || ".join(f"jsonb_build_object({call})" for call in calls)
