"""Readers that ask one behind the other on one connection: each gets their own answer, whatever becomes of others."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import BigInteger, Float, Integer, String, text
from sqlalchemy.sql.expression import bindparam

from deskbell.kernel.database import Database
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.settings import DatabaseSettings

pytestmark = pytest.mark.anyio

DIVIDE = Statement(
    text("select 100 / cast(:by as integer) as found, pg_backend_pid() as pid")
    .bindparams(bindparam("by", type_=Integer))
    .columns(found=Integer, pid=BigInteger),
    prepared=True,
)
WAIT = Statement(
    text("select pg_backend_pid() as pid from pg_sleep(:seconds)")
    .bindparams(bindparam("seconds", type_=Float))
    .columns(pid=BigInteger),
    prepared=True,
)
BECOME = Statement(
    text("select set_config('role', :role, true) as a").bindparams(bindparam("role", type_=String)).columns(a=String),
    prepared=True,
)
WHO = Statement(text("select current_user as who").columns(who=String), prepared=True)
OTHERS = [
    Statement(text(f"select {n} as number").columns(number=Integer), prepared=True)  # allow: bound-parameters (numbers)
    for n in range(45)
]


async def divide(database: Database, by: int) -> tuple[int, int]:
    async with database.reading() as reading:
        found, pid = (await reading.rows(DIVIDE, {"by": by}, last=True)).row(0)
        return found, pid


async def wait(database: Database, seconds: float) -> int:
    async with database.reading() as reading:
        pid: int = (await reading.rows(WAIT, {"seconds": seconds}, last=True)).row(0)[0]
        return pid


async def who(database: Database, role: str) -> str:
    async with database.reading() as reading:
        reading.expect(BECOME, {"role": role}, lambda _: None)
        found: str = (await reading.rows(WHO, last=True)).row(0)[0]
        return found


@pytest.fixture
async def one(fresh_database: Database) -> AsyncIterator[Database]:
    """A lane with a single connection, which has learnt that the statements above are quick."""
    database = Database(fresh_database.address, DatabaseSettings(pool_size=1))
    await divide(database, 1)
    await wait(database, 0)
    await who(database, "deskbell_agent")
    yield database
    await database.aclose()
    await fresh_database.aclose()


async def test_many_readers_ask_on_one_connection_and_each_gets_their_own_answer(one: Database) -> None:
    found = await asyncio.gather(*(divide(one, by) for by in range(1, 101)))
    assert [number for number, _ in found] == [100 // by for by in range(1, 101)]
    assert len({pid for _, pid in found}) == 1


async def test_readers_ask_behind_one_another_before_the_first_is_answered(one: Database) -> None:
    """Otherwise the server sleeps between them, and so does whoever could have had their answer."""
    first, *others = (asyncio.create_task(wait(one, 0.02)) for _ in range(3))
    await asyncio.sleep(0.001)
    assert not first.done()
    assert sum(line.users for line in one.lane._joinable) == 3
    assert len({await task for task in (first, *others)}) == 1


async def test_each_of_them_is_who_they_are(one: Database) -> None:
    """What somebody becomes ends with their own transaction, though the next one is sent before."""
    roles = ["deskbell_agent", "deskbell_customer", "deskbell_admin"] * 20
    assert await asyncio.gather(*(who(one, role) for role in roles)) == roles


async def test_a_reader_whose_statement_fails_fails_alone(one: Database) -> None:
    found = await asyncio.gather(*(divide(one, by) for by in (1, 0, 2, 0, 4)), return_exceptions=True)
    assert [one[0] for one in found if isinstance(one, tuple)] == [100, 50, 25]
    assert [type(one) for one in found if not isinstance(one, tuple)] == [psycopg.errors.DivisionByZero] * 2


async def test_whoever_leaves_does_not_take_along_the_answers_of_those_behind_them(one: Database) -> None:
    leaving = asyncio.create_task(wait(one, 30))
    await asyncio.sleep(0.01)
    behind = [asyncio.create_task(divide(one, by)) for by in (1, 2, 4)]
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert [(await task)[0] for task in behind] == [100, 50, 25]
    assert (await divide(one, 5))[0] == 20


async def test_a_connection_that_is_lost_is_replaced_for_all_who_ask_on_it(one: Database) -> None:
    _, pid = await divide(one, 1)
    tasks = [asyncio.create_task(wait(one, 0.2))]
    await asyncio.sleep(0.01)
    tasks += [asyncio.create_task(wait(one, 0)) for _ in range(2)]
    await asyncio.sleep(0.01)
    async with await psycopg.AsyncConnection.connect(one.address.dsn, autocommit=True) as other:
        await other.execute("select pg_terminate_backend(%s)", (pid,))
    assert pid not in await asyncio.gather(*tasks)


async def test_nobody_waits_behind_what_was_slow(fresh_database: Database) -> None:
    database = Database(fresh_database.address, DatabaseSettings(pool_size=2))
    await divide(database, 1)
    await wait(database, 0.1)  # too slow to be waited for
    slow = asyncio.create_task(wait(database, 0.5))
    await asyncio.sleep(0.01)
    for _ in range(20):
        await asyncio.wait_for(divide(database, 1), 0.4)
    assert not slow.done()
    await slow
    await database.aclose()
    await fresh_database.aclose()


async def test_a_statement_whose_preparation_was_lost_in_front_is_run_elsewhere(one: Database) -> None:
    """Behind an error nothing is prepared, and who comes next believes that it was."""
    for statement in OTHERS:  # so that DIVIDE is forgotten
        async with one.reading() as reading:
            await reading.rows(statement, last=True)

    async def fail() -> None:
        async with one.reading() as reading:
            reading.expect(BECOME, {"role": "nobody_at_all"}, lambda _: None)
            await reading.rows(DIVIDE, {"by": 1}, last=True)

    failing = asyncio.create_task(fail())
    behind = [asyncio.create_task(divide(one, by)) for by in (2, 4)]
    assert [(await task)[0] for task in behind] == [50, 25]
    with pytest.raises(psycopg.Error):
        await failing
