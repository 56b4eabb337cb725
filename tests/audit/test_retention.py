"""Months of both logs that are dropped by retention: which, by whom, and what it costs those who read meanwhile."""
# ruff: noqa: S608 - the names in the statements are constants of this file

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.audit.retention import LOGS, parts, prune, removed_before
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ConflictError
from deskbell.kernel.resources import RESOURCES_KEY
from deskbell.kernel.upkeep import make_partitions
from deskbell.testing.factories import Factory, actor
from deskbell.testing.servers import as_application
from deskbell.tickets.as_of import as_of
from deskbell.tickets.changes import change_ticket
from deskbell.tickets.errors import PastRemovedError
from deskbell.tickets.history import REMOVED, history_page

JOB = Actor.system(Channel.JOB, cause="job:audit.prune_logs")
PATIENCE = 9.0
"""Seconds; it gives up after a quarter of one."""
KEEP = {"audit_logs": 6, "access_logs": 1}
COLUMNS = {
    "audit_logs": (
        "(created_at, operation_id, channel, table_name, record_id, action)",
        "%s, 1, 'sql', 'tags', 1, 'UPDATE'",
        "created_at",
    ),
    "access_logs": (
        "(at, role, channel, act, kind, query, address, request_id)",
        "%s, 'agent', 'api', '', 'ticket', '', '', ''",
        "at",
    ),
}


@pytest.fixture
def admin(fresh_address: Address) -> Iterator[psycopg.Connection]:
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


@pytest.fixture
def desk(fresh_database: Database) -> Database:
    """A desk that keeps as little as can be."""
    resources = fresh_database._info[RESOURCES_KEY]
    fresh_database._info[RESOURCES_KEY] = replace(
        resources,  # type: ignore[type-var]
        audit_months=KEEP["audit_logs"],
        access_months=KEEP["access_logs"],
    )
    return fresh_database


def month_ago(number: int) -> datetime:
    """The first moment of the month so many months ago."""
    year, month = divmod(datetime.now(UTC).year * 12 + datetime.now(UTC).month - 1 - number, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def add(admin: psycopg.Connection, log: str, at: datetime) -> None:
    columns, values, _ = COLUMNS[log]
    admin.execute(f"insert into {log} {columns} values ({values})".encode(), (at,))


def make(database: Database) -> int:
    with database.transaction(JOB) as session:
        return make_partitions(session)


def pruned(database: Database, *, dry_run: bool = False) -> list[tuple[str, datetime | None, int]]:
    with database.transaction(JOB) as session:
        return [(part.log, part.first, part.entries) for part in prune(session, dry_run=dry_run)]


def times(admin: psycopg.Connection, log: str) -> list[datetime]:
    key = COLUMNS[log][2]
    query = f"select {key} from {log} where {'true' if log == 'access_logs' else 'action <> $$PRUNE$$'} order by 1"
    return [at for (at,) in admin.execute(query.encode())]


@pytest.mark.parametrize("log", LOGS)
def test_a_month_goes_when_its_last_moment_is_as_old_as_what_is_kept(
    desk: Database, admin: psycopg.Connection, log: str
) -> None:
    """To the microsecond, in UTC: with six months kept, the seventh month before this one is gone, the sixth is not."""
    kept = month_ago(KEEP[log])
    last_of_before, first = kept - timedelta(microseconds=1), kept
    for at in (month_ago(KEEP[log] + 3), last_of_before, first):
        add(admin, log, at)
    assert make(desk) == 3
    gone = [(log, month_ago(KEEP[log] + 3), 1), (log, month_ago(KEEP[log] + 1), 1)]
    assert pruned(desk, dry_run=True) == gone
    assert times(admin, log)[:3] == [month_ago(KEEP[log] + 3), last_of_before, first]
    assert pruned(desk) == gone
    assert times(admin, log)[0] == first
    assert pruned(desk) == []


def test_what_is_kept_forever_stays(fresh_database: Database, admin: psycopg.Connection) -> None:
    for log in LOGS:
        add(admin, log, month_ago(500))
    make(fresh_database)
    assert pruned(fresh_database) == []


def test_what_was_dropped_stands_in_the_audit_log(desk: Database, admin: psycopg.Connection) -> None:
    for log in LOGS:
        add(admin, log, month_ago(9))
    make(desk)
    pruned(desk)
    query = "select table_name, record_id, action, cause, changes ->> 'entries' from audit_logs where action = 'PRUNE'"
    month = int(f"{month_ago(9):%Y%m}")
    assert sorted(admin.execute(query)) == [(log, month, "PRUNE", JOB.cause, "1") for log in sorted(LOGS)]


@pytest.mark.parametrize(
    ("log", "months"),
    [("tickets", 12), ("audit_logs_default", 12), ("audit_logs", 5), ("audit_logs", -1), ("access_logs", 0)],
)
def test_the_limits_hold_whoever_calls(desk: Database, log: str, months: int) -> None:
    with pytest.raises(Exception, match="months"), desk.transaction(JOB) as session:
        session.connection().exec_driver_sql("select deskbell_prune_partitions(%s, %s, false)", (log, months))


@pytest.mark.parametrize("arguments", [{"log": None, "months": 12}, {"log": "audit_logs", "months": None}], ids=str)
def test_nothing_said_is_nothing_allowed(desk: Database, arguments: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="months"), desk.transaction(JOB) as session:
        session.execute(text("select deskbell_prune_partitions(:log, :months, false)"), arguments)


@pytest.mark.parametrize("log", LOGS)
def test_the_default_partition_is_never_dropped_and_old_rows_in_it_find_their_month(
    desk: Database, admin: psycopg.Connection, log: str
) -> None:
    """The worker stood still for months: what was written then is moved first, and dropped with its month."""
    add(admin, log, month_ago(20))
    assert pruned(desk) == []
    with desk.transaction(JOB) as session:
        assert [part.entries for part in parts(session) if part.log == log and part.first is None] == [1]
    make(desk)
    assert [(name, at) for name, at, _ in pruned(desk)] == [(log, month_ago(20))]
    with desk.transaction(JOB) as session:
        assert {part.log for part in parts(session) if part.first is None} == set(LOGS)


def test_both_logs_have_the_same_months_without_a_gap(desk: Database) -> None:
    make(desk)
    with desk.transaction(JOB) as session:
        found = {log: [(p.first, p.last) for p in parts(session) if p.log == log and p.first] for log in LOGS}
    assert found["audit_logs"] == found["access_logs"]
    assert found["audit_logs"][0][0] == month_ago(0)
    assert len(found["audit_logs"]) == 4


def test_two_that_prune_at_once_drop_it_once(desk: Database, admin: psycopg.Connection) -> None:
    add(admin, "access_logs", month_ago(5))
    make(desk)
    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(_attempt, desk) for _ in range(2)]
        found = [each.result(timeout=60) for each in outcomes]
    assert sum(len(each or ()) for each in found) == 1
    assert pruned(desk) == []
    [(count,)] = admin.execute("select count(*) from audit_logs where action = 'PRUNE'")
    assert count == 1


