"""Errors become one line and an exit code.

1 it did not work, 2 it was asked for wrongly, 3 something outside must be put right (the database, the disk, a port),
70 a mistake in Deskbell, 130 stopped by Ctrl-C.
"""

import errno
import re
from typing import NamedTuple

import typer

from deskbell.kernel.errors import DeskbellError, InvalidError

INTERNAL = 70
"""EX_SOFTWARE of sysexits(3)."""
UNAVAILABLE = 3
_DISK = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EROFS: "The disk is read-only",
}
_DRIVERS = {"psycopg", "asyncpg", "sqlalchemy"}
_HELP = "Try `{} --help`."


class Fault(NamedTuple):
    """What to say, and what to exit with."""

    message: str
    exit_code: int


def fault_of(error: BaseException) -> Fault:
    """Say what `error` means to the person at the terminal."""
    if isinstance(error, DeskbellError):
        return Fault(_marked(error), error.exit_code)
    if isinstance(error, typer.TyperException):
        return Fault(_usage(error), error.exit_code)
    if isinstance(error, OSError) and type(error).__module__ == "builtins":
        return _from_system(error)
    if type(error).__module__.partition(".")[0] in _DRIVERS and (known := _from_database(error)):
        return Fault(known.message, known.exit_code)
    what = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return Fault(
        f"Deskbell made a mistake ({what}). Run it again with --debug to see where, and report that.", INTERNAL
    )


def _from_database(error: BaseException) -> DeskbellError | None:
    from deskbell.kernel.faults import translated

    return translated(error, {})


def _from_system(error: OSError) -> Fault:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _DISK:
        return Fault(f"{_DISK[error.errno]}{where}. Make room or choose another place, then run it again.", UNAVAILABLE)
    return Fault(f"{error.strerror or error}{where}.", 1)


def _usage(error: typer.TyperException) -> str:
    """Write a usage error in one line, with the command whose help says more."""
    message = re.sub(r"\s+", " ", error.format_message()).strip().replace(": Value error, ", ": ")
    if not message:
        return ""
    context = getattr(error, "ctx", None)
    hint = _HELP.format(context.command_path) if context is not None else ""
    return f"{message if message.endswith(('.', '?', ')')) else message + '.'} {hint}".strip()


def _marked(error: DeskbellError) -> str:
    """Add, beneath a message about a query, the query with a mark under the place where it is wrong."""
    query = error.details.get("query")
    position = error.position if isinstance(error, InvalidError) else None
    if not isinstance(query, str) or position is None:
        return error.message
    start = max(0, position - 60)
    shown = query[start : position + 40]
    return f"{error.message}\n  {shown}\n  {' ' * (position - start)}^"
