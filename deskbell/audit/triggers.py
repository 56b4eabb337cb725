"""The triggers that write the audit log, generated from the tables.

Statement-level triggers with transition tables: one call for a statement, however many rows it touches and whichever
way
it came. Each is generated from its table's columns, because `to_jsonb(old)` on wide rows made an update three times
dearer.
"""

from collections.abc import Iterator

from sqlalchemy import Column, Table

from deskbell.kernel.access import OWNER

SECRET = "'[secret]'::text"  # noqa: S105 - what stands in the log instead of one
FULL = "full"

_FUNCTION = """\
create or replace function {name}() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if not exists (select from {rows}) then return null; end if;
  operation := coalesce(operation, deskbell_begin_operation());
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), '{table}', {body}
  return null;
end
$$"""
# The joins are hash joins on purpose: the plan is made once in a session, perhaps for one row, and kept for ten
# thousand.


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
        rows = "old_rows" if event == "delete" else "new_rows"
        yield _FUNCTION.format(name=name, table=table.name, rows=rows, body=body)
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


def _record_id(table: Table) -> Column[object]:
    return next(iter(table.primary_key.columns))


def _further_keys(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns][1:]


def _created(table: Table) -> str:
    """Name the further key columns only: the row has its values."""
    pairs = ", ".join(f"'{name}', jsonb_build_array(null, n.{name})" for name in _further_keys(table))
    changes = f"jsonb_build_object({pairs})" if pairs else "null"
    return f"n.{_record_id(table).name}, 'CREATE', {changes}\n    from new_rows n;"


def _updated(table: Table) -> str:
    """Compare the columns that can change, one by one."""
    keys = " and ".join(f"o.{column.name} = n.{column.name}" for column in table.primary_key.columns)
    return (  # the names are the models', not a person's
        "d.id, 'UPDATE', d.changes\n    from (\n"  # noqa: S608 - as above
        f"      select n.{_record_id(table).name} as id, {_difference(table)} as changes\n"
        f"        from new_rows n join old_rows o on {keys}\n    ) d\n   where d.changes <> '{{}}';"
    )


def _difference(table: Table) -> str:
    """Concatenate what differs; `||` costs next to nothing while one side is empty."""
    parts = []
    for column in table.columns:
        treatment = column.info.get("audit")
        if column.primary_key or column.computed is not None or treatment in {"derived", "large"}:
            continue
        old, new = (SECRET, SECRET) if treatment == "secret" else (f"o.{column.name}", f"n.{column.name}")
        parts.append(
            f"case when o.{column.name} is distinct from n.{column.name} "
            f"then jsonb_build_object('{column.name}', jsonb_build_array({old}, {new})) else '{{}}' end"
        )
    return "\n          || ".join(parts)


def _deleted(table: Table) -> str:
    """Keep the whole row but for secrets, megabytes and what is computed from the rest."""
    pairs = []
    for column in table.columns:
        treatment = column.info.get("audit")
        if column.computed is not None or treatment == "large":
            continue
        value = (
            f"case when o.{column.name} is not null then {SECRET} end" if treatment == "secret" else f"o.{column.name}"
        )
        pairs.append(f"'{column.name}', {value}")
    return f"o.{_record_id(table).name}, 'DELETE', jsonb_build_object(\n      {', '.join(pairs)})\n    from old_rows o;"
