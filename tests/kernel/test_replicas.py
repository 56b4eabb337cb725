"""A real standby answers questions about many tickets, never with less than its asker knows, never with an error."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import InvalidError, UnavailableError
from deskbell.kernel.replay import position_of
from deskbell.kernel.replica_states import replica_states
from deskbell.kernel.replicas import Standbys
from deskbell.kernel.settings import DatabaseSettings
from deskbell.search.models import SavedView
from deskbell.search.view_counts import count_views
from deskbell.testing.factories import SYSTEM, actor
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import as_application
from deskbell.tickets.models import Ticket
from deskbell.tickets.statistics import get_ticket_statistics
from tests.replication import Standby, execute, factory_on, standby_of

pytestmark = pytest.mark.anyio
Pair = tuple[Database, Standby]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
EVER = LONG_AGO, LONG_AGO + timedelta(days=3000)


def opened(primary: Address, folder: Path, *standbys: Address, max_lag: float = 10) -> Database:
    """The application's way to the primary, and to these standbys."""
    plain = open_database(primary, folder)
    database = Database(
        plain.address,
        DatabaseSettings(),
        constraint_errors=plain.constraint_errors,
        standbys=Standbys(tuple(as_application(address) for address in standbys), max_lag),
    )
    database._info = plain._info
    return database


@pytest.fixture
def database(replicated: tuple[Address, Standby], tmp_path: Path) -> Iterator[Database]:
    """A database with a standby, in which commits are real and stay."""
    primary, standby = replicated
    database = opened(primary, tmp_path, standby.address)
    yield database
    database.close()


@pytest.fixture
def standby(replicated: tuple[Address, Standby]) -> Standby:
    return replicated[1]


@contextmanager
def paused(standby: Standby) -> Iterator[None]:
    """Hold up the replay; what is written meanwhile waits."""
    standby.execute("select pg_wal_replay_pause()")
    try:
        yield
    finally:
        standby.execute("select pg_wal_replay_resume()")


def wake(database: Database) -> None:
    """Let the time pass for which replicas rest."""
    for replica in database.replicas:
        replica._rests_until = 0


def is_replica(session: Session) -> bool:
    return bool(session.scalar(text("select pg_is_in_recovery()")))


def tickets(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Ticket)) or 0


def where(database: Database, who: Actor = SYSTEM) -> str:
    return "replica" if database.evaluate(who, is_replica) else "primary"


def test_figures_come_from_the_replica(database: Database) -> None:
    assert where(database) == "replica"


async def test_figures_come_from_the_replica_on_the_event_loop_too(database: Database) -> None:
    assert await database.async_evaluate(SYSTEM, is_replica)
    await database.aclose()


def test_what_was_written_a_moment_ago_is_counted_on_the_replica(database: Database) -> None:
    factory = factory_on(database)
    customer = factory.user()
    before = database.evaluate(SYSTEM, tickets)
    for further in range(1, 21):
        factory.ticket(customer)
        found, on_replica = database.evaluate(SYSTEM, lambda session: (tickets(session), is_replica(session)))
        assert (found, on_replica) == (before + further, True)


async def test_what_was_written_a_moment_ago_is_counted_on_the_event_loop_too(database: Database) -> None:
    customer = factory_on(database).user()
    before = await database.async_evaluate(SYSTEM, tickets)
    for further in range(1, 11):
        factory_on(database).ticket(customer)
        assert await database.async_evaluate(SYSTEM, tickets) == before + further
    await database.aclose()


def test_statistics_write_nothing_and_count_what_was_written_a_moment_ago(database: Database) -> None:
    def figures(session: Session) -> tuple[int, bool]:
        return get_ticket_statistics(session, *EVER).total, is_replica(session)

    before, _ = database.evaluate(SYSTEM, figures)
    factory_on(database).ticket()
    assert database.evaluate(SYSTEM, figures) == (before + 1, True)


def test_a_replica_that_replays_late_is_waited_for(database: Database, standby: Standby) -> None:
    customer = factory_on(database).user()
    before = database.evaluate(SYSTEM, tickets)
    with delayed(standby, "300ms"):
        factory_on(database).ticket(customer)
        found = database.evaluate(SYSTEM, lambda session: (tickets(session), is_replica(session)))
    assert found == (before + 1, True)


def test_where_the_replay_is_paused_the_primary_answers_with_all_that_was_written(
    database: Database, standby: Standby
) -> None:
    customer = factory_on(database).user()
    before = database.evaluate(SYSTEM, tickets)
    with paused(standby):
        factory_on(database).ticket(customer)
        assert database.evaluate(SYSTEM, tickets) == before + 1
        assert where(database) == "primary"


