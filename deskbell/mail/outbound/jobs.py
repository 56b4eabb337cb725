"""Jobs of the outbox."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from deskbell.accounts.link_models import LinkPurpose
from deskbell.accounts.links import make_link
from deskbell.kernel.jobs import add_job
from deskbell.kernel.resources import resources_of
from deskbell.mail.outbound.actions import PATIENCE, add_hand_over, queue_letter, queue_notice
from deskbell.mail.outbound.audience import concerned, is_news
from deskbell.mail.outbound.letters import Facts
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.mail.outbound.notices import site_name
from deskbell.mail.outbound.queries import overdue
from deskbell.tickets.models import Comment, Ticket

SEND_LINK: Final = "mail.send_link"
AT_ONCE: Final = 200
LATE: Final = timedelta(minutes=2)
KEPT: Final = timedelta(days=2)
LETTERS: Final = tuple(kind for kind in OutboundKind if not kind.is_notice)
_KINDS: Final[Mapping[LinkPurpose, OutboundKind]] = {
    LinkPurpose.REGISTER: OutboundKind.CONFIRM,
    LinkPurpose.RESET: OutboundKind.RESET,
    LinkPurpose.LOG_IN: OutboundKind.LOG_IN,
}


def ask_for_link(session: Session, purpose: LinkPurpose, email: str, locale: str) -> None:
    """Have a link sent to an address. Nothing is looked up here: the answer, and its time, tell nothing."""
    add_job(session, SEND_LINK, purpose=purpose.value, email=email, locale=locale)


def send_link(session: Session, purpose: str, email: str, locale: str) -> None:
    """Send an address the link that somebody asked for, where there is one to be sent."""
    resources = resources_of(session)
    made = make_link(session, LinkPurpose(purpose), email, locale=locale, now=resources.clock.now())
    if made is None:
        return
    link, reach = made.link, resources.reach
    lifetime = int((link.expires_at - link.created_at).total_seconds())
    facts = Facts(f"{reach.site_url}/sign-in?token={made.secret}", site_name(reach), lifetime)
    kind = OutboundKind.KNOWN if made.is_known else _KINDS[link.purpose]
    queue_letter(session, kind, facts, recipient=link.email, locale=link.locale, user_id=link.user_id)


def tell_desk(
    session: Session,
    kind: str,
    ticket_id: int,
    comment_id: int | None = None,
    by: int | None = None,
    user_ids: Sequence[int] | None = None,
) -> int:
    """Write notices to those of the desk whom something concerns; return how many. Whoever did it hears nothing."""
    ticket = session.get_one(Ticket, ticket_id)
    comment = session.get(Comment, comment_id) if comment_id is not None else None
    if ticket.deleted_at is not None or (user_ids is None and not is_news(session, ticket, comment)):
        return 0
    told = concerned(session, OutboundKind(kind), ticket) if user_ids is None else user_ids
    authors = {by, comment.author_id if comment else None}
    others = [user_id for user_id in told if user_id not in authors]
    for user_id in others:
        queue_notice(session, OutboundKind(kind), user_id=user_id, ticket_id=ticket_id, comment_id=comment_id)
    return len(others)


def forget_links(session: Session) -> int:
    """Remove the words of messages that let somebody in and were never sent: their links do not work any more."""
    old = OutboundMessage.created_at < resources_of(session).clock.now() - KEPT
    unsent = (OutboundMessage.kind.in_(LETTERS), OutboundMessage.text != "", old)
    statement = update(OutboundMessage).where(*unsent).values(text="", html="", state=OutboundState.FAILED)
    return len(session.execute(statement.returning(OutboundMessage.id)).all())


def hand_over_waiting(session: Session) -> int:
    """Add jobs for messages whose own ones are gone, and, once there is a server, for those that waited for one.

    Return how many. What has waited for longer than three days is old news, and sent only when somebody says so.
    """
    resources = resources_of(session)
    now, has_server = resources.clock.now(), resources.reach.server is not None
    late = session.scalars(overdue(now - LATE, now - PATIENCE, with_server=has_server).limit(AT_ONCE)).all()
    for message_id in late:
        add_hand_over(session, message_id)
    return len(late)
