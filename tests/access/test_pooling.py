"""Trap 13: on a pooled connection nobody inherits who the last one was, whichever way their transaction ended."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.settings import DatabaseSettings, Settings
from deskbell.testing.plugin import open_database
from tests.access.world import World

WHO_AM_I = text(
    "select current_user, session_user, coalesce(current_setting('deskbell.actor', true), '') as actor,"
    " coalesce(current_setting('deskbell.operation', true), '') as operation, pg_backend_pid() as backend"
)
NOBODY = ("deskbell_app", "deskbell_app", "", "")
ONE_CONNECTION = Settings(database=DatabaseSettings(pool_size=1, max_overflow=0))


@pytest.fixture
def single(world: World, tmp_path: Path) -> Iterator[Database]:
    database = open_database(world.address, tmp_path, ONE_CONNECTION)
    yield database
    database.close()


@pytest.fixture
async def async_single(world: World, tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(world.address, tmp_path, ONE_CONNECTION)
    yield database
    await database.aclose()


def end(how: str) -> None:
    """End a transaction: by itself, by an error of the program, or by one of the application."""
    if how == "error":
        raise InvalidError("to be rolled back")
    if how == "crash":
        raise ZeroDivisionError


@pytest.mark.parametrize("how", ["commit", "error", "crash"])
def test_the_next_one_on_the_connection_is_nobody(single: Database, world: World, how: str) -> None:
    agent = Actor(ActorKind.AGENT, world.ids["agent"], Channel.API)
    backend = None
    try:
        with single.transaction(agent) as session:
            session.execute(text("update organizations set name = name"))
            backend = session.execute(WHO_AM_I).one().backend
            end(how)
    except (InvalidError, ZeroDivisionError):
        pass
    with single.engine.connect() as connection:
        row = connection.execute(WHO_AM_I).one()
        assert (*row[:4], row.backend) == (*NOBODY, backend)
        with pytest.raises(ProgrammingError, match="permission denied for table tickets"):
            connection.execute(text("select 1 from tickets"))


def test_the_next_one_is_nobody_after_the_database_refused_a_statement(single: Database, world: World) -> None:
    agent = Actor(ActorKind.AGENT, world.ids["agent"], Channel.API)
    with pytest.raises(ForbiddenError), single.transaction(agent) as session:
        session.execute(text("delete from tickets"))
    with single.engine.connect() as connection:
        assert tuple(connection.execute(WHO_AM_I).one())[:4] == NOBODY


def test_a_prepared_statement_shows_each_customer_their_own_rows(single: Database, world: World) -> None:
    """The plan is kept on the connection; the policies in it must not be those of whoever came first."""
    numbers = world.numbers
    for _ in range(8):  # psycopg prepares at the fifth time
        for name in ("anna", "bert"):
            with single.transaction(Actor(ActorKind.CUSTOMER, world.ids[name], Channel.API)) as session:
                found = set(session.scalars(text("select ticket_number from tickets where creator_id = creator_id")))
                assert numbers[name] in found
                assert numbers["bert" if name == "anna" else "anna"] not in found
        with single.transaction(Actor(ActorKind.AGENT, world.ids["agent"], Channel.API)) as session:
            assert set(session.scalars(text("select ticket_number from tickets"))) == set(numbers.values())


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["commit", "error", "crash"])
async def test_the_next_one_on_an_asynchronous_connection_is_nobody(
    async_single: Database, world: World, how: str
) -> None:
    agent = Actor(ActorKind.AGENT, world.ids["agent"], Channel.API)
    backend = None
    try:
        async with async_single.async_transaction(agent) as session:
            backend = (await session.execute(WHO_AM_I)).one().backend
            end(how)
    except (InvalidError, ZeroDivisionError):
        pass
    async with async_single.async_engine.connect() as connection:
        row = (await connection.execute(WHO_AM_I)).one()
        assert (*row[:4], row.backend) == (*NOBODY, backend)
        with pytest.raises(ProgrammingError, match="permission denied for table tickets"):
            await connection.execute(text("select 1 from tickets"))
