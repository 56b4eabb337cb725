"""Migrations and models give the same schema: by Alembic's comparison, and by the catalog, which sees more."""

import re
from importlib.resources import files

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from deskbell.audit.triggers import audit_ddl, is_audited
from deskbell.kernel.access import OWNER, access_ddl
from deskbell.kernel.address import Address
from deskbell.migrations.job_queue import install_library
from deskbell.migrations.metadata import domain_tables, target_metadata
from deskbell.migrations.runner import Migrator
from tests.migrations.catalog import schema_of

CONVENTION = re.compile(r"(pk|uq|ix|fk|ck)_")


def build_from_models(address: Address) -> None:
    """Make the schema without migrations: tables, access and audit from the models, the rest from the kept SQL."""
    sql = files("deskbell.migrations").joinpath("sql")
    tables = [target_metadata.tables[name] for name in domain_tables()]
    with psycopg.connect(address.dsn) as connection:
        engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=NullPool)
        connection.execute(f"set role {OWNER}".encode())
        for name in ("foundation_before", "search_before"):
            connection.execute(sql.joinpath(f"{name}.sql").read_bytes())
        connection.commit()  # SQLAlchemy rolls back what it finds when it takes over
        with engine.connect() as wrapped:
            target_metadata.create_all(wrapped, tables=tables, checkfirst=False)
            for name in (
                "foundation_after",
                "search_after",
                "people_after",
                "figures_after",
                "access_log_after",
                "presence_after",
                "mailboxes_after",
                "vectors_after",
            ):
                connection.execute(sql.joinpath(f"{name}.sql").read_bytes())
            for table in tables:
                for statement in (*access_ddl(table), *(audit_ddl(table) if is_audited(table) else ())):
                    connection.execute(statement.encode())
            with connection.cursor() as cursor:
                install_library(cursor)
            for name in ("job_queue", "server_statistics"):
                connection.execute(sql.joinpath(f"{name}.sql").read_bytes())
            connection.commit()


def test_autogenerate_finds_nothing_to_do(server: Address) -> None:
    assert Migrator(server).differences() == []


def test_the_catalogs_of_migrations_and_of_models_are_the_same(empty: Address, server: Address) -> None:
    build_from_models(empty)
    models, migrated = set(schema_of(empty)), set(schema_of(server))
    assert sorted(migrated - models) == []
    assert sorted(models - migrated) == []


@pytest.mark.parametrize(
    "kind", ["relation", "column", "constraint", "index", "policy", "trigger", "search", "view", "function"]
)
def test_the_comparison_sees_each_kind_of_thing(server: Address, kind: str) -> None:
    assert any(line.startswith(f"{kind} ") for line in schema_of(server))


def test_every_name_follows_the_convention(server: Address) -> None:
    """A violation becomes its error by the constraint's name."""
    query = (
        "select conname::text, conrelid::regclass::text from pg_constraint c join pg_class t on t.oid = conrelid"
        " where t.relnamespace = 'public'::regnamespace and not t.relispartition and contype <> 'n' union all"
        " select i.relname, indrelid::regclass::text from pg_index join pg_class i on i.oid = indexrelid"
        " where i.relnamespace = 'public'::regnamespace and not i.relispartition"
    )
    with psycopg.connect(server.dsn) as connection:
        names = [row for row in connection.execute(query) if row[1] != "alembic_version"]
    assert len(names) > len(domain_tables())
    assert [name for name, table in names if not re.match(rf"{CONVENTION.pattern}{table}(_|$)|ix_{table}", name)] == []
