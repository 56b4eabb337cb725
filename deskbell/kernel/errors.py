"""The one tree of errors that a person or a program outside can be told about.

DeskbellError
├── NotFoundError       404  the thing does not exist, or the actor may not know that it does
├── ForbiddenError      403  the actor may know of it, but may not do this
│   └── UnauthenticatedError 401  nobody has said who they are
├── ConflictError       409  somebody else was faster, or the state does not allow it
│   └── StaleError      412  the version that was changed is not the current one
├── InvalidError        422  what was sent does not make sense; `field` and `position` say where
│   └── TooLargeError   413  it is larger than the limit
├── TooManyError        429  wait `retry_after` seconds
└── UnavailableError    503  the database, the disk or another service does not answer
    └── SetupError      (CLI) something outside the program must be put right before it can start

`code` is stable and meant for programs; the message is for people and says what was wrong, where, and what to do.
"""

from collections.abc import Callable
from typing import ClassVar


class DeskbellError(Exception):
    """Something went wrong that the caller can be told about.

    Without a message of its own an error takes the first line of its docstring.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None, /, **details: object) -> None:
        """`message` is for people; `details` (ids, fields, positions) go to programs beside it."""
        self.message = message or (type(self).__doc__ or type(self).__name__).splitlines()[0]
        self.details = details
        super().__init__(self.message)


class NotFoundError(DeskbellError):
    """There is no such thing."""

    code = "not_found"
    status = 404


class ForbiddenError(DeskbellError):
    """You may not do this."""

    code = "forbidden"
    status = 403


class UnauthenticatedError(ForbiddenError):
    """Log in, or send an API token, to do this."""

    code = "unauthenticated"
    status = 401


class ConflictError(DeskbellError):
    """This conflicts with what is already there."""

    code = "conflict"
    status = 409


class StaleError(ConflictError):
    """Somebody changed this since you read it. Read it again and repeat your change."""

    code = "stale"
    status = 412


class InvalidError(DeskbellError):
    """What was sent does not make sense."""

    code = "invalid"
    status = 422
    exit_code = 2

    def __init__(
        self,
        message: str | None = None,
        /,
        *,
        field: str | None = None,
        position: int | None = None,
        **details: object,
    ) -> None:
        """`field` names the offending input, `position` the zero-based character in it."""
        named = {"field": field, "position": position}
        super().__init__(message, **{k: v for k, v in named.items() if v is not None}, **details)
        self.field = field
        self.position = position


class TooLargeError(InvalidError):
    """This is larger than allowed."""

    code = "too_large"
    status = 413


class TooManyError(DeskbellError):
    """Too many attempts. Wait a while and try again."""

    code = "too_many"
    status = 429

    def __init__(self, message: str | None = None, /, *, retry_after: int = 60, **details: object) -> None:
        """`retry_after` is in seconds."""
        super().__init__(message, retry_after=retry_after, **details)
        self.retry_after = retry_after


class UnavailableError(DeskbellError):
    """A service that Deskbell needs does not answer. Try again in a moment."""

    code = "unavailable"
    status = 503
    exit_code = 3


class SetupError(UnavailableError):
    """Something outside Deskbell must be put right before it can start."""

    code = "setup"


ConstraintErrors = dict[str, Callable[[], DeskbellError]]
"""Constraint or unique index name → the error that its violation means to a person. Each slice declares its own."""