def _attempt(desk: Database) -> list[Any] | None:
    try:
        return pruned(desk)
    except ConflictError:  # it would have had to wait
        return None


@pytest.mark.parametrize("log", LOGS)
def test_a_long_reader_is_not_disturbed_and_nobody_queues_behind_the_attempt(
    desk: Database, fresh_address: Address, admin: psycopg.Connection, log: str
) -> None:
    add(admin, log, month_ago(9))
    make(desk)
    with psycopg.connect(as_application(fresh_address).dsn) as reader:
        for name, value in Actor.system().settings().items():
            reader.execute("select set_config(%s, %s, true)", (name, value))
        reader.execute(f"select count(*) from {log}".encode())
        began = perf_counter()
        with pytest.raises(ConflictError):
            pruned(desk)
        assert perf_counter() - began < PATIENCE
        reader.execute(f"select count(*) from {log}".encode())
        admin.execute("set statement_timeout = '5s'")
        add(admin, log, datetime.now(UTC))  # a writer is not held up either
    assert [name for name, _, _ in pruned(desk)] == [log]


def test_history_and_as_of_say_what_they_cannot_know(desk: Database, admin: psycopg.Connection) -> None:
    factory = Factory(desk)
    agent, ticket, newer = factory.user(Role.AGENT), factory.ticket(), None
    admin.execute("set session_replication_role = replica")
    admin.execute("update audit_logs set created_at = %s", (month_ago(8) + timedelta(days=3),))
    admin.execute("update tickets set created_at = %s", (month_ago(8),))
    admin.execute("set session_replication_role = origin")
    newer = factory.ticket()
    with desk.transaction(actor(agent)) as session:
        change_ticket(session, ticket.ticket_number, {"title": "Changed"})
    before = month_ago(7) - timedelta(hours=1)
    with desk.transaction(actor(agent)) as session:
        assert removed_before(session, "tickets", ticket.id) is None
        assert [act.summary for act in history_page(session, ticket.ticket_number).items][-1] == "opened the ticket"
        as_of(session, ticket.ticket_number, before)
    make(desk)
    assert len(pruned(desk)) == 1
    with desk.transaction(actor(agent)) as session:
        acts = history_page(session, ticket.ticket_number).items
        assert [(act.summary, act.at) for act in acts[1:]] == [(REMOVED, month_ago(7))]
        assert acts[0].summary == "changed title"
        with pytest.raises(PastRemovedError, match="retention"):
            as_of(session, ticket.ticket_number, before)
        assert as_of(session, ticket.ticket_number, month_ago(7)).ticket.title != "Changed"
        assert history_page(session, newer.ticket_number).items[-1].summary == "opened the ticket"
        with pytest.raises(Exception, match="not before"):
            as_of(session, newer.ticket_number, before)
