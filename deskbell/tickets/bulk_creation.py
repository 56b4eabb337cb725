"""Use cases that create many tickets at once: all of them, or none where one is wrong."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.events import publish
from deskbell.kernel.worlds import both_worlds
from deskbell.tickets.actions import require_staff
from deskbell.tickets.bulk import CreatedTicket, insert_tickets
from deskbell.tickets.events import TicketsOpened
from deskbell.tickets.new_rows import NewRow, read_rows

MOST_TICKETS: Final = 100_000
_STAFF_ONLY: Final = "Only the desk creates tickets in bulk."


@both_worlds
def bulk_create_tickets(session: Session, tickets: Sequence[NewRow]) -> int:
    """Create tickets and return how many. See `bulk_insert_with_return`."""
    return len(_create(session, tickets))


@both_worlds
def bulk_insert_with_return(session: Session, tickets: Sequence[NewRow]) -> list[CreatedTicket]:
    """Create up to 100,000 tickets and return their ids and numbers, in the same order.

    Each is a `NewTicket` or a dict of its fields, of which `creator_id` and a title or description are needed; `tags`
    are names. Raises InvalidError for the first row that is wrong: its `details` have the `row`, counted from 0, and
    the `field`. Nothing is created then.
    """
    return _create(session, tickets)


def _create(session: Session, tickets: Sequence[NewRow]) -> list[CreatedTicket]:
    require_staff(session, _STAFF_ONLY)
    rows = list(tickets)
    if not 1 <= len(rows) <= MOST_TICKETS:
        raise InvalidError(f"Send 1 to {MOST_TICKETS:,} tickets at once, not {len(rows):,}.", field="tickets")
    created = insert_tickets(session, read_rows(session, rows, actor_of(session).channel))
    publish(session, TicketsOpened(tuple(ticket.id for ticket in created)))
    return created
