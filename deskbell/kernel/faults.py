"""What errors of the database mean to a person: by SQLSTATE and constraint name, never by their text.

SQLSTATE codes: PostgreSQL manual, appendix A.
"""

import socket
from collections.abc import Callable, Iterator

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from deskbell.kernel.errors import (
    ConflictError,
    ConstraintErrors,
    DeskbellError,
    ForbiddenError,
    InvalidError,
    StaleError,
    UnavailableError,
)

_READ_ONLY = "The database accepts no changes just now (it is read-only, a standby perhaps). Try again in a moment."
_DISK_FULL = "The database has no disk space left. Nothing was changed; make room and try again."
_SLOW = "This took too long and was given up. Nothing was changed; try again, or ask for less at once."
_LOCKED = "Somebody else is changing this just now. Nothing was changed; try again."
_AWAY = "The database does not answer. Nothing was changed; try again in a moment."

_BY_CODE: dict[str, Callable[[], DeskbellError]] = {
    "23505": lambda: ConflictError("This exists already."),
    "23503": lambda: InvalidError("This refers to something that does not exist."),
    "23502": lambda: InvalidError("A required value is missing."),
    "23514": lambda: InvalidError("A value is outside of what is allowed."),
    "22001": lambda: InvalidError("A text is longer than allowed."),
    "22003": lambda: InvalidError("A number is larger than allowed."),
    "22021": lambda: InvalidError("A text holds characters that cannot be stored, such as NUL."),
    "54000": lambda: InvalidError("A text is too large to be indexed."),
    "42501": ForbiddenError,
    "25006": lambda: UnavailableError(_READ_ONLY),
    "53100": lambda: UnavailableError(_DISK_FULL),
    "57014": lambda: UnavailableError(_SLOW),
    "55P03": lambda: ConflictError(_LOCKED),
    "40001": lambda: ConflictError(_LOCKED),
    "40P01": lambda: ConflictError(_LOCKED),
}
_UNAVAILABLE_CLASSES = ("08", "28", "3D", "53", "57", "58")


def translated(error: BaseException, constraint_errors: ConstraintErrors) -> DeskbellError | None:
    """Return what `error` means, or None when it is a mistake in the program."""
    if isinstance(error, StaleDataError):
        return StaleError()
    if isinstance(error, PoolTimeoutError | InterfaceError | ConnectionError | TimeoutError | socket.gaierror):
        return UnavailableError(_AWAY)
    code = sqlstate(error)
    if code is None:
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        return UnavailableError(_AWAY) if lost or type(error).__name__ == "OperationalError" else None
    name = constraint_name(error)
    if name in constraint_errors:
        return constraint_errors[name]()
    if code in _BY_CODE:
        return _BY_CODE[code]()
    return UnavailableError(_AWAY) if code[:2] in _UNAVAILABLE_CLASSES else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Walk from SQLAlchemy's wrapper to the driver's error: `orig` on the one, `__cause__` on asyncpg's adapter."""
    while error is not None:
        yield error
        error = getattr(error, "orig", None) or error.__cause__


def sqlstate(error: BaseException) -> str | None:
    """Return the five-character SQLSTATE, on either driver."""
    return next((code for e in _causes(error) if isinstance(code := getattr(e, "sqlstate", None), str)), None)


def constraint_name(error: BaseException) -> str | None:
    """Return the name of the violated constraint or unique index, on either driver."""
    for cause in _causes(error):
        name = getattr(cause, "constraint_name", None) or getattr(getattr(cause, "diag", None), "constraint_name", None)
        if isinstance(name, str):
            return name
    return None
