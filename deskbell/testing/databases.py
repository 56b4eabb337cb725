"""A Database whose transactions all end in a rollback: one connection, and savepoints where the code commits.

`join_transaction_mode="create_savepoint"`: otherwise an IntegrityError in the code under test would lose the rows of
the fixtures, and the next commit would leak into the next test.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, sessionmaker

from deskbell.kernel.database import ACTOR_KEY, ActorSession, Database, act_as
from deskbell.kernel.lanes.pipelining import NotPipelinedError
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.session_reading import SessionReading

_TURN = "deskbell.turn"
_NOBODY = text(
    "select set_config('role', 'none', true), set_config('deskbell.actor', '', true),"
    " set_config('deskbell.cause', '', true), set_config('deskbell.operation', '', true)"
)


@dataclass(eq=False)
class _Turn:
    """Which session said last who acts on the connection."""

    session: Session | None = None


class SharedSession(ActorSession):
    """One of several on a connection. It says again who acts where another one worked in between."""

    def begin(self, nested: bool = False) -> SessionTransaction:  # noqa: FBT001, FBT002 - SQLAlchemy's
        """Set the savepoint now and not when it is first needed: so they lie within each other as the blocks do."""
        transaction = super().begin(nested)
        self.connection()
        return transaction


@contextmanager
def rolling_back(database: Database) -> Iterator[Database]:
    """Yield the same database through one connection, and take back all that happened there.

    Its asynchronous sessions are refused: they would be another connection's, and commit for real.
    """
    with database.engine.connect() as connection:
        outer = connection.begin()
        inner = copy(database)
        inner.sessions = sessionmaker(connection, class_=SharedSession, **_options(database))
        inner.async_sessions = inner.reading = inner.run_pipelined = _refuse  # type: ignore[assignment, method-assign]  # never returns
        try:
            yield inner
        finally:
            outer.rollback()


@asynccontextmanager
async def async_rolling_back(database: Database) -> AsyncIterator[Database]:
    """Do the same for the asynchronous world, where the synchronous sessions are refused."""
    async with database.async_engine.connect() as connection:
        outer = await connection.begin()
        inner = copy(database)
        inner.async_sessions = async_sessionmaker(connection, sync_session_class=SharedSession, **_options(database))
        inner.sessions = _refuse  # type: ignore[assignment]  # never returns
        inner.reading = partial(_reading, inner)  # type: ignore[method-assign]  # the lanes have other connections
        inner.run_pipelined = _not_pipelined  # type: ignore[method-assign, assignment]  # never returns
        try:
            yield inner
        finally:
            await outer.rollback()


@asynccontextmanager
async def _reading(database: Database) -> AsyncIterator[Reading]:
    async with database.async_unidentified_transaction() as session:
        yield SessionReading(session)


async def _not_pipelined(*_: object) -> NoReturn:
    raise NotPipelinedError


def _options(database: Database) -> dict[str, Any]:
    options = database.session_options
    return {**options, "join_transaction_mode": "create_savepoint", "info": {**options["info"], _TURN: _Turn()}}


def _refuse(**_: object) -> NoReturn:
    message = "this database is rolled back through one connection, which the other world's sessions cannot share"
    raise RuntimeError(message)


@event.listens_for(SharedSession, "after_begin")
def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if not transaction.nested:
        if ACTOR_KEY not in session.info:  # a real commit would have forgotten who acted before
            connection.execute(_NOBODY)
        session.info[_TURN].session = session


@event.listens_for(SharedSession, "do_orm_execute")
def _before_statement(state: ORMExecuteState) -> None:
    _take_turn(state.session)


@event.listens_for(SharedSession, "before_flush")
def _before_flush(session: Session, *_: object) -> None:
    _take_turn(session)


@event.listens_for(SharedSession, "after_soft_rollback")
def _after_rollback(session: Session, _: SessionTransaction) -> None:
    """Forget whose turn it was: PostgreSQL goes back to whoever acted before the savepoint."""
    session.info[_TURN].session = None


def _take_turn(session: Session) -> None:
    connection = session.connection()
    if session.info[_TURN].session is not session:
        actor = session.info.get(ACTOR_KEY)
        if actor is None:
            connection.execute(_NOBODY)
        else:
            act_as(connection, actor)
        session.info[_TURN].session = session
