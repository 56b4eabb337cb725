"""Migrations go up, down and up again, one process at a time, and say so when a database is newer than the program."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from deskbell.kernel.address import Address
from deskbell.kernel.errors import InvalidError, SetupError
from deskbell.migrations import runner
from deskbell.migrations.runner import Migrator
from tests.migrations.catalog import schema_of

LEFT_OVER = "relation alembic_version"


def revisions(address: Address) -> ScriptDirectory:
    return Migrator(address).script


def test_there_is_one_head(server: Address) -> None:
    assert len(revisions(server).get_heads()) == 1


def test_every_migration_has_a_dated_name_in_the_order_of_the_chain(server: Address) -> None:
    chain = list(revisions(server).walk_revisions())[::-1]
    names = [script.path.rpartition("/")[2] for script in chain]
    assert names == sorted(names)
    assert all(name[:4].isdigit() and name.endswith(".py") for name in names)


def test_an_empty_database_goes_up_down_to_nothing_and_up_again(empty: Address) -> None:
    migrator, bare = Migrator(empty), schema_of(empty)
    before = migrator.status()
    assert (before.current, before.pending[-1]) == (None, before.head)
    assert migrator.upgrade().is_current
    full = schema_of(empty)
    assert len(full) > len(bare)
    assert migrator.downgrade("base").current is None
    assert schema_of(empty) == bare
    assert leftovers(empty) == []
    assert migrator.upgrade().is_current
    assert schema_of(empty) == full


def leftovers(address: Address) -> list[tuple[object, ...]]:
    """Return what a downgrade to nothing forgot: types, sequences, schemas."""
    query = (
        "select 'schema', nspname::text from pg_namespace"
        " where nspname not in ('public', 'information_schema', 'deskbell_statistics')"
        " and nspname not like 'pg\\_%' union all"
        " select 'type', typname::text from pg_type t where typnamespace = 'public'::regnamespace and typrelid = 0"
        " and typelem = 0 and not exists (select from pg_depend d where d.objid = t.oid and d.deptype = 'e')"
    )
    with psycopg.connect(address.dsn) as connection:
        return connection.execute(query).fetchall()


def test_the_newest_migration_goes_down_and_up_again(empty: Address) -> None:
    migrator = Migrator(empty)
    migrator.upgrade()
    full = schema_of(empty)
    assert not migrator.downgrade("-1").is_current
    assert migrator.upgrade().is_current
    assert schema_of(empty) == full


def test_going_up_twice_changes_nothing(empty: Address) -> None:
    migrator = Migrator(empty)
    assert migrator.upgrade() == migrator.upgrade()


def test_an_unknown_revision_is_the_callers_mistake(empty: Address) -> None:
    with pytest.raises(InvalidError, match="Cannot go to revision 'nonsense'"):
        Migrator(empty).downgrade("nonsense")


@pytest.mark.parametrize("act", ["status", "upgrade"])
def test_a_database_of_a_newer_version_is_left_alone(empty: Address, act: str) -> None:
    migrator = Migrator(empty)
    migrator.upgrade()
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(SetupError, match="at revision 9999, which this Deskbell does not know"):
        getattr(migrator, act)()


def test_a_server_that_does_not_answer_is_said_in_one_line(server: Address) -> None:
    with pytest.raises(SetupError, match=r"^Cannot use the database .*no_such_database") as raised:
        Migrator(server.to_database("no_such_database")).status()
    assert "\n" not in raised.value.message


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: Address) -> None:
    bare = schema_of(empty)
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("create function deskbell_touch() returns trigger language plpgsql as 'begin end'")
    with pytest.raises(Exception, match="deskbell_touch"):
        Migrator(empty).upgrade()
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("drop function deskbell_touch()")
    assert schema_of(empty) == bare
    assert Migrator(empty).upgrade().is_current


def test_every_migration_is_bounded_not_the_first_alone(empty: Address) -> None:
    """`set local` ended with the first transaction: a later migration could then wait, and make all wait, for ever."""
    show = text("select current_setting('lock_timeout'), current_setting('statement_timeout')")
    with Migrator(empty)._exclusively() as connection:
        for _ in range(2):
            with connection.begin():
                assert tuple(connection.execute(show).one()) == ("10s", "15min")


def test_a_migration_that_waits_too_long_for_a_table_says_so(empty: Address, hasty: Migrator) -> None:
    hasty.upgrade()
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("lock table tickets")
        with pytest.raises(SetupError, match="had to wait too long") as raised:
            hasty.downgrade("base")
    assert "DESKBELL_DATABASE_URL" not in raised.value.message


def test_waiting_for_another_process_to_migrate_is_not_cut_short(empty: Address, hasty: Migrator) -> None:
    with ThreadPoolExecutor(1) as threads:
        with psycopg.connect(empty.dsn) as connection:
            connection.execute("select pg_advisory_lock(%s)", (runner._LOCK,))
            waiting = threads.submit(hasty.upgrade)
            wait([waiting], timeout=0.5)  # five times what it waits for a table
            assert not waiting.done()
        assert waiting.result(timeout=60).is_current


@pytest.fixture
def hasty(empty: Address, monkeypatch: pytest.MonkeyPatch) -> Migrator:
    """Migrations that wait for no table longer than 0.1 s."""
    monkeypatch.setitem(runner._TIMEOUTS, "lock_timeout", "100ms")
    return Migrator(empty)


UPGRADE = """
import sys
from deskbell.kernel.address import Address
from deskbell.migrations.runner import Migrator
sys.stdin.readline()
print(Migrator(Address.parse(sys.argv[1])).upgrade().is_current)
"""


def test_two_processes_that_go_up_at_once_both_end_well(empty: Address) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty.dsn], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for program in programs:
        assert program.stdin
        program.stdin.write("go\n")
        program.stdin.flush()
    assert [program.communicate(timeout=60)[0].strip() for program in programs] == ["True", "True"]
    assert [program.returncode for program in programs] == [0, 0]