@contextmanager
def delayed(standby: Standby, delay: str) -> Iterator[None]:
    """Replay commits only when they are so old."""
    for setting in (f"alter system set recovery_min_apply_delay = '{delay}'", "select pg_reload_conf()"):
        standby.execute(setting)
    until(lambda: standby.execute("show recovery_min_apply_delay") == [(delay,)])
    try:
        yield
    finally:
        for setting in ("alter system reset recovery_min_apply_delay", "select pg_reload_conf()"):
            standby.execute(setting)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_longer_than_the_lag_that_a_replica_may_have_is_waited(
    replicated: tuple[Address, Standby], tmp_path: Path
) -> None:
    primary, standby = replicated
    database = opened(primary, tmp_path, standby.address, max_lag=2)
    customer = factory_on(database).user()
    standby.catch_up()
    with delayed(standby, "1min"):
        factory_on(database).ticket(customer)
        began = time.monotonic()
        assert where(database) == "primary"
        assert time.monotonic() - began >= 2
        began = time.monotonic()
        assert where(database) == "primary"  # at once: it rests
        assert time.monotonic() - began < 2
    database.close()


def test_a_replica_that_came_back_is_of_use_again_and_both_are_said_once(
    database: Database, standby: Standby, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "deskbell.kernel.replicas")
    with paused(standby):
        execute(standby.primary, "select pg_logical_emit_message(true, 'test', 'written')")
        for _ in range(3):
            assert where(database) == "primary"
            wake(database)
    assert [where(database) for _ in range(3)] == ["replica"] * 3
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "pause" in said[0]
    assert "of use again" in said[1]
    assert standby.address.password not in "".join(said)


def test_where_the_log_has_just_begun_a_new_file_the_replica_has_replayed_all(
    database: Database, standby: Standby
) -> None:
    def is_empty_file() -> bool:
        standby.catch_up()  # which begins a new file; now and then the server itself adds something at once
        with database.transaction(SYSTEM) as session:
            return position_of(session).lsn % (16 * 1024 * 1024) == 0

    until(is_empty_file)
    assert where(database) == "replica"


def test_people_see_on_the_replica_what_is_theirs(database: Database) -> None:
    factory = factory_on(database)
    kim, agent = factory.user(), factory.user(Role.AGENT)
    factory.ticket(kim)
    factory.ticket()
    everything = database.evaluate(SYSTEM, tickets)

    def seen(who: Actor) -> tuple[int, bool, str]:
        def look(session: Session) -> tuple[int, bool, str]:
            return tickets(session), is_replica(session), str(session.scalar(text("select current_user")))

        return database.evaluate(who, look)

    assert seen(actor(kim)) == (1, True, "deskbell_customer")
    assert seen(actor(agent)) == (everything, True, "deskbell_agent")


def test_views_are_counted_on_the_replica(database: Database) -> None:
    factory_on(database).ticket()
    view = SavedView(id=1, name="all", query="status:open", sort="")

    def counted(session: Session) -> tuple[int | None, bool]:
        [found] = count_views(session, [view])
        return found.count, is_replica(session)

    with database.transaction(SYSTEM) as session:
        [expected] = count_views(session, [view])
    assert database.evaluate(SYSTEM, counted) == (expected.count, True)


def test_the_replicas_sessions_cannot_write(database: Database) -> None:
    standby = database.standbys[0]
    with pytest.raises(UnavailableError, match="read-only"), standby.transaction(SYSTEM) as session:
        session.execute(text("update tickets set title = 'x'"))


def test_what_is_wrong_with_the_question_is_said_and_not_asked_again(database: Database) -> None:
    asked = []

    def wrong(session: Session) -> None:
        asked.append(is_replica(session))
        raise InvalidError("No such day.")

    with pytest.raises(InvalidError, match="No such day"):
        database.evaluate(SYSTEM, wrong)
    assert asked == [True]
    assert where(database) == "replica"


def test_a_question_that_takes_too_long_does_not_go_on_to_the_primary(database: Database) -> None:
    asked = []

    def slow(session: Session) -> None:
        asked.append(is_replica(session))
        session.execute(text("set local statement_timeout = '50ms'"))
        session.execute(text("select pg_sleep(60)"))

    with pytest.raises(UnavailableError, match="too long"):
        database.evaluate(SYSTEM, slow)
    assert asked == [True]


def test_a_question_that_the_replay_is_in_the_way_of_is_answered_by_the_primary(
    database: Database, standby: Standby
) -> None:
    """A query conflicts with recovery when what it reads is removed on the primary."""
    standby.execute("alter system set max_standby_streaming_delay = '50ms'")
    standby.execute("select pg_reload_conf()")
    execute(standby.primary, "create table doomed as select 1 as n; grant select on doomed to public")
    asked = []

    def long(session: Session) -> int:
        asked.append(is_replica(session))
        if asked[-1]:
            session.execute(text("select * from doomed")).all()
            execute(standby.primary, "drop table doomed")
            session.execute(text("select pg_sleep(30)"))
        return 7

    try:
        assert database.evaluate(SYSTEM, long) == 7
        assert asked == [True, False]
        assert where(database) == "replica"  # it is not at fault
    finally:
        standby.execute("alter system reset max_standby_streaming_delay")
        standby.execute("select pg_reload_conf()")


