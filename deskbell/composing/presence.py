"""Who looks at a ticket or writes to it just now. For the desk alone.

A browser says so every few seconds; who has not been heard of for `GONE_AFTER` is no longer there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import BigInteger, Delete, Interval, String, bindparam, delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.composing.presence_models import Doing, TicketPresence
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import NotFoundError
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.lanes.statements import Statement
from deskbell.tickets.models import Ticket

HEARTBEAT: Final = timedelta(seconds=10)
GONE_AFTER: Final = timedelta(seconds=25)

_CLOCK = func.clock_timestamp()
_PRESENT: Final = Statement(
    text("""
select t.ticket_number, p.user_id, coalesce(nullif(u.full_name, ''), split_part(u.email, '@', 1)) as name, p.doing
  from ticket_presence p join users u on u.id = p.user_id join tickets t on t.id = p.ticket_id
 where p.at > clock_timestamp() - cast(:gone_after as interval)
 order by p.ticket_id, p.user_id
""")
    .bindparams(gone_after=f"{GONE_AFTER.seconds} seconds")
    .columns(ticket_number=String, user_id=BigInteger, name=String, doing=String),
    prepared=True,
)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is there."""

    user_id: int
    name: str
    doing: Doing


Presence = Mapping[str, tuple[Present, ...]]
"""Who is at each ticket, by its number; tickets where nobody is are not in it."""


def be_present(session: Session, number: str, doing: Doing) -> None:
    """Say that the actor is at a ticket; what they have not been at for a while is forgotten. Raises NotFoundError."""
    there = select(
        Ticket.id, literal(actor_of(session).user_id, BigInteger), literal(doing.value, String), _CLOCK
    ).where(Ticket.ticket_number == number)
    saying = insert(TicketPresence).from_select(["ticket_id", "user_id", "doing", "at"], there)
    values = {"doing": saying.excluded.doing, "at": saying.excluded.at}
    upsert = saying.on_conflict_do_update(index_elements=["ticket_id", "user_id"], set_=values)
    if not session.execute(upsert.returning(TicketPresence.ticket_id)).all():
        raise NotFoundError(f"There is no ticket {number}.")
    session.execute(_own_rows(session).where(TicketPresence.at < _CLOCK - bindparam("age", GONE_AFTER, Interval)))


def leave(session: Session, number: str) -> None:
    """Say that the actor is no longer at a ticket."""
    its_id = select(Ticket.id).where(Ticket.ticket_number == number).scalar_subquery()
    session.execute(_own_rows(session).where(TicketPresence.ticket_id == its_id))


async def present(reading: Reading) -> Presence:
    """Return who is where."""
    rows = await reading.rows(_PRESENT)
    found: dict[str, tuple[Present, ...]] = {}
    for index in range(len(rows)):
        number, user_id, name, doing = rows.row(index)
        found[number] = (*found.get(number, ()), Present(user_id, name, Doing(doing)))
    return found


def _own_rows(session: Session) -> Delete:
    return delete(TicketPresence).where(TicketPresence.user_id == actor_of(session).user_id)
