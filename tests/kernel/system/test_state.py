"""The state of the system: what the catalog, the queue and the disks say, for administrators alone."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest

from deskbell.accounts.models import Role
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError
from deskbell.kernel.system import SystemState, system_state
from deskbell.kernel.system.state import Partition, by_table, disks
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements

CALLS = (
    "select * from deskbell_server()",
    "select * from deskbell_table_sizes()",
    "select * from deskbell_index_sizes()",
    "select * from deskbell_connections()",
    "select * from deskbell_transactions('1 s', 1)",
    "select * from deskbell_partition_ranges()",
    "select * from deskbell_queue(1)",
    "select * from deskbell_jobs(null, null, 1)",
    "select deskbell_retry_job(1)",
    "select * from deskbell_statement_source()",
    "select * from deskbell_slow_statements('total', 1)",
    "select deskbell_note_operation('')",
)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def state_of(database: Database) -> SystemState:
    with database.transaction(SYSTEM) as session:
        return system_state(session)


def execute(address: Address, *statements: str) -> None:
    with psycopg.connect(address.dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def month(year: int, number: int) -> datetime:
    return datetime(year, number, 1, tzinfo=UTC)


def partition(start: datetime | None, end: datetime | None, table: str = "logs") -> Partition:
    return Partition(table, "a part", start, end, 0, 0)


def test_it_names_server_tables_and_indexes(database: Database) -> None:
    state = state_of(database)
    assert int(state.server.version.partition(".")[0]) >= 15
    assert state.server.revision.isdecimal()
    assert state.server.bytes > 0
    assert state.server.connections <= state.server.max_connections
    names = [table.name for table in state.tables]
    assert {"tickets", "comments", "audit_logs", "jobs.procrastinate_jobs"} <= set(names)
    assert not any(name.startswith("audit_logs_") for name in names)
    indexes = {index.name: index for index in state.indexes}
    assert indexes["pk_tickets"].table_name == "tickets"
    assert not indexes["pk_tickets"].is_unused


def test_dead_rows_and_indexes_that_are_read_show(fresh_database: Database, fresh_address: Address) -> None:
    execute(fresh_address, "insert into tags (name) select 'tag ' || n from generate_series(1, 500) n", "analyze tags",
            "set enable_seqscan = off", "select from tags where id = 7", "delete from tags where id > 400",
            "select pg_stat_force_next_flush()")  # fmt: skip
    execute(fresh_address, "vacuum analyze operations")
    state = state_of(fresh_database)
    tags = next(table for table in state.tables if table.name == "tags")
    assert (tags.row_estimate, tags.dead_rows) == (500, 100)
    assert tags.last_vacuum is None
    assert next(index for index in state.indexes if index.name == "pk_tags").scans > 0
    assert next(table for table in state.tables if table.name == "operations").last_vacuum is not None


def test_connections_and_transactions_that_take_long_show(fresh_database: Database, fresh_address: Address) -> None:
    with psycopg.connect(fresh_address.dsn, application_name="report") as connection:
        connection.execute("select 'swordfish'")
        with psycopg.connect(fresh_address.dsn, autocommit=True) as clock:
            [[pid]] = connection.execute("select pg_backend_pid()").fetchall()
            [[started]] = clock.execute("select xact_start from pg_stat_activity where pid = %s", [pid]).fetchall()
        with fresh_database.transaction(SYSTEM) as session:
            rows = session.connection().exec_driver_sql("select * from deskbell_transactions('0 seconds', 9)")
            long = [row._mapping for row in rows]
        assert [(row["pid"], row["state"], row["started_at"]) for row in long] == [
            (pid, "idle in transaction", started)
        ]
        assert "swordfish" not in str(long)
        state = state_of(fresh_database)
        assert state.transactions == ()  # not yet a minute
        assert ("report", "idle in transaction", 1) in [(c.application, c.state, c.count) for c in state.connections]


def test_who_waits_for_whom_shows(fresh_address: Address) -> None:
    waiting = Event()

    def wait() -> None:
        with psycopg.connect(fresh_address.dsn) as connection:
            connection.execute("select 1")
            waiting.set()
            connection.execute("lock table tags in access exclusive mode")

    with psycopg.connect(fresh_address.dsn) as holder:
        holder.execute("lock table tags in access exclusive mode")
        other = Thread(target=wait)
        other.start()
        assert waiting.wait(60)
        blocked: list[list[int]] = []
        with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
            while not blocked:
                rows = connection.execute("select blocked_by from deskbell_transactions('0 seconds', 9)")
                blocked = [found for (found,) in rows if found]
        assert blocked == [[holder.info.backend_pid]]
    other.join(10)


def test_the_months_ahead_are_there(database: Database) -> None:
    logs = {table.name: table for table in state_of(database).partitioned}
    assert {"audit_logs", "access_logs"} <= logs.keys()
    audit = logs["audit_logs"]
    assert audit.is_ready
    assert audit.ready_until is not None
    assert [part.name for part in audit.partitions if part.starts_at is None] == ["audit_logs_default"]


def test_months_that_are_missing_are_seen(fresh_database: Database, fresh_address: Address) -> None:
    following = (
        "to_char(date_trunc('month', now() at time zone 'UTC') + interval '1 month', '\"audit_logs_y\"YYYY\"m\"MM')"
    )
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        [[name]] = connection.execute(f"select {following}".encode()).fetchall()
        connection.execute(f"drop table {name}".encode())
    audit = next(table for table in state_of(fresh_database).partitioned if table.name == "audit_logs")
    assert (audit.is_ready, audit.months_ahead) == (False, 0)


def test_how_far_ahead_partitions_reach_is_seen_at_gaps() -> None:
    november, december = (month(2026, 11), month(2026, 12)), (month(2026, 12), month(2027, 1))
    february, default = (month(2027, 2), month(2027, 3)), (None, None)
    [gap] = by_table([partition(*each) for each in (november, december, february, default)], NOW)
    assert (gap.months_ahead, gap.ready_until, gap.is_ready) == (1, month(2027, 1), True)
    [past] = by_table([partition(month(2026, 9), month(2026, 10)), partition(*default)], NOW)
    assert (past.months_ahead, past.ready_until, past.is_ready) == (0, None, False)
    assert [table.name for table in by_table([partition(*november, "a"), partition(*november, "b")], NOW)] == ["a", "b"]


def test_disks_are_measured_where_something_lies_or_will_lie(tmp_path: Path) -> None:
    [disk] = disks({"attachments": tmp_path / "not" / "made yet"})
    assert (disk.holds, disk.path) == ("attachments", str(tmp_path / "not" / "made yet"))
    assert 0 <= disk.free <= disk.total
    file = tmp_path / "file"
    file.touch()
    assert disks({"database": file / "within"}) == ()


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AGENT])
@pytest.mark.parametrize("statement", CALLS)
def test_only_administrators_may(database: Database, factory: Factory, role: Role, statement: str) -> None:
    with pytest.raises(ForbiddenError), database.transaction(actor(factory.user(role))) as session:
        session.connection().exec_driver_sql(statement)


def test_it_takes_seven_statements_however_much_there_is(database: Database, factory: Factory) -> None:
    admin = actor(factory.user(Role.ADMIN))
    with database.transaction(admin) as session, count_statements(database.engine) as statements:
        system_state(session)
    assert len(statements) == 7
