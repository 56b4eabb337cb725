"""One function for both worlds: called with a `Session` it returns, with an `AsyncSession` it is awaited.

The domain is written once, synchronously; the asynchronous call takes the same greenlet bridge that every awaited call
of the ORM takes anyway.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)


class BothWorlds(Protocol[P, T_co]):
    """A function whose first argument says in which world it is called."""

    @overload
    def __call__(self, session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T_co: ...
    @overload
    def __call__(self, session: AsyncSession, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T_co]: ...


def both_worlds(function: Callable[Concatenate[Session, P], T_co]) -> BothWorlds[P, T_co]:
    """Let `function` be called with either kind of session, passed by position.

    Under asyncio other tasks go on while the database works, as with any awaited statement.
    """

    @wraps(function)
    def call(session: Session | AsyncSession, /, *args: P.args, **kwargs: P.kwargs) -> T_co | Coroutine[Any, Any, T_co]:
        if isinstance(session, AsyncSession):
            return session.run_sync(function, *args, **kwargs)
        return function(session, *args, **kwargs)

    return cast("BothWorlds[P, T_co]", call)
