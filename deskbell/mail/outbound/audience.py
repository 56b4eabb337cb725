"""Whom of the desk something concerns: who has a ticket, its team, or who gives tickets out."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, TeamMember, User
from deskbell.accounts.queries import agents
from deskbell.kernel.actor import Channel
from deskbell.mail.inbound.models import Arrival, InboundMessage
from deskbell.mail.inbound.queries import FILED
from deskbell.mail.outbound.models import OutboundKind
from deskbell.tickets.models import Comment, Ticket

OLD: Final = timedelta(days=2)
"""A mail that was written so long before it came is no news."""


def concerned(session: Session, kind: OutboundKind, ticket: Ticket) -> Iterable[int]:
    """Return whom of the desk a new request, or what was written in one, concerns: their ids.

    What somebody wrote concerns who has the ticket. What nobody has concerns its team; without a team, administrators,
    who give tickets to teams, and on a desk without teams everybody.
    """
    if kind is OutboundKind.REPLIED and ticket.assignee_id is not None:
        return session.scalars(_ids().where(User.id == ticket.assignee_id)).all()
    if ticket.team_id is not None:
        members = select(TeamMember.user_id).where(TeamMember.team_id == ticket.team_id)
        return session.scalars(_ids().where(User.id.in_(members))).all()
    has_teams = exists().select_from(TeamMember)
    return session.scalars(_ids().where((User.role == Role.ADMIN) | ~has_teams)).all()


def is_news(session: Session, ticket: Ticket, comment: Comment | None) -> bool:
    """Say whether something has happened just now: not what lay in files, nor what was fetched long after."""
    channel = comment.channel if comment else ticket.channel
    if channel is not Channel.MAIL:
        return True
    it = InboundMessage
    its = it.comment_id == comment.id if comment else (it.ticket_id == ticket.id) & it.comment_id.is_(None)
    arrived = exists().where(Arrival.inbound_id == it.id, Arrival.is_delivered)
    fresh = it.sent_at.is_(None) | (it.sent_at > it.created_at - OLD)
    return bool(session.scalar(select(exists().where(its, it.state.in_(FILED), arrived, fresh))))


def _ids() -> Select[int]:
    return agents().with_only_columns(User.id).order_by(None).order_by(User.id)
