"""Jobs that send what waits. They begin as the system, which knows when, and become the writer, who may."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.composing.actions import SEND_MESSAGE
from deskbell.composing.models import Draft
from deskbell.composing.queries import lock_waiting
from deskbell.composing.sending import deliver, put_back
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.database import ACTOR_KEY, act_as
from deskbell.kernel.errors import ConflictError, DeskbellError, ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.jobs import add_job
from deskbell.kernel.resources import resources_of

MISSED: Final = timedelta(seconds=30)
"""So long after its time a message is taken for one whose job was lost."""
AT_ONCE: Final = 200
ACT: Final = "send a message"
LEFT: Final = "You could not be found among the desk's people when it was to be sent."
FOR_GOOD: Final = (ConflictError, ForbiddenError, InvalidError, NotFoundError)
"""Errors that trying again would not help."""


def send_message(session: Session, draft_id: int) -> bool:
    """Send the message whose grace is over; return whether there was one. Called back or sent by then, it is not.

    What cannot be sent is its writer's draft again, with the reason.
    """
    due = session.execute(_due().where(Draft.id == draft_id)).one_or_none()
    if due is None:
        return False
    author = session.get_one(User, due.user_id)
    _become(session, author)
    waiting = lock_waiting(session, due.ticket_id)
    if waiting is None or waiting.id != draft_id:
        return False
    now = resources_of(session).clock.now()
    try:
        with session.begin_nested():
            if not (author.is_active and author.is_staff):
                raise ForbiddenError(LEFT)
            deliver(session, waiting, now=now)
    except FOR_GOOD as error:
        _return(session, due.ticket_id, error)
    return True


def send_waiting(session: Session) -> int:
    """Add a job for each message whose own was lost; return how many."""
    missed = _due().where(Draft.send_at < func.clock_timestamp() - MISSED).order_by(Draft.send_at).limit(AT_ONCE)
    found = session.execute(missed).all()
    for row in found:
        add_job(session, SEND_MESSAGE, draft_id=row.id)
    return len(found)


def _due() -> Select[*tuple[int, int, int]]:
    """By the database's clock, by which the job was started."""
    return select(Draft.id, Draft.user_id, Draft.ticket_id).where(Draft.send_at <= func.clock_timestamp())


def _become(session: Session, author: User) -> None:
    """Go on as the writer. Who left the desk is its agent once more, to get the message back, and nothing else."""
    kind = ActorKind(author.role.value) if author.is_staff else ActorKind.AGENT
    actor = Actor(kind, author.id, Channel.WEB, act=ACT, time_zone=author.time_zone)
    act_as(session.connection(), actor)
    session.info[ACTOR_KEY] = actor


def _return(session: Session, ticket_id: int, error: DeskbellError) -> None:
    session.expunge_all()  # what the failed attempt left in memory was rolled back
    waiting = lock_waiting(session, ticket_id)
    if waiting is not None:
        put_back(session, waiting, now=resources_of(session).clock.now(), problem=error.message)
