"""What the outbox does when something happens to a ticket. Bulk changes and imports tell nobody.

Whom a customer's act concerns is found out by a job: their role knows neither agents nor other customers.
"""

from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Boolean, func, true
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import actor_of
from deskbell.kernel.jobs import add_job_if
from deskbell.kernel.resources import RESOURCES_KEY, Resources, resources_of
from deskbell.kernel.text import normalized_email
from deskbell.mail.mailboxes.queries import NOTHING_SENDS
from deskbell.mail.outbound.actions import queue_notice
from deskbell.mail.outbound.models import OutboundKind
from deskbell.mail.outbound.recipients import is_told
from deskbell.tickets.copies import copies_of
from deskbell.tickets.events import Mentioned, Replied, TicketAssigned, TicketOpened
from deskbell.tickets.models import Comment, Ticket

TELL_DESK: Final = "mail.tell_desk"
ANSWERS_FROM: Final = frozenset({Channel.WEB, Channel.API, Channel.CLI, Channel.MAIL})
NEWS_FROM: Final = frozenset({Channel.WEB, Channel.API, Channel.CLI, Channel.JOB, Channel.RULE})
"""What a mail says comes by a job; where a command files mail or makes data, that is old news."""
_ALWAYS: Final = true()
_WHERE_MAILBOXES_SEND: Final = func.deskbell_mailboxes_send(type_=Boolean)


def tell_received(session: Session, event: TicketOpened) -> None:
    """Say that a request came in where it did so on a page. To mail the filing answers, which knows from whom it is."""
    if not _reach(session, "tells_requesters"):
        return
    ticket = session.get_one(Ticket, event.ticket_id)
    if ticket.channel is not Channel.WEB:
        return
    requester = session.get(User, ticket.creator_id)
    if requester is not None and is_told(requester):
        queue_notice(session, OutboundKind.RECEIVED, user_id=requester.id, ticket_id=ticket.id)


def tell_answered(session: Session, event: Replied) -> None:
    """Send the requester, and who gets copies, what somebody of the desk has answered: each a message of their own."""
    if not _reach(session, "tells_requesters"):
        return
    ticket, comment = session.get_one(Ticket, event.ticket_id), session.get_one(Comment, event.comment_id)
    if comment.channel not in ANSWERS_FROM or comment.author_id == ticket.creator_id:
        return
    author, requester = session.get(User, comment.author_id), session.get(User, ticket.creator_id)
    if author is None or not author.is_staff or requester is None:
        return  # a customer sees neither agents nor other customers: what they write tells nobody
    tell = partial(
        queue_notice,
        session,
        OutboundKind.ANSWERED,
        ticket_id=ticket.id,
        comment_id=comment.id,
        run_at=_when_whole(session, comment),
    )
    if is_told(requester):
        tell(user_id=requester.id)
    known = {normalized_email(requester.email), normalized_email(author.email)}
    for copied in copies_of(session, ticket.id):
        if normalized_email(copied.email) not in known:
            tell(copy_id=copied.id)


def _when_whole(session: Session, comment: Comment) -> datetime | None:
    """Return when an answer may leave: a program attaches files after it has written, a person before."""
    resources = resources_of(session)
    return resources.clock.now() + resources.undo if comment.channel is Channel.API else None


def tell_of_opened(session: Session, event: TicketOpened) -> None:
    """Have the desk told of a new request."""
    _tell_desk(session, OutboundKind.OPENED, event.ticket_id)


def tell_of_reply(session: Session, event: Replied) -> None:
    """Have the desk told of what somebody from outside has written."""
    if not _reach(session, "tells_desk"):
        return
    comment = session.get_one(Comment, event.comment_id)
    author = session.get(User, comment.author_id)
    if author is not None and not author.is_staff:
        _tell_desk(session, OutboundKind.REPLIED, event.ticket_id, comment_id=comment.id)


def tell_assigned(session: Session, event: TicketAssigned) -> None:
    """Have somebody told that a ticket is theirs now, but for who took it."""
    if event.assignee_id is not None and event.assignee_id != actor_of(session).user_id:
        _tell_desk(session, OutboundKind.ASSIGNED, event.ticket_id, user_ids=[event.assignee_id])


def tell_mentioned(session: Session, event: Mentioned) -> None:
    """Have people told that they are mentioned, but for who mentions themselves."""
    comment = session.get_one(Comment, event.comment_id)
    others = [user_id for user_id in event.user_ids if user_id != comment.author_id]
    if others:
        _tell_desk(session, OutboundKind.MENTIONED, event.ticket_id, comment_id=comment.id, user_ids=others)


def _tell_desk(
    session: Session,
    kind: OutboundKind,
    ticket_id: int,
    *,
    comment_id: int | None = None,
    user_ids: list[int] | None = None,
) -> None:
    actor = actor_of(session)
    if not _reach(session, "tells_desk") or actor.channel not in NEWS_FROM:
        return
    resources = resources_of(session)
    has_server = resources.reach.server is not None
    # Where no mail leaves nothing is written: agents see on their pages what is new, and a ticket is opened sooner.
    if not has_server and resources.lately.holds(NOTHING_SENDS):
        return
    was_added = add_job_if(
        session,
        _ALWAYS if has_server else _WHERE_MAILBOXES_SEND,
        TELL_DESK,
        kind=kind.value,
        ticket_id=ticket_id,
        comment_id=comment_id,
        by=actor.user_id,
        user_ids=user_ids,
    )
    if not has_server:
        resources.lately.learn(NOTHING_SENDS, lambda: not was_added())


def _reach(session: Session, name: str) -> bool:
    resources: Resources | None = session.info.get(RESOURCES_KEY)
    return resources is not None and bool(getattr(resources.reach, name))
