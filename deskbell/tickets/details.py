"""Use cases that read tickets with everything about them, in a number of statements that does not grow with them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from deskbell.accounts.models import User
from deskbell.accounts.queries import get_user
from deskbell.kernel.actor import Actor
from deskbell.kernel.arrays import in_array
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.ids import checked_id
from deskbell.kernel.worlds import both_worlds
from deskbell.tickets.filters import with_status
from deskbell.tickets.models import Comment, Ticket, TicketStatus
from deskbell.tickets.queries import newest_first, tickets
from deskbell.tickets.rules import status_named

AT_ONCE: Final = 10_000
"""Tickets whose parts come in one statement: more than these take another one each. The drivers take 32,767 values."""

_PEOPLE = (
    selectinload(Ticket.creator, chunksize=AT_ONCE),
    selectinload(Ticket.assignee, chunksize=AT_ONCE),
    selectinload(Ticket.requester, chunksize=AT_ONCE),
    selectinload(Ticket.agent, chunksize=AT_ONCE),
    joinedload(Ticket.organization),
)
_THREAD = (
    selectinload(Ticket.comments, chunksize=AT_ONCE).options(
        selectinload(Comment.author, chunksize=AT_ONCE),
        selectinload(Comment.writer, chunksize=AT_ONCE),
        selectinload(Comment.attachments, chunksize=AT_ONCE),
    ),
    selectinload(Ticket.attachments, chunksize=AT_ONCE),
)
FOR_CUSTOMER_DETAILS: Final[Sequence[ORMOption]] = (*_PEOPLE, *_THREAD)
"""At most ten statements. Of others a customer gets `requester`, `agent` and `writer`, with names but no address."""

FOR_DETAILS: Final[Sequence[ORMOption]] = (
    *FOR_CUSTOMER_DETAILS,
    joinedload(Ticket.team),
    selectinload(Ticket.tags, chunksize=AT_ONCE),
)
"""At most eleven statements, up to 10,000 tickets and comments. People by their keys: a join may read all of them."""


@both_worlds
def get_tickets_with_details(
    session: Session, status: TicketStatus | str | None = None, *, limit: int | None = None
) -> list[Ticket]:
    """Return the tickets, of one status if it is named, last changed first, with people, thread, attachments, tags.

    All of them unless `limit` says how many at most. What the actor may not see is not there: notes and tags for
    customers, and `creator` or `author` where they are somebody else.
    """
    statement = tickets() if status is None else with_status(tickets(), [status_named(status)])
    if limit is not None:
        _check_limit(limit)
        statement = statement.limit(limit)
    return _loaded(session, newest_first(statement))


@both_worlds
def get_user_with_tickets(session: Session, user_id: int, *, limit: int | None = None) -> User:
    """Return a person whose `tickets_created` and `tickets_assigned` are loaded with details, last changed first.

    Of each list at most `limit`, without it all. Deleted tickets are left out. Raises NotFoundError, also for whom the
    actor may not see.
    """
    user = get_user(session, checked_id(user_id, "user_id"))
    if limit is not None:
        _check_limit(limit)
    lists = {
        "tickets_created": Ticket.creator_id == user.id,
        "tickets_assigned": Ticket.assignee_id == user.id,
    }
    ids = {
        name: session.scalars(newest_first(tickets().where(theirs)).with_only_columns(Ticket.id).limit(limit)).all()
        for name, theirs in lists.items()
    }
    wanted = sorted({number for found in ids.values() for number in found})
    loaded = {t.id: t for t in _loaded(session, select(Ticket).where(in_array(Ticket.__table__.c.id, wanted)))}
    for name, found in ids.items():
        set_committed_value(user, name, [loaded[number] for number in found if number in loaded])
    return user


def detailed(statement: Select[Ticket], actor: Actor) -> Select[Ticket]:
    """Load everything about the tickets that the actor may see."""
    options = FOR_DETAILS if actor.is_staff else FOR_CUSTOMER_DETAILS
    return statement.options(*options).execution_options(populate_existing=True)


def _loaded(session: Session, statement: Select[Ticket]) -> list[Ticket]:
    session.flush()  # as rows that are loaded already are read again
    actor = actor_of(session)
    found = list(session.scalars(detailed(statement, actor)))
    if not actor.is_staff:  # who may not even ask for tags and teams sees none
        for ticket in found:
            set_committed_value(ticket, "tags", [])
            set_committed_value(ticket, "team", None)
    return found


def _check_limit(limit: int) -> None:
    if limit < 1:
        raise InvalidError(f"limit is {limit}: ask for at least one ticket.", field="limit")
