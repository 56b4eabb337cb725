"""Engines, sessions and the one place where transactions begin and end.

Every transaction begins by saying who acts (`Actor`); without that PostgreSQL refuses each statement. The sessions are
`autoflush=False, expire_on_commit=False`, and errors leave here as `DeskbellError`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import cached_property, partial
from typing import Any, TypeVar

import asyncpg
import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from deskbell.kernel import connecting
from deskbell.kernel.actor import Actor, current_actor
from deskbell.kernel.address import Address
from deskbell.kernel.errors import ConstraintErrors, DeskbellError, SetupError
from deskbell.kernel.events import HANDLERS_KEY, Handlers
from deskbell.kernel.faults import translated
from deskbell.kernel.fields import FIELDS_KEY, Fields
from deskbell.kernel.lanes.lane import Lane
from deskbell.kernel.lanes.lane_reading import LaneReading
from deskbell.kernel.lanes.pipelining import PipelinedSession
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.pooling import PatientPool, WatchedConnection, ping_idle_connections
from deskbell.kernel.replay import Position, position_of
from deskbell.kernel.replicas import NO_STANDBYS, PATIENCE, Replicas, Standbys
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.kernel.settings import DatabaseSettings

ACTOR_KEY = "deskbell.actor"
T = TypeVar("T")

_BEGIN = text(
    "select set_config('role', :role, true), set_config('deskbell.actor', :actor, true),"
    " set_config('deskbell.channel', :channel, true), set_config('deskbell.act', :act, true),"
    " set_config('deskbell.cause', :cause, true), set_config('deskbell.operation', :operation, true)"
)


class ActorSession(Session):
    """A session whose transactions begin by saying who acts."""


@event.listens_for(ActorSession, "after_begin")
def _say_who_acts(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    actor = session.info.get(ACTOR_KEY)
    if actor is not None and not transaction.nested:
        act_as(connection, actor)


def act_as(connection: Connection, actor: Actor) -> None:
    """Be this actor on the connection until its transaction ends."""
    connection.execute(_BEGIN, begin_parameters(actor))


def begin_parameters(actor: Actor) -> dict[str, str]:
    """Return the parameters of the statement that begins a transaction of this actor."""
    return {name.removeprefix("deskbell."): value for name, value in actor.settings().items()}


def actor_of(session: Session) -> Actor:
    """Return who acts in this session; a use case that is called without an actor is a programming error."""
    actor: Actor | None = session.info.get(ACTOR_KEY)
    if actor is None:
        message = "this session has no actor: open it with Database.transaction(actor)"
        raise RuntimeError(message)
    return actor


class Database:
    """The application's way to its database: two engines, made when first used, and the transactions on them."""

    def __init__(
        self,
        address: Address,
        settings: DatabaseSettings,
        *,
        handlers: Handlers | None = None,
        constraint_errors: ConstraintErrors | None = None,
        resources: Resources | None = None,
        fields: Fields | None = None,
        parameters: Mapping[str, str] | None = None,
        standbys: Standbys = NO_STANDBYS,
    ) -> None:
        """`address` is that of the application role; `parameters` are further server parameters of each connection.

        `standbys` are the same role's ways to replicas; see `evaluate`.
        """
        self.address = address
        self.settings = settings
        self.constraint_errors = constraint_errors or {}
        self.server_parameters = {**_server_parameters(settings), **(parameters or {})}
        self._info = {HANDLERS_KEY: handlers or {}, RESOURCES_KEY: resources, FIELDS_KEY: fields or Fields()}
        self._standbys = standbys

    @cached_property
    def engine(self) -> Engine:
        """The synchronous engine, on psycopg 3."""
        options = self.address.options(self.server_parameters)

        def connect() -> psycopg.Connection[Any]:
            return connecting.connect(self.address, options=options, connect_timeout=self.settings.connect_timeout)

        return create_engine("postgresql+psycopg://", creator=connect, **self._pool())

    @cached_property
    def async_engine(self) -> AsyncEngine:
        """The asynchronous engine, on asyncpg."""

        async def connect(*_: object, **__: object) -> asyncpg.Connection:
            return await connecting.connect_asyncpg(
                self.address,
                server_settings=self.server_parameters,
                timeout=self.settings.connect_timeout,
                command_timeout=self.settings.command_timeout,
                connection_class=WatchedConnection,
            )

        options = {**self._pool(), "poolclass": PatientPool}
        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, **options)
        ping_idle_connections(engine)
        return engine

    def _pool(self) -> dict[str, Any]:
        size, overflow = self.settings.pool_sizes()
        return {
            "pool_pre_ping": True,
            "pool_size": size,
            "max_overflow": overflow,
            "pool_timeout": self.settings.pool_timeout,
            "pool_recycle": self.settings.pool_recycle,
        }

    @property
    def session_options(self) -> dict[str, Any]:
        """What session makers are made with: tests make their own, on one connection that they roll back."""
        return {"autoflush": False, "expire_on_commit": False, "info": dict(self._info)}

    @cached_property
    def sessions(self) -> sessionmaker[ActorSession]:
        """The synchronous session maker."""
        return sessionmaker(self.engine, class_=ActorSession, **self.session_options)

    @cached_property
    def async_sessions(self) -> async_sessionmaker[AsyncSession]:
        """The asynchronous session maker."""
        return async_sessionmaker(self.async_engine, sync_session_class=ActorSession, **self.session_options)

    @contextmanager
    def transaction(self, actor: Actor) -> Iterator[Session]:
        """Open a session, act as `actor`, commit on success, roll back on any exception, always close."""
        with translating(self.constraint_errors), self.sessions(info={ACTOR_KEY: actor}) as session, session.begin():
            yield session

    @asynccontextmanager
    async def async_transaction(self, actor: Actor) -> AsyncIterator[AsyncSession]:
        """Do the same on asyncpg. Call domain code with `await session.run_sync(function, ...)`."""
        with translating(self.constraint_errors):
            async with self.async_sessions(info={ACTOR_KEY: actor}) as session, session.begin():
                yield session

    @asynccontextmanager
    async def async_unidentified_transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction in which nobody acts yet: until `accounts.login.become` PostgreSQL refuses every table."""
        with translating(self.constraint_errors):
            async with self.async_sessions() as session, session.begin():
                yield session

    async def run(self, work: Callable[[Session], T]) -> T:
        """Call `work` in such a transaction: from its begin to its commit the worlds are changed once."""
        with translating(self.constraint_errors):
            return await self.async_sessions().run_sync(partial(_in_transaction, work))

    async def run_pipelined(self, actor: Actor, work: Callable[[PipelinedSession], T]) -> T:
        """Call `work` in a transaction that takes fewer round trips; it says there first whom it acts as: `actor`.

        Raises NotPipelinedError where it needs more than such a session can do: then nothing was kept.
        """
        options = {**self.session_options, "info": {**self._info, ACTOR_KEY: actor}}
        with translating(self.constraint_errors):
            return await self.writing_lane.run(work, actor.role, **options)

    @cached_property
    def standbys(self) -> "Sequence[Database]":
        """The same database on each replica."""
        return [self._on_standby(address) for address in self._standbys.addresses]

    @cached_property
    def replicas(self) -> Replicas:
        """Which of them may answer."""
        return Replicas(self.standbys, self._standbys.max_lag)

    def _on_standby(self, address: Address) -> "Database":
        settings = self.settings.model_copy(update={"connect_timeout": min(self.settings.connect_timeout, PATIENCE)})
        parameters = {**self.server_parameters, "default_transaction_read_only": "on"}
        standby = Database(address, settings, constraint_errors=self.constraint_errors, parameters=parameters)
        standby._info = self._info
        return standby

    def evaluate(self, actor: Actor, work: Callable[[Session], T], *, after: Position | None = None) -> T:
        """Call `work`, which only reads, in a transaction of `actor`: on a replica, or, where none is fit, here.

        It sees all that was committed before the call, or before `after` was looked up. It may be called again when a
        replica fails halfway.
        """
        if self.replicas:
            answer = self.replicas.answer(actor, work, after or self._position(actor))
            if answer is not None:
                return answer[0]
        with self.transaction(actor) as session:
            return work(session)

    async def async_evaluate(self, actor: Actor, work: Callable[[Session], T], *, after: Position | None = None) -> T:
        """Do the same on asyncpg."""
        if self.replicas:
            answer = await self.replicas.async_answer(actor, work, after or await self._async_position(actor))
            if answer is not None:
                return answer[0]
        async with self.async_transaction(actor) as session:
            return await session.run_sync(work)

    def _position(self, actor: Actor) -> Position:
        with self.transaction(actor) as session:
            return position_of(session)

    async def _async_position(self, actor: Actor) -> Position:
        async with self.async_transaction(actor) as session:
            return await session.run_sync(position_of)

    @cached_property
    def lane(self) -> Lane:
        """The connections of `reading`, beside those of the engines."""
        return Lane(self.address, self.server_parameters, self.settings)

    @cached_property
    def writing_lane(self) -> Lane:
        """The connections of `run_pipelined`."""
        return Lane(self.address, self.server_parameters, self.settings, writes=True)

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        """Open a read-only transaction for a page, in which nobody acts yet: nothing costs fewer round trips."""
        return LaneReading(self.lane)

    def close(self) -> None:
        """Close the synchronous engines' connections."""
        if "engine" in self.__dict__:
            self.engine.dispose()
        for standby in self.__dict__.get("standbys", ()):
            standby.close()

    async def aclose(self) -> None:
        """Close all connections."""
        for name in ("lane", "writing_lane"):
            if name in self.__dict__:
                getattr(self, name).close()
        if "async_engine" in self.__dict__:
            await self.async_engine.dispose()
        for standby in self.__dict__.get("standbys", ()):
            await standby.aclose()
        self.close()


