"""The guard before a message is sent: what came in since its writer read the ticket.

A message by somebody else, another status set by somebody else, another requester and somebody new in copy stop it;
tags, priority and the like do not, as they do not make an answer wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, selectinload

from deskbell.accounts.models import Person, display_name
from deskbell.audit.models import AuditAction, AuditLog
from deskbell.audit.queries import NEWEST_CHANGE_FIRST, changes_where
from deskbell.composing.errors import MovedOnError
from deskbell.kernel.database import actor_of
from deskbell.tickets.models import Comment, Ticket, TicketStatus
from deskbell.tickets.queries import lock_ticket
from deskbell.tickets.relation_models import TicketCopy

MOST_SHOWN: Final = 20
"""New messages that are told of, the oldest first: whoever missed more reads the ticket again anyway."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the writer had before their eyes; None of what they do not say. Without a comment `comment_id` is 0.

    `copy_id` is the highest id of those in copy, 0 without any.
    """

    comment_id: int | None = None
    status: TicketStatus | None = None
    requester_id: int | None = None
    copy_id: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A value that is another one now. `by` is None where it is not known who did it."""

    old: str
    new: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What the writer has not seen. Comments come with their writers and attachments."""

    comments: Sequence[Comment] = ()
    status: Move | None = None
    requester: Move | None = None
    copies: Sequence[TicketCopy] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.comments or self.status or self.requester or self.copies)

    def plain(self) -> dict[str, Any]:
        """Return it for programs, by names that no member of a problem (RFC 9457) has."""
        return {
            "new_comments": [
                {
                    "id": it.id,
                    "author": display_name(it.writer) if it.writer else None,
                    "is_internal": it.is_internal,
                    "content": it.content,
                    "created_at": it.created_at.isoformat(),
                }
                for it in self.comments
            ],
            "status_change": _plain(self.status),
            "requester_change": _plain(self.requester),
            "new_copies": [{"id": it.id, "email": it.email, "name": it.name} for it in self.copies],
        }


def check_seen(session: Session, number: str, seen: Seen) -> Ticket:
    """Lock the ticket, so that nothing comes in between, and return it. Raises MovedOnError, NoSuchTicketError."""
    ticket = lock_ticket(session, number)
    news = news_since(session, ticket, seen)
    if news:
        raise MovedOnError(news)
    return ticket


def news_since(session: Session, ticket: Ticket, seen: Seen) -> News:
    """Return what somebody else did since. Of one's own doings one knows, in another window too."""
    comments = (
        [] if seen.comment_id is None else session.scalars(_comments_after(session, ticket, seen.comment_id)).all()
    )
    status = requester = None
    if seen.status not in {None, ticket.status}:
        status = _move(session, ticket, "status", str(seen.status), ticket.status.value)
    if seen.requester_id not in {None, ticket.creator_id}:
        names = [_name(session, seen.requester_id), _name(session, ticket.creator_id)]
        requester = _move(session, ticket, "creator_id", *names)
    copies = [] if seen.copy_id is None else _copies_after(session, ticket, seen.copy_id)
    return News(comments, status, requester, copies)


def _copies_after(session: Session, ticket: Ticket, copy_id: int) -> Sequence[TicketCopy]:
    """Return who else reads the answer, but for those whom the actor has added."""
    actor, log = actor_of(session), AuditLog.__table__.c
    statement = select(TicketCopy).where(TicketCopy.ticket_id == ticket.id, TicketCopy.id > copy_id)
    if actor.is_staff and actor.user_id is not None:
        of_copy = log.table_name == TicketCopy.__tablename__, log.record_id == TicketCopy.id
        statement = statement.where(
            ~exists().where(*of_copy, log.action == AuditAction.CREATE, log.user_id == actor.user_id)
        )
    return session.scalars(statement.order_by(TicketCopy.id)).all()


def _comments_after(session: Session, ticket: Ticket, comment_id: int) -> Any:  # noqa: ANN401 - a Select
    """Ids grow within a ticket, as whoever adds a comment holds its lock."""
    others = Comment.ticket_id == ticket.id, Comment.id > comment_id, Comment.author_id != actor_of(session).user_id
    loaded = selectinload(Comment.writer), selectinload(Comment.attachments)
    return select(Comment).where(*others).options(*loaded).order_by(Comment.id).limit(MOST_SHOWN)


def _move(session: Session, ticket: Ticket, column: str, old: str, new: str) -> Move | None:
    """Say who did it last, as far as the actor may read the log; None where it was the actor."""
    actor = actor_of(session)
    if not actor.is_staff:
        return Move(old, new)
    its = changes_where("tickets", ticket.id).where(AuditLog.changes.has_key(column))
    last = session.execute(its.order_by(*(key.order() for key in NEWEST_CHANGE_FIRST)).limit(1)).one_or_none()
    if last is not None and last.user_id == actor.user_id:
        return None
    return Move(old, new, last.user_name if last else None)


def _name(session: Session, user_id: int | None) -> str:
    person = session.get(Person, user_id) if user_id else None
    return display_name(person) if person else f"#{user_id}"


def _plain(move: Move | None) -> dict[str, str | None] | None:
    return None if move is None else {"old": move.old, "new": move.new, "by": move.by}
