"""The read lane when things go wrong: readers that leave, statements that fail, too many at once."""

import asyncio

import psycopg
import pytest
from sqlalchemy import Integer, text

from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, ForbiddenError, UnavailableError
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.settings import DatabaseSettings

pytestmark = pytest.mark.anyio


def number(sql: str) -> Statement:
    return Statement(text(sql).columns(number=Integer))


SLOWLY = Statement(text("select cast(:n as integer) as number from pg_sleep(0.002)").columns(number=Integer))


async def read(database: Database, sql: str) -> int:
    async with database.reading() as reading:
        rows = await reading.rows(number(sql), last=True)
        found: int = rows.row(0)[0]
        return found


@pytest.fixture
async def lane(fresh_database: Database) -> Database:
    return fresh_database


async def test_whoever_leaves_takes_their_answer_along(lane: Database) -> None:
    """Otherwise the next reader on that connection is given a stranger's rows."""
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await read(lane, "select 666 as number from pg_sleep(0.3)")
        assert [await read(lane, f"select {n} as number") for n in range(5)] == list(range(5))
    await lane.aclose()


async def test_a_failing_statement_leaves_the_next_reader_alone(lane: Database) -> None:
    for _ in range(3):
        with pytest.raises(psycopg.errors.DivisionByZero):
            await read(lane, "select 1 / 0 as number")
        assert await read(lane, "select 7 as number") == 7
    await lane.aclose()


async def test_nobody_reads_a_table_before_somebody_acts(lane: Database) -> None:
    with pytest.raises(ForbiddenError):
        await read(lane, "select count(*) as number from tickets")
    await lane.aclose()


async def test_nothing_can_be_written_on_the_lane(lane: Database) -> None:
    with pytest.raises(DeskbellError):
        await read(lane, "select deskbell_index_tickets(array[1]) as number")
    await lane.aclose()


async def test_many_readers_at_once_each_get_their_own_answer(lane: Database) -> None:
    async def one(n: int) -> bool:
        async with lane.reading() as reading:
            rows = await reading.rows(SLOWLY, {"n": n}, last=True)
            return bool(rows.row(0)[0] == n)

    assert all(await asyncio.gather(*(one(n) for n in range(200))))
    await lane.aclose()


async def test_who_finds_all_connections_in_use_is_told_so(lane: Database) -> None:
    settings = DatabaseSettings(pool_size=1, pool_timeout=0.1)
    small = Database(lane.address, settings)
    slow = asyncio.create_task(read(small, "select 1 as number from pg_sleep(2)"))
    await asyncio.sleep(0.1)
    with pytest.raises(UnavailableError, match="in use"):
        await read(small, "select 2 as number")
    assert await slow == 1
    await small.aclose()
    await lane.aclose()


async def test_a_place_goes_to_whoever_waits_though_others_gave_up_before(lane: Database) -> None:
    small = Database(lane.address, DatabaseSettings(pool_size=1, pool_timeout=60))
    async with small.reading():
        impatient, patient = (asyncio.create_task(read(small, f"select {n} as number")) for n in (1, 2))
        await asyncio.sleep(0)  # both have begun, and wait
        impatient.cancel()
    assert await patient == 2
    assert impatient.cancelled()
    await small.aclose()
    await lane.aclose()


async def test_a_place_that_comes_to_who_is_cancelled_just_then_goes_on_to_the_next(lane: Database) -> None:
    small = Database(lane.address, DatabaseSettings(pool_size=1, pool_timeout=60))
    async with small.reading():
        waiting = [asyncio.create_task(read(small, f"select {n} as number")) for n in (1, 2)]
        await asyncio.sleep(0)
    waiting[0].cancel()  # the place is theirs already, but they have not woken up
    assert await waiting[1] == 2
    assert await read(small, "select 3 as number") == 3
    await small.aclose()
    await lane.aclose()


PREPARED = [
    Statement(text(f"select {n} as number").columns(number=Integer), prepared=True)  # allow: bound-parameters (numbers)
    for n in range(60)
]


@pytest.mark.parametrize("known", [3, 50], ids=["few statements are prepared", "the names are used up"])
async def test_a_failure_before_a_preparation_gives_nobody_another_statements_rows(lane: Database, known: int) -> None:
    """What follows an error in a pipeline is not run: a name would stand for what was prepared under it before."""
    small = Database(lane.address, DatabaseSettings(pool_size=1))
    for n in range(known):
        async with small.reading() as reading:
            assert (await reading.rows(PREPARED[n], last=True)).row(0) == (n,)
    for _ in range(2):
        async with small.reading() as reading:
            reading.expect(number("select 1 / 0 as number"), {}, lambda _: None)
            with pytest.raises(psycopg.errors.DivisionByZero):
                await reading.rows(PREPARED[55], last=True)
        async with small.reading() as reading:
            assert (await reading.rows(PREPARED[55], last=True)).row(0) == (55,)
    await small.aclose()
    await lane.aclose()


async def test_who_acts_is_checked_again_on_the_connection_that_replaces_another(lane: Database) -> None:
    """Otherwise a secret that was revoked just then would still be good for one page."""
    await read(lane, "select 1 as number")
    checked = []
    async with lane.reading() as reading:
        reading.expect(number("select 1 as number"), {}, lambda rows: checked.append(rows.row(0)))
        with pytest.raises(psycopg.Error):
            await reading.rows(number("select pg_terminate_backend(pg_backend_pid())::int as number"), last=True)
    assert checked == [(1,), (1,)]
    await lane.aclose()
