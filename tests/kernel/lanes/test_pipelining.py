"""Pipelined sessions: what is written in them is kept whole or not at all, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import psycopg
import pytest
from sqlalchemy import BigInteger, Integer, String, bindparam, insert, select, text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Organization
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, UnavailableError
from deskbell.kernel.inserting import insert_one
from deskbell.kernel.lanes.pipelining import NotPipelinedError, PipelinedSession, run
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.settings import DatabaseSettings
from deskbell.testing.factories import SYSTEM

pytestmark = pytest.mark.anyio

_ACT = Statement(
    text(
        "select set_config('role', :role, true) as a, set_config('deskbell.channel', 'cli', true) as b,"
        " set_config('deskbell.act', 'test', true) as c"
    ).columns(a=String, b=String, c=String),
    prepared=True,
)
_ADD = Statement(insert(Organization.__table__).returning(Organization.id), prepared=True, columns=("name",))  # type: ignore[arg-type]
_HALF = Statement(select((bindparam("of", type_=Integer) // 2).label("half")), prepared=True)
_SLOW = Statement(text("select pg_sleep(30)::text as waited").columns(waited=String))
_SELF = Statement(text("select pg_backend_pid() as pid").columns(pid=BigInteger))


def add(session: Session, *, last: bool) -> object:
    return run(session, _ADD, {"name": "A"}, last=last).one()


def acting(session: PipelinedSession) -> None:
    session.expect(_ACT, {"role": SYSTEM.role}, lambda _: None)


async def do(database: Database, work: Callable[[PipelinedSession], object]) -> object:
    def whole(session: PipelinedSession) -> object:
        acting(session)
        return work(session)

    return await database.run_pipelined(SYSTEM, whole)


async def names(database: Database) -> list[str]:
    async with database.async_transaction(Actor.system(Channel.CLI, act="look")) as session:
        return list(await session.scalars(select(Organization.name).order_by(Organization.id)))


@pytest.fixture
async def database(fresh_database: Database) -> AsyncIterator[Database]:
    yield fresh_database
    await fresh_database.aclose()


async def test_what_is_written_is_kept(database: Database) -> None:
    def add(session: Session) -> int:
        found: int = run(session, _ADD, {"name": "Acme"}).scalar_one()
        return found

    assert isinstance(await do(database, add), int)
    assert await names(database) == ["Acme"]


async def test_what_nobody_looks_at_is_written_too(database: Database) -> None:
    await do(database, lambda session: [run(session, _ADD, {"name": name}) for name in ("One", "Two")] and None)
    assert await names(database) == ["One", "Two"]


async def test_an_entity_comes_back_with_what_the_database_made_of_it(database: Database) -> None:
    def add(session: Session) -> Organization:
        return insert_one(session, Organization, {"name": "Acme", "shares_tickets": True})

    made = await do(database, add)
    assert isinstance(made, Organization)
    assert (made.name, made.shares_tickets, made.created_at.utcoffset() is not None) == ("Acme", True, True)


async def test_an_error_of_ones_own_keeps_nothing(database: Database) -> None:
    def fail(session: Session) -> None:
        run(session, _ADD, {"name": "Acme"}).one()
        raise ValueError

    with pytest.raises(ValueError):
        await do(database, fail)
    assert await names(database) == []


@pytest.mark.parametrize("looks", [True, False], ids=["looked at", "not looked at"])
async def test_a_statement_that_fails_keeps_nothing_of_what_came_before(database: Database, *, looks: bool) -> None:
    def add(session: Session) -> None:
        run(session, _ADD, {"name": "Acme"})
        again = run(session, _ADD, {"name": "acme"})
        if looks:
            again.one()

    with pytest.raises(DeskbellError):
        await do(database, add)
    assert await names(database) == []
    await do(database, lambda session: run(session, _ADD, {"name": "Next"}).one())
    assert await names(database) == ["Next"]


async def test_what_is_refused_at_the_commit_is_no_success(database: Database, deskbell_fresh_address: Address) -> None:
    """Otherwise a program is told that its ticket is there, and it is not."""
    with psycopg.connect(deskbell_fresh_address.dsn, autocommit=True) as admin:
        admin.execute("create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$")
        admin.execute(
            "create constraint trigger refuse after insert on organizations deferrable initially deferred"
            " for each row execute function refuse()"
        )
    for last in (True, False):
        with pytest.raises(psycopg.errors.RaiseException):
            await do(database, partial(add, last=last))
    assert await names(database) == []


async def test_what_needs_more_than_such_a_session_can_do_is_refused_before_anything_is_kept(
    database: Database,
) -> None:
    def more(session: Session) -> None:
        run(session, _ADD, {"name": "Acme"}).one()
        session.scalars(select(Organization)).all()

    with pytest.raises(NotPipelinedError):
        await do(database, more)
    assert await names(database) == []


async def test_a_connection_that_was_lost_before_the_commit_asks_for_an_ordinary_session(database: Database) -> None:
    def cut(session: Session) -> None:
        pid = run(session, _SELF, {}).scalar_one()
        with psycopg.connect(database.address.dsn) as other:
            other.execute("select pg_terminate_backend(%s)", (pid,))
        run(session, _ADD, {"name": "Acme"}).one()

    with pytest.raises(NotPipelinedError):
        await do(database, cut)
    assert await names(database) == []


async def test_whoever_leaves_takes_along_what_they_had_begun(database: Database) -> None:
    def slowly(session: Session) -> None:
        run(session, _ADD, {"name": "Acme"})
        run(session, _SLOW, {}).one()

    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await do(database, slowly)
    assert await names(database) == []
    assert await do(database, lambda session: run(session, _HALF, {"of": 14}).scalar_one()) == 7


async def test_many_at_once_each_get_their_own_answer(database: Database) -> None:
    async def one(n: int) -> bool:
        return await do(database, lambda session: run(session, _HALF, {"of": 2 * n}).scalar_one()) == n

    assert all(await asyncio.gather(*(one(n) for n in range(200))))


async def test_nobody_acts_after_somebody_did(database: Database) -> None:
    """A connection is given to the next one as if nobody had acted on it."""
    small = Database(database.address, DatabaseSettings(pool_size=1))
    who = Statement(text("select current_setting('role') as role").columns(role=String))
    assert await small.run_pipelined(SYSTEM, lambda session: run(session, who, {}).scalar_one()) == "none"
    await do(small, lambda session: run(session, _HALF, {"of": 2}).one())
    assert await small.run_pipelined(SYSTEM, lambda session: run(session, who, {}).scalar_one()) == "none"
    await small.aclose()


async def test_who_finds_all_connections_in_use_is_told_so(database: Database) -> None:
    small = Database(database.address, DatabaseSettings(pool_size=1, pool_timeout=0.1))
    slow = asyncio.create_task(do(small, lambda session: run(session, _SLOW, {}).one()))
    await asyncio.sleep(0.05)
    with pytest.raises(UnavailableError, match="in use"):
        await do(small, lambda session: run(session, _HALF, {"of": 2}).one())
    slow.cancel()
    await asyncio.wait([slow])
    await small.aclose()
