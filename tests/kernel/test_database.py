"""Transactions begin with an actor and end well or not at all; connections are as the settings say, on both drivers."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from deskbell.accounts.models import Organization
from deskbell.kernel import database as module
from deskbell.kernel.actor import Actor, ActorKind, Channel, acting_as
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database, actor_of, get_async_db, get_db_session, set_default_database
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError, SetupError
from deskbell.kernel.settings import DatabaseSettings, Settings
from deskbell.testing.factories import SYSTEM
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import as_application

pytestmark = pytest.mark.anyio

COUNT = text("select count(*) from organizations where name = 'Kept'")
PARAMETERS = {
    "application_name": "deskbell",
    "statement_timeout": "7s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "1min",
    "work_mem": "32MB",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "TimeZone": "UTC",
    "jit": "off",
    "deskbell.ticket_prefix": "DB-",
}
SHOW = select(*(func.current_setting(name) for name in PARAMETERS))


@pytest.fixture
async def own(fresh_address: Address, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """A database in which commits are real."""
    settings = Settings(database=DatabaseSettings(statement_timeout=7, lock_timeout=3))
    database = open_database(fresh_address, tmp_path_factory.mktemp("files"), settings)
    yield database
    await database.aclose()


def kept(database: Database) -> int:
    with database.transaction(SYSTEM) as session:
        return int(session.scalars(COUNT).one())


def idle(database: Database) -> bool:
    """Whether every connection went back to its pool."""
    pools = database.engine.pool, database.async_engine.pool
    assert isinstance(pools[0], QueuePool)
    assert isinstance(pools[1], AsyncAdaptedQueuePool)
    return pools[0].checkedout() + pools[1].checkedout() == 0


async def test_what_ends_well_is_committed(own: Database) -> None:
    with own.transaction(SYSTEM) as session:
        session.add(Organization(name="Kept"))
    assert kept(own) == 1
    async with own.async_transaction(SYSTEM) as asynchronous:
        await asynchronous.execute(text("update organizations set shares_tickets = true"))
    async with own.async_transaction(SYSTEM) as asynchronous:
        assert (await asynchronous.execute(text("select shares_tickets from organizations"))).scalar_one()
    assert idle(own)


@pytest.mark.parametrize("error", [NotFoundError(), ZeroDivisionError(), KeyboardInterrupt()])
async def test_what_fails_is_rolled_back_and_the_connection_given_back(own: Database, error: BaseException) -> None:
    def fail(session: Session) -> None:
        session.add(Organization(name="Kept"))
        session.flush()
        raise error

    with pytest.raises(type(error)), own.transaction(SYSTEM) as session:
        fail(session)
    with pytest.raises(type(error)):
        async with own.async_transaction(SYSTEM) as asynchronous:
            await asynchronous.run_sync(fail)
    assert kept(own) == 0
    assert idle(own)


async def test_what_the_last_flush_sends_is_checked_before_the_caller_goes_on(own: Database) -> None:
    """The client must not have been told that all is well."""
    with pytest.raises(InvalidError, match="longer than allowed"), own.transaction(SYSTEM) as session:
        session.add(Organization(name="x" * 300))
    with pytest.raises(InvalidError, match="longer than allowed"):
        async with own.async_transaction(SYSTEM) as asynchronous:
            asynchronous.add(Organization(name="x" * 300))
    assert idle(own)


async def test_without_an_actor_every_statement_is_refused(own: Database) -> None:
    with own.sessions() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("select 1 from tickets"))
    with pytest.raises(RuntimeError, match="no actor"), own.sessions() as session:
        actor_of(session)


async def test_an_actor_that_the_database_does_not_know_gets_nowhere(own: Database) -> None:
    """The statement that says who acts fails: nothing runs as whoever the connection was."""

    class Stranger(Actor):
        role = "deskbell_owner"

    with pytest.raises(ForbiddenError), own.transaction(Stranger(ActorKind.SYSTEM)) as session:
        session.execute(text("select 1"))
    with pytest.raises(ForbiddenError):
        async with own.async_transaction(Stranger(ActorKind.SYSTEM)) as asynchronous:
            await asynchronous.execute(text("select 1"))
    assert idle(own)


async def test_connections_are_as_the_settings_say(own: Database) -> None:
    with own.transaction(SYSTEM) as session:
        assert dict(zip(PARAMETERS, session.execute(SHOW).one(), strict=True)) == PARAMETERS
    async with own.async_transaction(SYSTEM) as asynchronous:
        assert dict(zip(PARAMETERS, (await asynchronous.execute(SHOW)).one(), strict=True)) == PARAMETERS


async def test_a_name_with_a_space_or_a_backslash_is_taken_as_it_is(clone_address: Address) -> None:
    address = as_application(clone_address)
    database = Database(address, DatabaseSettings(application_name="my \\ desk -c jit=on"))
    query = text("select current_setting('application_name'), current_setting('jit')")
    with database.transaction(SYSTEM) as session:
        assert tuple(session.execute(query).one()) == ("my \\ desk -c jit=on", "off")
    async with database.async_transaction(SYSTEM) as asynchronous:
        assert tuple((await asynchronous.execute(query)).one()) == ("my \\ desk -c jit=on", "off")
    await database.aclose()


@pytest.mark.parametrize(("profile", "size", "overflow"), [("standard", 10, 20), ("production", 20, 40)])
async def test_pools_have_the_sizes_that_were_promised(profile: str, size: int, overflow: int) -> None:
    settings = DatabaseSettings.model_validate({"profile": profile})
    database = Database(Address("localhost", 5432, "x", "x", "x"), settings)
    for pool in (database.engine.pool, database.async_engine.pool):
        assert isinstance(pool, QueuePool | AsyncAdaptedQueuePool)
        assert (pool.size(), pool._max_overflow, pool._timeout, pool._recycle) == (size, overflow, 30, 3600)
        assert pool._pre_ping


async def test_sessions_neither_flush_nor_expire_by_themselves(own: Database) -> None:
    with own.transaction(SYSTEM) as session:
        assert (session.autoflush, session.expire_on_commit) == (False, False)
    async with own.async_transaction(SYSTEM) as asynchronous:
        assert (asynchronous.sync_session.autoflush, asynchronous.sync_session.expire_on_commit) == (False, False)


async def test_a_connection_that_the_server_ended_is_replaced_unnoticed(own: Database, fresh_address: Address) -> None:
    with own.transaction(SYSTEM) as session:
        session.execute(text("select 1"))
    async with own.async_transaction(SYSTEM) as asynchronous:
        await asynchronous.execute(text("select 1"))
    admin = Database(fresh_address, DatabaseSettings(application_name="admin"))
    with admin.engine.connect() as connection:
        ended = connection.execute(
            text(
                "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
                " where usename = 'deskbell_app' and datname = current_database()"
            )
        )
        assert ended.scalar_one() == 2
    admin.close()
    assert kept(own) == 0
    async with own.async_transaction(SYSTEM) as asynchronous:
        assert (await asynchronous.execute(COUNT)).scalar_one() == 0


async def test_scripts_and_requests_use_the_default_database_as_the_actor_of_the_block(own: Database) -> None:
    agent = Actor(ActorKind.SYSTEM, None, Channel.CLI, act="script")
    set_default_database(own)
    try:
        with get_db_session(agent) as session:
            assert actor_of(session) is agent
            session.add(Organization(name="Kept"))
        with acting_as(agent), get_db_session() as session:
            assert session.scalars(COUNT).one() == 1
        with acting_as(agent):
            async for asynchronous in get_async_db():
                assert actor_of(asynchronous.sync_session) is agent
                await asynchronous.execute(text("delete from team_members"))
        with pytest.raises(RuntimeError, match="nobody acts"), get_db_session():
            pass
    finally:
        set_default_database(None)
    assert idle(own)


async def test_without_an_open_database_the_helpers_say_so() -> None:
    assert module._default is None
    with pytest.raises(SetupError, match="No database is open"), get_db_session(SYSTEM):
        pass
