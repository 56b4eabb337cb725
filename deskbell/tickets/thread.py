"""One ticket with its thread, as a document."""

from functools import lru_cache
from typing import Final

from sqlalchemy import String, bindparam

from deskbell.kernel.reading import Reading
from deskbell.kernel.statements import Statement
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
    rows = await reading.rows(statement, {_NUMBER: clean(number).strip().upper()}, last=last)
    if not len(rows):
        raise NoSuchTicketError(f"There is no ticket {number}.")
    _, version, document = rows.row(0)
    return version, document


@lru_cache
def _by_number(*, for_staff: bool) -> Statement:
    which = Ticket.ticket_number == bindparam(_NUMBER, type_=String)
    return Statement(thread_documents(which, for_staff=for_staff), prepared=True)
