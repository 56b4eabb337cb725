"""What the database's errors mean to a person, on both drivers: by SQLSTATE, never with its text."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from deskbell.accounts.errors import EmailTakenError, NameTakenError
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ConflictError, DeskbellError, ForbiddenError, InvalidError, UnavailableError
from deskbell.kernel.settings import DatabaseSettings, Settings
from deskbell.testing.factories import SYSTEM
from deskbell.testing.plugin import open_database

pytestmark = pytest.mark.anyio

Send = Callable[..., Awaitable[None]]
HIDDEN = "what the server says"


@pytest.fixture
async def opened(clone_address: Address, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    settings = Settings(database=DatabaseSettings(lock_timeout=1, statement_timeout=5))
    database = open_database(clone_address, tmp_path_factory.mktemp("files"), settings)
    yield database
    await database.aclose()


@pytest.fixture(params=["psycopg", "asyncpg"])
def send(request: pytest.FixtureRequest, opened: Database) -> Send:
    """Send statements in one transaction as the system, on one driver and then, in a run of its own, on the other."""

    async def by_psycopg(*statements: str) -> None:
        with opened.transaction(SYSTEM) as session:
            for statement in statements:
                session.execute(text(statement))

    async def by_asyncpg(*statements: str) -> None:
        async with opened.async_transaction(SYSTEM) as session:
            for statement in statements:
                await session.execute(text(statement))

    return by_psycopg if request.param == "psycopg" else by_asyncpg


async def error_of(send: Send, *statements: str) -> DeskbellError:
    with pytest.raises(DeskbellError) as raised:
        await send(*statements)
    assert raised.value.__cause__ is not None  # for the log
    return raised.value


USER = "insert into users (email) values ('a@example.test'), ('A@example.test')"


@pytest.mark.parametrize(
    ("statement", "kind", "part"),
    [
        (USER, EmailTakenError, "Somebody with this e-mail address"),
        ("insert into teams (name) values ('x'), ('X')", NameTakenError, "team of this name"),
        ("insert into users (email) values ('nobody')", InvalidError, "not an e-mail address"),
        ("insert into tickets (title, creator_id) values ('x', 0)", InvalidError, "no such requester"),
        ("insert into comments (content, ticket_id, author_id) values ('x', 0, 0)", InvalidError, "does not exist"),
        ("insert into tickets (title) values ('x')", InvalidError, "required value is missing"),
        ("insert into organizations (name) values (repeat('x', 256))", InvalidError, "longer than allowed"),
        ("select 9223372036854775807 + 1", InvalidError, "number is larger"),
        ("delete from tickets", ForbiddenError, "may not do this"),
    ],
)
async def test_a_refused_statement_says_what_was_wrong(
    send: Send, statement: str, kind: type[DeskbellError], part: str
) -> None:
    error = await error_of(send, statement)
    assert type(error) is kind
    assert part in error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("23505", ConflictError),
        ("23503", InvalidError),
        ("23514", InvalidError),
        ("40001", ConflictError),
        ("40P01", ConflictError),
        ("42501", ForbiddenError),
        ("53100", UnavailableError),
        ("53300", UnavailableError),
        ("57P03", UnavailableError),
        ("58030", UnavailableError),
    ],
)
async def test_no_word_of_the_server_reaches_a_person(send: Send, code: str, kind: type[DeskbellError]) -> None:
    raising = f"do $$ begin raise exception '{HIDDEN}' using errcode = '{code}', detail = '{HIDDEN}'; end $$"
    error = await error_of(send, raising)
    assert type(error) is kind
    assert HIDDEN in str(error.__cause__)
    assert HIDDEN not in f"{error} {error.message} {error.details}"


async def test_a_mistake_in_the_program_is_not_dressed_up(send: Send) -> None:
    with pytest.raises(DBAPIError):
        await send("select nonsense from nowhere")


async def test_a_database_that_is_read_only_says_so(send: Send) -> None:
    error = await error_of(send, "set transaction read only", "insert into tags (name) values ('x')")
    assert (type(error), "read-only" in error.message) == (UnavailableError, True)


async def test_a_statement_that_takes_too_long_is_given_up(send: Send) -> None:
    error = await error_of(send, "set local statement_timeout = '20ms'", "select pg_sleep(5)")
    assert (type(error), "too long" in error.message) == (UnavailableError, True)


async def test_who_waits_too_long_for_a_lock_is_told_to_try_again(send: Send, opened: Database) -> None:
    with opened.transaction(SYSTEM) as session:
        session.execute(text("select pg_advisory_xact_lock(4711)"))
        error = await error_of(send, "set local lock_timeout = '20ms'", "select pg_advisory_xact_lock(4711)")
    assert (type(error), "Somebody else" in error.message) == (ConflictError, True)


async def test_a_server_that_goes_away_meanwhile_is_unavailable(send: Send) -> None:
    error = await error_of(send, "set local role none", "select pg_terminate_backend(pg_backend_pid())")
    assert (type(error), "does not answer" in error.message) == (UnavailableError, True)


@pytest.mark.parametrize("change", [{"host": "/nowhere"}, {"password": "wrong"}, {"database": "no_such"}])
async def test_a_server_that_cannot_be_reached_is_unavailable(opened: Database, change: dict[str, str]) -> None:
    fields = {name: getattr(opened.address, name) for name in ("host", "port", "database", "user", "password")}
    database = Database(Address(**{**fields, **change}), opened.settings)
    with pytest.raises(UnavailableError), database.transaction(SYSTEM) as session:
        session.execute(text("select 1"))
    with pytest.raises(UnavailableError):
        async with database.async_transaction(SYSTEM) as asynchronous:
            await asynchronous.execute(text("select 1"))
    await database.aclose()