async def test_a_replica_that_is_killed_halfway_leaves_the_question_to_the_primary(
    replicated: tuple[Address, Standby], tmp_path: Path
) -> None:
    with standby_of(replicated[0]) as standby:
        database = opened(replicated[0], tmp_path, standby.address)
        asked: list[bool] = []

        def long(session: Session) -> int:
            asked.append(is_replica(session))
            if asked[-1]:
                threading.Timer(0.1, standby.kill).start()
                session.execute(text("select pg_sleep(60)"))
            return 7

        assert await database.async_evaluate(SYSTEM, long) == 7
        assert asked == [True, False]
        assert not await database.async_evaluate(SYSTEM, is_replica)
        [state] = await asyncio.to_thread(replica_states, database)
        assert (state.is_reachable, state.problem) == (False, "does not answer")
        standby.start()
        assert database.evaluate(SYSTEM, is_replica) is False  # it rests
        wake(database)
        assert await database.async_evaluate(SYSTEM, is_replica)

        asked.clear()
        assert database.evaluate(SYSTEM, long) == 7  # and in the other world
        assert asked == [True, False]
        await database.aclose()


async def test_a_replica_that_says_nothing_is_not_waited_for(
    replicated: tuple[Address, Standby], tmp_path: Path
) -> None:
    with standby_of(replicated[0]) as standby:
        cold, warm = (opened(replicated[0], tmp_path, standby.address, max_lag=1) for _ in range(2))
        assert await warm.async_evaluate(SYSTEM, is_replica)  # so that a connection is open already
        standby.signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert not await warm.async_evaluate(SYSTEM, is_replica)
            assert not await asyncio.to_thread(cold.evaluate, SYSTEM, is_replica)
            assert time.monotonic() - began < 30
        finally:
            standby.signal(signal.SIGCONT)
        cold.close()
        await warm.aclose()


def test_a_replica_that_was_promoted_is_not_asked(replicated: tuple[Address, Standby], tmp_path: Path) -> None:
    with standby_of(replicated[0]) as standby:
        database = opened(replicated[0], tmp_path, standby.address)
        assert where(database) == "replica"
        standby.execute("select pg_promote()")
        assert where(database) == "primary"
        [state] = replica_states(database)
        assert (state.is_reachable, state.is_standby) == (True, False)
        assert "not a standby" in (state.problem or "")
        database.close()


def test_a_standby_of_what_was_promoted_is_not_asked_as_it_tells_another_story(
    replicated: tuple[Address, Standby], tmp_path: Path
) -> None:
    with standby_of(replicated[0]) as promoted:
        promoted.execute("select pg_promote()")
        with standby_of(promoted.address) as stranger:
            database = opened(replicated[0], tmp_path, stranger.address)
            assert where(database) == "primary"
            assert "does not follow" in (replica_states(database)[0].problem or "")
            database.close()


def test_the_copy_of_another_database_is_not_asked(replicated: tuple[Address, Standby], tmp_path: Path) -> None:
    primary, standby = replicated
    database = opened(primary, tmp_path, standby.address.to_database("postgres"), max_lag=0)
    assert where(database) == "primary"
    assert replica_states(database)[0].problem == "is a copy of another database"
    database.close()


def test_where_one_replica_is_away_another_answers(replicated: tuple[Address, Standby], tmp_path: Path) -> None:
    primary, standby = replicated
    away = Address(str(tmp_path), 5432, "deskbell", "x", "x")
    database = opened(primary, tmp_path, away, standby.address)
    assert [where(database) for _ in range(4)] == ["replica"] * 4
    assert [state.is_reachable for state in replica_states(database)] == [False, True]
    database.close()


def test_the_state_tells_how_far_behind_a_replica_is(replicated: tuple[Address, Standby], tmp_path: Path) -> None:
    primary, standby = replicated
    database = opened(primary, tmp_path, standby.address, max_lag=0)
    standby.catch_up()
    [state] = replica_states(database)
    assert (state.lag_bytes, state.lag_seconds, state.problem) == (0, 0.0, None)
    assert state.name == str(as_application(standby.address))
    execute(primary, "select pg_logical_emit_message(true, 'test', 'before')")
    standby.catch_up()
    with delayed(standby, "1min"):
        execute(primary, "select pg_logical_emit_message(true, 'test', 'waits, and so does what follows')")
        execute(primary, "select pg_logical_emit_message(true, 'test', repeat('x', 10000))")
        execute(primary, "select pg_sleep(0.2)")
        [state] = replica_states(database)
    assert state.lag_bytes is not None
    assert 10_000 < state.lag_bytes < 1_000_000
    assert state.lag_seconds is not None
    assert 0.2 <= state.lag_seconds < 30
    assert (state.is_standby, state.problem) == (True, "lies too far behind")
    database.close()


def test_many_ask_at_once(database: Database) -> None:
    found: list[Any] = []

    def ask() -> None:
        found.append(database.evaluate(Actor.system(Channel.CLI), is_replica))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def test_a_desk_without_replicas_asks_the_primary_in_one_transaction(fresh_database: Database) -> None:
    assert not fresh_database.replicas
    assert where(fresh_database) == "primary"