def _in_transaction(work: Callable[[Session], T], session: Session) -> T:
    with session, session.begin():
        return work(session)


def _server_parameters(settings: DatabaseSettings) -> dict[str, str]:
    seconds = "{}s".format
    return {
        "application_name": settings.application_name,
        "statement_timeout": seconds(settings.statement_timeout),
        "lock_timeout": seconds(settings.lock_timeout),
        "idle_in_transaction_session_timeout": seconds(settings.idle_in_transaction_timeout),
        "work_mem": settings.work_mem,
        "random_page_cost": str(settings.random_page_cost),
        "max_parallel_workers_per_gather": str(settings.parallel_workers),
        "timezone": "UTC",
        "jit": "off",
    }


@contextmanager
def translating(constraint_errors: ConstraintErrors) -> Iterator[None]:
    """Turn what the database says into errors that a person can be told; the original stays as `__cause__`."""
    try:
        yield
    except DeskbellError:
        raise
    except (SQLAlchemyError, OSError, asyncpg.PostgresError, psycopg.Error) as error:
        known = translated(error, constraint_errors)
        if known is None:
            raise
        raise known from error


_default: Database | None = None


def set_default_database(database: Database | None) -> None:
    """Say which database `get_db_session` and `get_async_db` use. Called once, by the edge that opened it."""
    global _default  # noqa: PLW0603 - the two helpers below take no argument by contract
    _default = database


def default_database() -> Database:
    """Return the database that the edge opened."""
    if _default is None:
        raise SetupError("No database is open: call deskbell.kernel.database.set_default_database first.")
    return _default


def _default_actor(actor: Actor | None) -> Actor:
    chosen = actor or current_actor()
    if chosen is None:
        message = "nobody acts: pass an actor, or use `with acting_as(actor):`"
        raise RuntimeError(message)
    return chosen


@contextmanager
def get_db_session(actor: Actor | None = None) -> Generator[Session]:
    """Open a transaction on the default database in a `with`: for scripts."""
    with default_database().transaction(_default_actor(actor)) as session:
        yield session


async def get_async_db() -> AsyncGenerator[AsyncSession]:
    """Yield a transaction on the default database: a FastAPI dependency.

    Declare it as `Depends(get_async_db, scope="function")`: then the commit comes before the response. The actor is
    the one of `acting_as`.
    """
    async with default_database().async_transaction(_default_actor(None)) as session:
        yield session
