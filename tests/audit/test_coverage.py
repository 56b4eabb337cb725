"""No table is forgotten: each is audited or says why not, and what is audited has its triggers in the database."""

import re
from importlib.resources import files

import pytest
from sqlalchemy import Connection, text

from deskbell.audit.triggers import FULL, audit_ddl, is_audited
from deskbell.migrations.metadata import domain_tables, target_metadata
from deskbell.testing.databases import RollbackDatabase
from tests.audit.samples import SAMPLES, Sample

NOT_AUDITED = {"audit_logs", "operations", "idempotency_keys", "imported_rows"}
"""Whoever adds to these takes something out of the history, and should have to say so here as well."""
AUDITED = [name for name in domain_tables() if is_audited(target_metadata.tables[name])]
TRIGGERS = {"audit_insert", "audit_update", "audit_delete", "audit_truncate"}
TREATMENTS = {"derived", "large", "secret"}


def test_every_table_is_audited_or_says_why_not() -> None:
    reasons = {name: target_metadata.tables[name].info.get("audit", "") for name in domain_tables()}
    assert [name for name, reason in reasons.items() if reason != FULL and len(reason) < len("it is the log")] == []
    assert {name for name, reason in reasons.items() if reason != FULL} == NOT_AUDITED


def test_every_column_is_treated_in_a_way_that_is_known() -> None:
    columns = [column for name in domain_tables() for column in target_metadata.tables[name].columns]
    assert {column.info["audit"] for column in columns if "audit" in column.info} == TREATMENTS


def test_columns_that_hold_secrets_are_declared_secret() -> None:
    columns = [column for name in AUDITED for column in target_metadata.tables[name].columns]
    telling = re.compile("password|token|secret|_key$|hash")
    found = {str(column) for column in columns if telling.search(column.name) and column.info.get("audit") != "secret"}
    assert found == {"attachments.storage_key"}


def test_every_audited_table_has_its_triggers_in_the_database(database: RollbackDatabase) -> None:
    query = text(
        "select c.relname, array_agg(t.tgname::text) from pg_class c join pg_trigger t on t.tgrelid = c.oid"
        " where not t.tgisinternal and t.tgenabled = 'O' and t.tgname like 'audit%' group by 1"
    )
    found = {name: set(triggers) for name, triggers in database.connection.execute(query).tuples()}
    assert found == dict.fromkeys(AUDITED, TRIGGERS)


def test_no_table_of_the_database_is_unknown_to_the_models(database: RollbackDatabase) -> None:
    query = text(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        " and not relispartition"
    )
    assert set(database.connection.scalars(query)) == {*domain_tables(), "alembic_version"}


def test_the_triggers_in_the_migration_are_those_that_the_models_give() -> None:
    kept = files("deskbell.migrations").joinpath("sql", "foundation_audit.sql").read_text("utf-8")
    rendered = [statement for name in AUDITED for statement in audit_ddl(target_metadata.tables[name])]
    assert [statement for statement in rendered if f"{statement};\n" not in kept] == []


def record(connection: Connection, table: str, action: str) -> list[dict[str, object] | None]:
    query = text("select changes from audit_logs where table_name = :table and action = :action order by id")
    return list(connection.scalars(query, {"table": table, "action": action}))


@pytest.mark.parametrize("name", AUDITED)
def test_each_audited_table_records_all_three_by_the_owners_raw_sql(database: RollbackDatabase, name: str) -> None:
    connection, sample = database.connection, SAMPLES.get(name)
    assert sample is not None, f"write a lawful row of {name} into tests/audit/samples.py"
    connection.execute(text("select set_config('role', 'deskbell_system', true)"))
    for statement in sample.before:
        connection.execute(text(statement))
    connection.execute(text(f"insert into {name} {sample.row}"))
    assert len(record(connection, name, "CREATE")) >= 1
    with as_owner(database):
        _change_and_delete(connection, name, sample)


def _change_and_delete(connection: Connection, name: str, sample: Sample) -> None:
    connection.execute(text(f"update {name} set {sample.change}"))
    [changes] = record(connection, name, "UPDATE")[-1:]
    assert changes is not None
    assert set(changes) == {sample.change.partition(" =")[0]}
    connection.execute(text(f"delete from {name} where {sample.last}"))
    [gone] = record(connection, name, "DELETE")
    expected = {c.name for c in target_metadata.tables[name].columns if c.computed is None and c.info.get("audit") != "large"}
    assert gone is not None
    assert set(gone) == expected
