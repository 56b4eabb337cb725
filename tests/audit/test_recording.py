"""Readings on their way into the access log: off the reader's path, in batches, and never lost in silence."""
# ruff: noqa: S608 - the names in the statements are constants of this file

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from deskbell.accounts.models import Role
from deskbell.audit.models import AccessKind
from deskbell.audit.recording import BATCH, QUERY_LENGTH, AccessRecorder, Reading, asked
from deskbell.kernel.actor import Actor, ActorKind
from deskbell.kernel.address import Address
from deskbell.kernel.clock import FixedClock
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError
from deskbell.testing.factories import SYSTEM, Factory, actor

NOW = datetime.now(UTC)
LONG = 3600.0
"""Seconds: nothing is written but by `flush` and `close`."""


def reading(**facts: Any) -> Reading:
    usual = Reading(NOW, None, None, "agent", "api", "GET /api/v1/tickets/{number}", AccessKind.TICKET)
    return usual._replace(**facts)


@pytest.fixture
def recorder(fresh_database: Database) -> Iterator[AccessRecorder]:
    recorder = AccessRecorder(fresh_database, clock=FixedClock(NOW), room=100, every=LONG)
    yield recorder
    recorder.close()


@pytest.fixture
def admin(fresh_address: Address) -> Iterator[psycopg.Connection]:
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        yield connection


def entries(admin: psycopg.Connection, columns: str = "kind, shown") -> list[Any]:
    return admin.execute(f"select {columns} from access_logs order by id".encode()).fetchall()


def test_what_a_reading_names_is_found_out_when_it_is_written(
    recorder: AccessRecorder, fresh_database: Database, admin: psycopg.Connection
) -> None:
    factory = Factory(fresh_database)
    ticket, agent = factory.ticket(), factory.user(Role.AGENT)
    token = factory.token(agent)
    recorder.add(
        reading(user_id=agent.id, secret=hash_token(token), number=f" {ticket.ticket_number.lower()}", address="::1")
    )
    recorder.add(reading(number="DB-999999", secret=b"none"))
    recorder.flush()
    [(token_id,)] = admin.execute("select id from api_tokens").fetchall()
    assert entries(admin, "user_id, token_id, session_id, ticket_id, address, at") == [
        (agent.id, token_id, None, ticket.id, "::1", NOW),
        (None, None, None, None, "", NOW),
    ]


