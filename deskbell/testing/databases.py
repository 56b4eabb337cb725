"""A Database whose transactions all end in a rollback: one outer transaction, and savepoints where the code commits.

`join_transaction_mode="create_savepoint"`: otherwise an IntegrityError in the code under test would lose the rows of
the fixtures, and the next commit would leak into the next test.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.orm import sessionmaker

from deskbell.kernel.database import ActorSession, Database


class RollbackDatabase(Database):
    """The same database through one synchronous connection that is rolled back in the end."""

    connection: Connection

    @cached_property
    def sessions(self) -> sessionmaker[ActorSession]:
        """The session maker; what it commits is a savepoint."""
        return sessionmaker(
            self.connection,
            class_=ActorSession,
            autoflush=False,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
            info=dict(self._info),
        )


class AsyncRollbackDatabase(Database):
    """The same database through one asynchronous connection that is rolled back in the end."""

    async_connection: AsyncConnection

    @cached_property
    def async_sessions(self) -> async_sessionmaker[AsyncSession]:
        """The session maker; what it commits is a savepoint."""
        return async_sessionmaker(
            self.async_connection,
            sync_session_class=ActorSession,
            autoflush=False,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
            info=dict(self._info),
        )

    @asynccontextmanager
    async def async_unidentified_transaction(self) -> AsyncIterator[AsyncSession]:
        """Forget first who acted in the savepoint before, as a real commit does."""
        async with super().async_unidentified_transaction() as session:
            await session.execute(_NOBODY)
            yield session


_NOBODY = text(
    "select set_config('role', 'none', true), set_config('deskbell.actor', '', true),"
    " set_config('deskbell.cause', '', true), set_config('deskbell.operation', '', true)"
)


@contextmanager
def rolling_back(database: Database) -> Iterator[RollbackDatabase]:
    """Yield a database on the engine of `database`, and take back all that happened through it."""
    inner = RollbackDatabase.__new__(RollbackDatabase)
    with database.engine.connect() as connection:
        inner.__dict__.update({k: v for k, v in database.__dict__.items() if k not in {"sessions", "async_sessions"}})
        outer = connection.begin()
        inner.connection = connection
        try:
            yield inner
        finally:
            outer.rollback()


@asynccontextmanager
async def async_rolling_back(database: Database) -> AsyncIterator[AsyncRollbackDatabase]:
    """Do the same for the asynchronous world."""
    inner = AsyncRollbackDatabase.__new__(AsyncRollbackDatabase)
    async with database.async_engine.connect() as connection:
        inner.__dict__.update({k: v for k, v in database.__dict__.items() if k not in {"sessions", "async_sessions"}})
        outer = await connection.begin()
        inner.async_connection = connection
        try:
            yield inner
        finally:
            await outer.rollback()
