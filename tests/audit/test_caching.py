"""Remembered answers are the answers: whoever asks, however the data changed, and whoever is changing it just now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.audit.caching import MOST_PASSED, Question, cached
from deskbell.kernel.actor import Actor
from deskbell.kernel.address import Address
from deskbell.kernel.cache import Cache
from deskbell.kernel.database import Database
from deskbell.kernel.settings import CacheSettings
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.plugin import open_database
from deskbell.testing.statements import count_statements
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus
from deskbell.tickets.statistics import TicketStatistics, get_ticket_statistics
from tests.redis_server import RedisServer, redis_server

NOW = datetime.now(UTC)
PERIOD = (NOW - timedelta(days=1), NOW + timedelta(days=1))
PATIENT = 1.0
"""Seconds: this machine may be busy, and here nothing is told apart by time."""


@dataclass
class World:
    """A desk with a cache, and the same desk without."""

    database: Database
    plain: Database
    owner: psycopg.Connection[Any]
    other: psycopg.Connection[Any]
    third: psycopg.Connection[Any]
    redis: RedisServer
    tickets: list[int]
    agent: Actor
    agent_id: int
    customer: User

    def figures(self, who: Actor | None = None) -> TicketStatistics:
        with self.database.transaction(who or self.agent) as session:
            return get_ticket_statistics(session, *PERIOD)

    def true_figures(self, who: Actor | None = None) -> TicketStatistics:
        with self.plain.transaction(who or self.agent) as session:
            return get_ticket_statistics(session, *PERIOD)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def world(fresh_address: Address, redis: RedisServer, tmp_path: Path) -> Iterator[World]:
    redis.flush()
    cache = Cache(CacheSettings(url=SecretStr(redis.url), timeout=PATIENT), b"for tests alone" * 3)
    database = open_database(fresh_address, tmp_path, cache=cache)
    plain = open_database(fresh_address, tmp_path)
    factory = Factory(plain)
    agent, customer = factory.user(Role.AGENT, full_name="Anna"), factory.user()
    tickets = [factory.ticket(customer).id for _ in range(3)]
    tickets += [factory.ticket().id]
    connect = psycopg.connect
    with (
        connect(fresh_address.dsn, autocommit=True) as owner,
        connect(fresh_address.dsn) as other,
        connect(fresh_address.dsn) as third,
    ):
        yield World(database, plain, owner, other, third, redis, tickets, actor(agent), agent.id, customer)
    for each in (database, plain):
        each.close()
    cache.close()


def test_an_answer_is_found_again_without_computing_it(world: World) -> None:
    with count_statements(world.database.engine) as first:
        figures = world.figures()
    with count_statements(world.database.engine) as again:
        assert world.figures() == figures == world.true_figures()
    assert len(again) == 2, "to say who acts, and to ask the audit log"
    assert len(first) > len(again)
    assert not any("status" in statement for statement in again)


def resolved_by_the_orm(world: World) -> None:
    with world.plain.transaction(world.agent) as session:
        session.scalars(select(Ticket).where(Ticket.id == world.tickets[0])).one().status = TicketStatus.RESOLVED


def changed_in_bulk(world: World) -> None:
    with world.plain.transaction(world.agent) as session:
        session.execute(update(Ticket).values(priority=TicketPriority.URGENT))


def changed_in_sql_by_the_owner(world: World) -> None:
    world.owner.execute("update tickets set assignee_id = %s", [world.agent_id])


def opened(world: World) -> None:
    Factory(world.plain).ticket(world.customer)


def renamed(world: World) -> None:
    changed_in_sql_by_the_owner(world)
    world.figures()
    world.owner.execute("update users set full_name = 'Berta' where id = %s", [world.agent_id])


CHANGES = [resolved_by_the_orm, changed_in_bulk, changed_in_sql_by_the_owner, opened, renamed]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_whichever_way_it_came(world: World, change: Callable[[World], None]) -> None:
    before = world.figures()
    change(world)
    assert world.figures() == world.true_figures() != before
    with count_statements(world.database.engine) as again:
        world.figures()
    assert len(again) == 2


def test_what_was_open_while_an_answer_was_computed_is_seen_when_it_is_committed(world: World) -> None:
    """Its rows in the log are older than the newest that could be seen, and its number may be above all that ended."""
    world.other.execute("update tickets set priority = 'urgent' where id = %s", [world.tickets[0]])
    world.owner.execute("update tickets set priority = 'low' where id = %s", [world.tickets[1]])
    early = world.figures()
    assert early == world.true_figures()
    world.other.commit()
    assert world.figures() == world.true_figures() != early


def test_what_began_last_and_is_open_is_seen_though_no_snapshot_tells_of_it(world: World) -> None:
    """The order of the numbers of transactions is not that of the ids in the log."""
    with world.owner.transaction():
        world.owner.execute("select pg_current_xact_id()")
        world.other.execute("update tickets set priority = 'urgent' where id = %s", [world.tickets[0]])
        world.owner.execute("update tickets set priority = 'low' where id = %s", [world.tickets[1]])
    early = world.figures()
    world.other.commit()
    assert world.figures() == world.true_figures() != early


def test_what_is_committed_while_an_answer_is_computed_makes_it_invalid(world: World) -> None:
    question = Question("sum", {}, ("tickets",), TypeAdapter(int))

    def count(database: Database, *, meanwhile: Callable[[], object]) -> int:
        with database.transaction(SYSTEM) as session:

            def compute() -> int:
                found = session.scalar(text("select count(*) from tickets where priority = 'low'"))
                meanwhile()
                return int(found or 0)

            return cached(session, question, compute)

    low = "update tickets set priority = 'low'"
    assert count(world.database, meanwhile=lambda: world.owner.execute(low)) == 0
    assert count(world.database, meanwhile=lambda: None) == len(world.tickets)


STEPS = st.lists(st.sampled_from(("ask", "write 0", "write 1", "end 0", "end 1", "undo 0", "undo 1")), max_size=25)
TALLY = text("select coalesce(string_agg(title, ',' order by id), '') from tickets")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["write 0", "write 1", "end 1", "ask", "end 0", "ask"])
@given(STEPS)
def test_in_any_order_of_events_the_answer_is_the_true_one(world: World, steps: list[str]) -> None:
    """Two writers whose transactions overlap in any way, and one who asks in between."""
    writers = (world.other, world.third)
    question = Question("tally", {}, ("tickets",), TypeAdapter(str))
    write = "update tickets set title = title || 'x' where id = %s"
    for step in [*steps, "ask", "end 0", "ask", "end 1", "ask"]:
        what, _, which = step.partition(" ")
        match what:
            case "write":
                writers[int(which)].execute(write, [world.tickets[int(which)]])
            case "end":
                writers[int(which)].commit()
            case "undo":
                writers[int(which)].rollback()
            case _:
                with world.database.transaction(world.agent) as session:
                    answer = cached(session, question, partial(_tally, session))
                assert answer == world.owner.execute(f"{TALLY}").fetchall()[0][0]


def _tally(session: Session) -> str:
    return str(session.scalar(TALLY))


def test_what_may_yet_be_rolled_back_is_not_stored(world: World) -> None:
    with world.database.transaction(world.agent) as session:
        session.execute(update(Ticket).values(priority=TicketPriority.LOW))
        own = get_ticket_statistics(session, *PERIOD)
        assert own.priority_counts[TicketPriority.LOW] == len(world.tickets)
        session.rollback()
    assert world.redis.values() == {}
    assert world.figures() == world.true_figures() != own


def test_one_sees_ones_own_changes(world: World) -> None:
    before = world.figures()
    with world.database.transaction(world.agent) as session:
        session.execute(update(Ticket).values(priority=TicketPriority.LOW))
        assert get_ticket_statistics(session, *PERIOD) != before
        session.rollback()
    assert world.figures() == before


def test_a_transaction_with_a_snapshot_of_its_own_does_without(world: World) -> None:
    with world.database.transaction(world.agent) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        before = session.scalar(text("select count(*) from tickets"))
        opened(world)
        after = world.figures()
        assert get_ticket_statistics(session, *PERIOD).total == before == after.total - 1
    assert world.figures() == after


def test_what_only_an_old_snapshot_shows_is_not_stored(world: World) -> None:
    """There no lock would be left of what this snapshot does not see."""
    world.other.execute("update tickets set priority = 'urgent' where id = %s", [world.tickets[0]])
    world.owner.execute("update tickets set priority = 'low' where id = %s", [world.tickets[1]])
    with world.database.transaction(world.agent) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        world.other.commit()
        old = get_ticket_statistics(session, *PERIOD)
    assert world.figures() == world.true_figures() != old


def test_a_customer_gets_their_own_figures_and_leaves_none_behind(world: World) -> None:
    assert world.figures().total == 4
    stored = world.redis.values()
    assert len(stored) == 1
    assert world.figures(actor(world.customer)).total == 3
    assert world.redis.values() == stored
    with world.database.transaction(actor(world.customer)) as session, pytest.raises(Exception, match="audit_logs"):
        session.execute(text("select from audit_logs"))  # could not ask whether an answer still holds


def test_each_kind_of_staff_has_answers_of_its_own(world: World) -> None:
    for who in (world.agent, SYSTEM, actor(Factory(world.plain).user(Role.ADMIN))):
        assert world.figures(who) == world.true_figures(who)
    assert len(world.redis.values()) == 3


def test_days_begin_where_one_is(world: World) -> None:
    assert world.figures() == world.figures()
    with world.database.transaction(world.agent) as session:
        get_ticket_statistics(session, NOW.date(), NOW.date() + timedelta(days=1))
    elsewhere = Actor(world.agent.kind, world.agent.user_id, time_zone="Pacific/Kiritimati")
    with world.database.transaction(elsewhere) as session:
        get_ticket_statistics(session, NOW.date(), NOW.date() + timedelta(days=1))
    assert len(world.redis.values()) == 3


def test_changes_of_other_tables_do_no_harm_until_they_are_many(world: World) -> None:
    tag = "insert into tags (name, color) select 'tag ' || i, '#000000' from generate_series(%s::int, %s::int) i"
    world.figures()
    world.owner.execute(tag, [1, MOST_PASSED])
    with count_statements(world.database.engine) as few:
        world.figures()
    world.owner.execute(tag, [MOST_PASSED + 1, MOST_PASSED + 1])
    with count_statements(world.database.engine) as many:
        world.figures()
    assert len(few) == 2 < len(many)


def test_the_answers_of_another_log_do_not_hold(world: World) -> None:
    """As after a backup was restored: the ids that come now were given out before, for something else."""
    [(newest,)] = world.owner.execute("select max(id) from audit_logs").fetchall()
    changed_in_bulk(world)
    after = world.figures()
    with world.owner.transaction():
        world.owner.execute("set local session_replication_role = replica")
        world.owner.execute("update tickets set priority = 'medium'")
        world.owner.execute("delete from audit_logs where id > %s", [newest])
        world.owner.execute("select setval(pg_get_serial_sequence('audit_logs', 'id'), %s)", [newest])
    world.owner.execute("insert into tags (name, color) select 'tag ' || i, '#000000' from generate_series(1, 9) i")
    assert world.figures() == world.true_figures() != after
