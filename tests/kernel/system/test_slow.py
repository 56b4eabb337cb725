"""Slow statements: counted without their values, for administrators alone, and an advice where nothing is counted."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.audit.models import Operation
from deskbell.kernel.access import APPLICATION
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.errors import ConflictError, ForbiddenError
from deskbell.kernel.roles import prepare_server, prepare_statistics
from deskbell.kernel.settings import PostgresSettings
from deskbell.kernel.system import SlowStatement, Sort, forget_statements, slow_statements
from deskbell.migrations.runner import Migrator
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import APPLICATION_PASSWORD, FAST, SUPERUSER_PASSWORD, as_application, clone, run_folder

SECRETS = ("swordfish", "4929123456781234", "it''s")


def run(database: Database, *statements: str) -> None:
    with database.transaction(SYSTEM) as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def found(database: Database, sort: Sort = Sort.TOTAL, limit: int = 100) -> dict[str, SlowStatement]:
    with database.transaction(SYSTEM) as session:
        report = slow_statements(session, sort=sort, limit=limit)
    assert report.advice is None
    return {one.statement: one for one in report.statements}


def execute(address: Address, *statements: str) -> None:
    with psycopg.connect(address.dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def state_of(database: Database) -> str | None:
    with database.transaction(SYSTEM) as session:
        report = slow_statements(session)
    assert (report.statements == ()) == (report.advice is not None)
    return report.advice


def test_a_statement_is_counted_without_its_values(fresh_database: Database) -> None:
    for title in ("swordfish", "other"):
        run(fresh_database, f"select count(*) from tickets where title = '{title}'")  # noqa: S608 - two words
    one = found(fresh_database)["select count(*) from tickets where title = $1"]
    assert (one.calls, one.row_count, one.roles) == (2, 2, ["deskbell_system"])
    assert one.max_ms <= one.total_ms
    assert one.mean_ms == pytest.approx(one.total_ms / 2)
    assert one.share is not None
    assert 0 < one.share < 1


def test_a_statement_that_changes_its_role_shows_no_values_either(fresh_database: Database) -> None:
    """It is kept as it was written: its entry under the new role was made after the values were looked for."""
    secret = ", ".join(f"'{each}'" for each in SECRETS)
    address = as_application(fresh_database.address)
    with psycopg.connect(address.dsn) as connection:
        changing = f"select set_config('role', 'deskbell_system', true), {secret}, E'a\\'b swordfish', 4929123456781234"
        connection.execute(f"{changing}, $tag$swordfish$tag$".encode())
    statements = [each for each in found(fresh_database) if "tag" in each or "…" in each]
    assert any(each.startswith("select set_config('…', '…', true), '…', '…'") for each in statements)
    assert not any(secret in each for each in statements for secret in ("swordfish", "4929", "it"))


def test_utility_statements_are_left_out_where_the_server_counts_them(
    fresh_database: Database, fresh_address: Address
) -> None:
    begin = "set pg_stat_statements.track_utility = on"
    alter = "alter role deskbell_owner valid until 'infinity'"
    utilities = ("set role deskbell_system", "explain select 'swordfish'", "set application_name = 'swordfish'")
    execute(fresh_address, begin, alter, *utilities, "(select 1)", "/* x */ select 2, 3")
    with psycopg.connect(fresh_address.dsn) as connection:
        texts = [row[0] for row in connection.execute("select query from deskbell_statistics.pg_stat_statements")]
    assert any("swordfish" in each for each in texts)
    shown = found(fresh_database)
    assert not any("swordfish" in each or "alter" in each for each in shown)
    assert {"(select $1)", "select $1, $2"} <= {each.removeprefix("/* x */ ") for each in shown}


def test_other_databases_and_other_roles_are_nobody_elses_business(
    fresh_database: Database, fresh_address: Address, server: Address
) -> None:
    execute(fresh_address, "select 'by the superuser' as superuser")
    with clone(server, f"elsewhere_{os.getpid()}") as elsewhere:
        execute(elsewhere, "set role deskbell_system", "select 'elsewhere' as elsewhere")
        assert not any("superuser" in each or "elsewhere" in each for each in found(fresh_database))


def test_they_come_in_the_order_that_is_asked_for(fresh_database: Database) -> None:
    run(fresh_database, "select pg_sleep(0.05)", *["select 'often'"] * 20)
    assert next(iter(found(fresh_database, Sort.CALLS))) == "select $1"
    for sort, key in ((Sort.MEAN, "mean_ms"), (Sort.MAX, "max_ms"), (Sort.TOTAL, "total_ms")):
        values = [getattr(one, key) for one in found(fresh_database, sort).values()]
        assert values == sorted(values, reverse=True)
    assert len(found(fresh_database, limit=2)) == 2


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AGENT])
def test_only_administrators_may(database: Database, factory: Factory, role: Role) -> None:
    who = actor(factory.user(role))
    with pytest.raises(ForbiddenError), database.transaction(who) as session:
        slow_statements(session)
    with pytest.raises(ForbiddenError), database.transaction(who) as session:
        session.execute(text("select deskbell_forget_statements()"))


def test_a_reset_forgets_deskbells_statements_here_and_is_an_operation(
    fresh_database: Database, fresh_address: Address
) -> None:
    execute(fresh_address, "select 'kept' as by_superuser")
    run(fresh_database, "select 'gone' as gone")
    person = Factory(fresh_database).user(Role.ADMIN)
    with fresh_database.transaction(actor(person).doing("reset")) as session:
        forget_statements(session)
    assert "select $1 as gone" not in found(fresh_database)
    with fresh_database.transaction(SYSTEM) as session:
        acts = session.query(Operation).filter(Operation.act.startswith("reset")).all()
        assert [(each.user_id, each.channel) for each in acts] == [(person.id, Channel.API)]
    with psycopg.connect(fresh_address.dsn) as connection:
        texts = [row[0] for row in connection.execute("select query from deskbell_statistics.pg_stat_statements")]
    assert any("by_superuser" in each for each in texts)


def test_without_the_extension_it_says_what_to_do(fresh_database: Database, fresh_address: Address) -> None:
    execute(fresh_address, "drop extension pg_stat_statements")
    advice = state_of(fresh_database) or ""
    assert "create extension pg_stat_statements" in advice
    with pytest.raises(ConflictError, match="create extension"), fresh_database.transaction(SYSTEM) as session:
        forget_statements(session)
    prepare_statistics(fresh_address)
    assert state_of(fresh_database) is None


def test_an_extension_that_lies_elsewhere_serves_as_well(fresh_database: Database, fresh_address: Address) -> None:
    execute(fresh_address, "drop extension pg_stat_statements", 'create schema "Else where"')
    create, grant = "create extension pg_stat_statements schema", "grant usage on schema"
    execute(fresh_address, f'{create} "Else where"', f'{grant} "Else where" to public')
    run(fresh_database, "select 'there' as there")
    assert "select $1 as there" in found(fresh_database)
    with pytest.raises(ConflictError, match="EXECUTE"), fresh_database.transaction(SYSTEM) as session:
        forget_statements(session)


def test_an_owner_who_may_not_read_statistics_is_said_so(fresh_database: Database, fresh_address: Address) -> None:
    execute(fresh_address, "revoke usage on schema deskbell_statistics from deskbell_owner")
    assert "pg_read_all_stats" in (state_of(fresh_database) or "")


@pytest.fixture(scope="module")
def uncounting() -> Iterator[Address]:
    """A server that does not load the library."""
    options = {**FAST, "shared_preload_libraries": ""}
    with run_folder(f"uncounting-{os.getpid()}") as folder:
        bin_dir = PostgresSettings().bin_dir
        with EmbeddedPostgres(
            folder, superuser_password=SUPERUSER_PASSWORD, bin_dir=bin_dir, options=options
        ) as server:
            admin = Address(str(server.socket_dir), server.port, "desk", server.superuser, SUPERUSER_PASSWORD)
            prepare_server(admin, {APPLICATION: APPLICATION_PASSWORD})
            Migrator(admin).upgrade()
            yield admin


def test_a_server_that_does_not_load_the_library_is_said_so(uncounting: Address, tmp_path: Path) -> None:
    database = open_database(uncounting, tmp_path)
    try:
        assert "shared_preload_libraries" in (state_of(database) or "")
        with pytest.raises(ConflictError), database.transaction(Actor.system()) as session:
            forget_statements(session)
    finally:
        database.close()


def test_nobody_but_the_owner_reaches_the_extension(fresh_address: Address) -> None:
    """It lets everybody read what they ran themselves, and a customer's role is every customer's."""
    for role in ("deskbell_app", "deskbell_readonly", "deskbell_customer", "deskbell_agent", "deskbell_admin"):
        with psycopg.connect(fresh_address.dsn) as connection:
            connection.execute(f"set role {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select count(*) from deskbell_statistics.pg_stat_statements")