def test_many_readings_are_one_statement_a_batch_in_their_order(
    recorder: AccessRecorder, fresh_database: Database, admin: psycopg.Connection
) -> None:
    recorder._room = 10 * BATCH
    for number in range(BATCH + 1):
        recorder.add(reading(shown=number))
    statements: list[str] = []
    event.listen(fresh_database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    recorder.flush()
    assert len([sql for sql in statements if "deskbell_record_access" in sql]) == 2
    assert [shown for _, shown in entries(admin)] == list(range(BATCH + 1))


def test_an_entry_is_there_without_anybody_asking_for_it(fresh_database: Database, admin: psycopg.Connection) -> None:
    recorder = AccessRecorder(fresh_database, clock=FixedClock(NOW), room=100, every=0.01)
    written = Event()
    event.listen(fresh_database.engine, "commit", lambda _: written.set())
    recorder.add(reading())
    assert written.wait(60)
    recorder.close()
    assert entries(admin) == [("ticket", None)]


def test_closing_writes_what_is_left_and_does_not_wait_for_the_next_time(
    fresh_database: Database, admin: psycopg.Connection
) -> None:
    recorder = AccessRecorder(fresh_database, clock=FixedClock(NOW), room=100, every=LONG)
    recorder.add(reading(shown=7))
    recorder.close()
    assert entries(admin) == [("ticket", 7)]
    recorder.add(reading(shown=8))  # a request that was still in flight
    recorder.close()
    assert entries(admin) == [("ticket", 7), ("ticket", 8)]


def test_what_finds_no_room_is_counted_in_a_line_and_in_the_log_itself(
    recorder: AccessRecorder, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(103):
        recorder.add(reading())
    recorder.flush()
    assert len(entries(admin)) == 101
    assert entries(admin)[-1] == ("lost", 3)
    assert "3 entries were lost" in caplog.text


def test_while_the_database_is_away_entries_wait_for_it(
    recorder: AccessRecorder, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        recorder.add(reading(shown=number))
    admin.execute("alter role deskbell_app connection limit 0")
    try:
        with caplog.at_level(logging.WARNING):
            recorder._database.engine.dispose()
            recorder.flush()
            recorder.flush()
    finally:
        admin.execute("alter role deskbell_app connection limit -1")
    assert caplog.text.count("3 entries wait for the database") == 1
    recorder.flush()
    assert [shown for _, shown in entries(admin)] == [0, 1, 2]


def test_what_is_left_when_the_process_ends_without_a_database_is_counted(
    recorder: AccessRecorder, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.add(reading())
    admin.execute("alter role deskbell_app connection limit 0")
    try:
        recorder._database.engine.dispose()
        recorder.close()
    finally:
        admin.execute("alter role deskbell_app connection limit -1")
    assert "1 entries were lost: the database is away" in caplog.text
    assert entries(admin) == []


def test_one_entry_that_is_refused_takes_no_other_with_it(
    recorder: AccessRecorder, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.add(reading(shown=1))
    recorder.add(reading(channel="x" * 1000))
    recorder.add(reading(shown=2))
    recorder.flush()
    assert entries(admin) == [("ticket", 1), ("ticket", 2), ("lost", 1)]
    assert "refused" in caplog.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"", ""),
        ("status:open  tag:x", "status:open tag:x"),
        (b"limit=5&status=open&q=refund%20now&cursor=abc", "refund now status=open"),
        (b"q=%00a%ff", "a\ufffd"),
        (b"email=kim%40example.org", "email=kim@example.org"),
        (b"%", ""),
    ],
)
def test_what_was_asked_is_kept_as_people_write_it(given: str | bytes, kept: str) -> None:
    assert asked(given) == kept


@pytest.mark.parametrize(
    "query",
    ["x" * 100_000, b"q=" + b"x" * 100_000, b"&".join([b"a=1"] * 30_000)],
    ids=["text", "one parameter", "many parameters"],
)
def test_a_long_query_is_cut(query: str | bytes) -> None:
    assert 0 < len(asked(query)) <= QUERY_LENGTH


def test_whatever_somebody_sends_can_be_stored(recorder: AccessRecorder, admin: psycopg.Connection) -> None:
    odd = "\0\ud800\u202e\n" + "é" * 5000
    recorder.add(reading(query=odd, number=odd, address=odd, act=odd))
    recorder.flush()
    assert [kind for kind, _ in entries(admin)] == ["ticket"]


ONE = (
    "select deskbell_record_access("
    """'[["2026-11-23T05:00:00Z",1,null,"admin","api","","ticket",null,null,"",1,"",""]]')"""
)
BY_HAND = (
    "insert into access_logs (at, role, channel, act, kind, query, address, request_id)"
    " values (now(), '', '', '', '', '', '', '')"
)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AGENT, Role.ADMIN])
def test_nobody_forges_an_entry(database: Database, factory: Factory, role: Role) -> None:
    who = actor(factory.user(role))
    for statement in (
        ONE,
        BY_HAND,
        "update access_logs set kind = kind",
        "delete from access_logs",
        "select deskbell_prune_partitions('access_logs', 12, true)",
    ):
        with pytest.raises(ForbiddenError), database.transaction(who) as session:
            session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement", ["update access_logs set kind = kind", "delete from access_logs", "truncate access_logs"]
)
def test_the_system_too_can_only_add(database: Database, statement: str) -> None:
    with pytest.raises(ForbiddenError), database.transaction(SYSTEM) as session:
        session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("kind", "may"), [(ActorKind.CUSTOMER, False), (ActorKind.AGENT, False), (ActorKind.ADMIN, True)]
)
def test_administrators_alone_read_it(database: Database, kind: ActorKind, *, may: bool) -> None:
    who = Actor(kind, 1)
    with database.transaction(SYSTEM) as session:
        session.connection().exec_driver_sql(ONE)
    if may:
        with database.transaction(who) as session:
            assert session.connection().exec_driver_sql("select count(*) from access_logs").scalar() == 1
    else:
        with pytest.raises(ForbiddenError), database.transaction(who) as session:
            session.connection().exec_driver_sql("select count(*) from access_logs")
