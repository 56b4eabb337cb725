"""The transaction of one request in a synchronous host, and the guard that lets nobody else end it."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property, partial
from typing import Final

from sqlalchemy import event
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, UnauthenticatedError

REFUSED: Final = 400
"""An answer with this status or a higher one says no: what was done for it is taken back."""

_OVER = (
    "the request's transaction has been committed: load what a stream or a later hook needs before the view returns, "
    "or open a transaction for it"
)
_NOT_YOURS = (
    "the transaction is committed once, when the request has succeeded: a commit before would keep half of a change. "
    "Use session.flush() to see what the database says, session.begin_nested() for what may fail on its own"
)


class Visit:
    """What one request does at the desk: a session that is opened when first asked for, and ended once."""

    def __init__(self, database: Callable[[], Database], find_actor: Callable[[], Actor | None]) -> None:
        """`find_actor` returns who asks, None for somebody whom the host does not know."""
        self._database, self._find_actor = database, find_actor
        self._stack = ExitStack()
        self._session: Session | None = None
        self._allow_commit: Callable[[], None] | None = None
        self._refused = self._ended = False

    @cached_property
    def actor(self) -> Actor | None:
        """Who asks; None for somebody whom the host does not know."""
        return self._find_actor()

    @property
    def session(self) -> Session:
        """The request's session, in which its actor acts. Raises UnauthenticatedError where there is none."""
        if self._session is None:
            if self._ended:
                raise RuntimeError(_OVER)
            if self.actor is None:
                raise UnauthenticatedError("Log in to do this.")
            self._session = self._stack.enter_context(self._database().transaction(self.actor))
            self._allow_commit = reserve_commit(self._session)
        return self._session

    def refuse(self, error: BaseException) -> BaseException:
        """Take back what was done, and at the end what is done from now on, by an error page for example.

        Return what the error means to a person, where it is the database's; else the error itself.
        """
        self._refused = True
        try:
            self._close(error)
        except DeskbellError as known:
            return known
        return error

    def end(self, *, well: bool) -> None:
        """Commit what was done where all went `well`, else take it back. Raises DeskbellError where it cannot be."""
        self._ended = True
        self._close(None if well and not self._refused else _TakenBackError())

    def _close(self, error: BaseException | None) -> None:
        if self._session is None or self._allow_commit is None:
            return
        self._allow_commit()
        self._session, stack, self._stack = None, self._stack, ExitStack()
        stack.__exit__(type(error) if error else None, error, None)


class _TakenBackError(Exception):
    """Tells the transaction to roll back."""


def reserve_commit(session: Session) -> Callable[[], None]:
    """Refuse to commit the transaction until the returned function is called. Savepoints go on working."""

    def refuse(committing: Session) -> None:
        if not committing.in_nested_transaction():
            raise RuntimeError(_NOT_YOURS)

    event.listen(session, "before_commit", refuse)
    return partial(event.remove, session, "before_commit", refuse)
