"""Which replica may answer a question; where none may, the primary does.

A replica answers only when it has replayed all that was committed when the question was asked. Nothing that is wrong
with it reaches whoever asks. See docs/decisions/0006-replicas.md.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final, Protocol, TypeVar

import asyncpg
import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from deskbell.kernel.actor import Actor
from deskbell.kernel.address import Address
from deskbell.kernel.errors import ConflictError, DeskbellError, SetupError, UnavailableError
from deskbell.kernel.faults import sqlstate
from deskbell.kernel.replay import Position, UnfitError, await_position, state_of

logger = logging.getLogger(__name__)

PATIENCE: Final = 3
"""Seconds in which a replica must accept a connection and answer, before and beside the lag that it may have."""

REST: Final = 10.0
"""Seconds for which a replica that was of no use is left alone."""

_TIMED_OUT = "57014"
"""The question itself took too long: the primary would not be faster."""

T = TypeVar("T")
Work = Callable[[Session], T]


@dataclass(frozen=True, slots=True)
class Standbys:
    """Where the replicas are, and how many seconds they may lie behind."""

    addresses: tuple[Address, ...] = ()
    max_lag: float = 1


NO_STANDBYS: Final = Standbys()


class Opened(Protocol):
    """A database that was opened: `deskbell.kernel.database.Database`."""

    address: Address

    def transaction(self, actor: Actor) -> AbstractContextManager[Session]:
        """Open a transaction of this actor."""
        ...

    def async_transaction(self, actor: Actor) -> AbstractAsyncContextManager[AsyncSession]:
        """Do the same on asyncpg."""
        ...


class Replica:
    """A replica, and whether it is of use just now. What changes about that is logged, once."""

    def __init__(self, database: Opened) -> None:
        """`database` is the application's way to it."""
        self.database = database
        self.problem: str | None = None
        self._rests_until = 0.0

    @property
    def rests(self) -> bool:
        """Whether it is left alone for now."""
        return time.monotonic() < self._rests_until

    def rest(self, problem: str) -> None:
        """Leave it alone for a while."""
        self._rests_until = time.monotonic() + REST
        if self.problem is None:
            logger.warning("The replica %s %s; the primary answers instead.", self.database.address, problem)
        self.problem = problem

    def recover(self) -> None:
        """Remember that it was of use."""
        if self.problem is not None:
            logger.info("The replica %s is of use again.", self.database.address)
        self.problem, self._rests_until = None, 0.0

    def excuse(self, error: Exception) -> None:
        """Take an error for the replica's, so that another server may be asked; raise it where it is the question's."""
        if isinstance(error, UnfitError):
            self.rest(str(error))
        elif _is_away(error):
            self.rest("does not answer")
        elif _is_of_the_server(error):
            logger.info("The replica %s gave up a question; the primary answers.", self.database.address)
        else:
            raise error


def _is_away(error: Exception) -> bool:
    came_from_there = isinstance(error, UnavailableError) and error.__cause__ is not None
    return isinstance(error, SetupError) or (came_from_there and sqlstate(error) != _TIMED_OUT)


def _is_of_the_server(error: Exception) -> bool:
    """Whether only this server may have failed: its replay was in the way, or it said what nobody expected."""
    if isinstance(error, DeskbellError):
        return isinstance(error, ConflictError) and error.__cause__ is not None
    return isinstance(error, SQLAlchemyError | OSError | psycopg.Error | asyncpg.PostgresError)


class Replicas:
    """The replicas of a database, none perhaps. They take turns."""

    def __init__(self, databases: Sequence[Opened], max_lag: float) -> None:
        """`max_lag` is in seconds: so long is waited for what was committed before, and no longer."""
        self.max_lag = max_lag
        self._members = [Replica(database) for database in databases]
        self._turns = count()

    def __len__(self) -> int:
        """Count them."""
        return len(self._members)

    def __iter__(self) -> Iterator[Replica]:
        """Go through them."""
        return iter(self._members)

    def answer(self, actor: Actor, work: Work[T], position: Position) -> tuple[T] | None:
        """Call `work` in a transaction on a replica that has replayed `position`: (its answer,), or None without one.

        It may be called several times, until one replica has gone through with it. Raises what is wrong with the
        question.
        """
        deadline = time.monotonic() + self.max_lag
        for replica in self._awake():
            try:
                with replica.database.transaction(actor) as session:
                    await_position(partial(state_of, session), position, deadline, time.sleep)
                    found = work(session)
            except Exception as error:  # noqa: BLE001 - raised again where it is not the replica's
                replica.excuse(error)
            else:
                replica.recover()
                return (found,)
        return None

    async def async_answer(self, actor: Actor, work: Work[T], position: Position) -> tuple[T] | None:
        """Do the same on asyncpg. A replica that says nothing is not waited for."""
        deadline = time.monotonic() + self.max_lag
        for replica in self._awake():
            try:
                found = await _attempt(replica.database, actor, work, position, deadline)
            except Exception as error:  # noqa: BLE001 - raised again where it is not the replica's
                replica.excuse(error)
            else:
                replica.recover()
                return (found,)
        return None

    def _awake(self) -> list[Replica]:
        """Return those that do not rest, another one first each time."""
        first = next(self._turns) % max(len(self._members), 1)
        return [replica for replica in self._members[first:] + self._members[:first] if not replica.rests]


async def _attempt(database: Opened, actor: Actor, work: Work[T], position: Position, deadline: float) -> T:
    """Ask one replica. Raises UnfitError where it has not even begun to answer soon after the deadline."""
    has_begun = asyncio.Event()

    def caught_up(session: Session) -> None:
        await_position(partial(state_of, session), position, deadline, _pause)

    async def ask() -> T:
        async with database.async_transaction(actor) as session:
            await session.run_sync(caught_up)
            has_begun.set()
            return await session.run_sync(work)

    task = asyncio.create_task(ask())
    try:
        await _until(has_begun, task, deadline + PATIENCE - time.monotonic())
        return await task
    except BaseException:
        task.add_done_callback(_forget)  # a connection that is lost may take a minute to notice: not waited for
        task.cancel()
        raise


async def _until(event: asyncio.Event, task: asyncio.Task[Any], seconds: float) -> None:
    """Return when something has happened or the task has ended. Raises UnfitError when neither does in time."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if not (event.is_set() or task.done()):
        raise UnfitError("does not answer")


def _forget(task: asyncio.Task[Any]) -> None:
    """Look at how the task ended, so that asyncio does not complain that nobody did."""
    if not task.cancelled():
        task.exception()


def _pause(seconds: float) -> None:
    await_only(asyncio.sleep(seconds))
