"""One ticket with its thread, as a document."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import String, bindparam
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.lanes.pipelining import run
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.text import clean
from deskbell.tickets.errors import NoSuchTicketError
from deskbell.tickets.models import Ticket
from deskbell.tickets.shapes import thread_documents

_NUMBER: Final = "number"


async def thread_of(reading: Reading, number: str, *, last: bool = False) -> tuple[int, bytes]:
    """Return version and document of a ticket, in any case of its number; the desk sees deleted ones too.

    `last` as for `Reading.rows`. Raises NoSuchTicketError, also for what the actor may not see.
    """
    actor = reading.actor
    statement = _by_number(for_staff=actor is not None and actor.is_staff)
    rows = await reading.rows(statement, _values(number), last=last)
    return _found(rows.row(0) if len(rows) else None, number)


def opened_in(session: Session, number: str) -> tuple[int, bytes]:
    """Return the same of a ticket that the session's transaction has opened, and after which it does nothing else."""
    statement = _by_number(for_staff=actor_of(session).is_staff, is_new=True)
    return _found(run(session, statement, _values(number), last=True).one_or_none(), number)


def _values(number: str) -> dict[str, str]:
    return {_NUMBER: clean(number).strip().upper()}


def _found(row: Sequence[Any] | None, number: str) -> tuple[int, bytes]:
    if row is None:
        raise NoSuchTicketError(f"There is no ticket {number}.")
    _, version, document = row
    return version, document


@lru_cache
def _by_number(*, for_staff: bool, is_new: bool = False) -> Statement:
    which = Ticket.ticket_number == bindparam(_NUMBER, type_=String)
    return Statement(thread_documents(which, for_staff=for_staff, is_new=is_new), prepared=True)
