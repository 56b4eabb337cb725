"""What somebody of the desk has seen: tickets that others changed since, or that one never opened, are unread."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import BigInteger, delete, exists, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.composing.presence_models import TicketRead
from deskbell.kernel.database import actor_of
from deskbell.kernel.fields import Context, Expression, Fields, Flag
from deskbell.tickets.models import Ticket


def unread_by(user_id: int | None) -> Expression:
    """Return the condition that a ticket is unread by somebody. It looks at one row by its key."""
    seen = exists().where(
        TicketRead.user_id == user_id, TicketRead.ticket_id == Ticket.id, TicketRead.version >= Ticket.version
    )
    return ~seen


def _unread(context: Context) -> Expression:
    return unread_by(context.actor.user_id)


FIELDS: Final = Fields(
    is_={"unread": Flag("it has changed since you saw it, or you never have", _unread, staff_only=True)}
)


def unread_among(session: Session, ticket_ids: Collection[int]) -> set[int]:
    """Return which of these tickets the actor has not seen as they are. One statement; none for no tickets."""
    if not ticket_ids:
        return set()
    statement = select(Ticket.id).where(Ticket.id.in_(ticket_ids), unread_by(actor_of(session).user_id))
    return set(session.scalars(statement))


def mark_seen(session: Session, number: str, version: int) -> None:
    """Note that the actor has seen a ticket at a version; to have seen a later one stays true."""
    me, clock = literal(actor_of(session).user_id, BigInteger), func.clock_timestamp()
    seen = select(me, Ticket.id, literal(version, BigInteger), clock).where(Ticket.ticket_number == number)
    noting = insert(TicketRead).from_select(["user_id", "ticket_id", "version", "seen_at"], seen)
    newer = {"version": noting.excluded.version, "seen_at": noting.excluded.seen_at}
    is_news = TicketRead.version < noting.excluded.version
    session.execute(noting.on_conflict_do_update(index_elements=["user_id", "ticket_id"], set_=newer, where=is_news))


def mark_unread(session: Session, number: str) -> None:
    """Forget that the actor has seen a ticket."""
    its_id = select(Ticket.id).where(Ticket.ticket_number == number).scalar_subquery()
    mine = TicketRead.user_id == literal(actor_of(session).user_id)
    session.execute(delete(TicketRead).where(mine, TicketRead.ticket_id == its_id))
