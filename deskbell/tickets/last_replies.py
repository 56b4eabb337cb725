"""Who spoke last on each ticket of a list, and when: notes of the desk do not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from deskbell.accounts.models import User, display_name
from deskbell.tickets.models import Comment


@dataclass(frozen=True, slots=True)
class LastReply:
    """The newest public message after the first one."""

    at: datetime
    author_id: int
    author: str
    by_staff: bool


def last_replies(session: Session, ticket_ids: Sequence[int]) -> dict[int, LastReply]:
    """Return the last reply of each ticket that has one. One statement, for the desk alone."""
    if not ticket_ids:
        return {}
    wanted = func.unnest(literal(list(ticket_ids), ARRAY(BigInteger))).table_valued("id").render_derived()
    newest = (
        select(Comment.author_id, Comment.created_at)
        .where(Comment.ticket_id == wanted.c.id, Comment.is_internal.is_(False))
        .order_by(Comment.created_at.desc(), Comment.id.desc())
        .limit(1)
        .lateral("newest")
    )
    author = select(User.id, User.full_name, User.email, User.is_staff).where(User.id == newest.c.author_id).lateral()
    statement = select(wanted.c.id.label("ticket_id"), newest.c.created_at, author).select_from(wanted)
    rows = session.execute(statement.join(newest, true()).join(author, true()))
    return {row.ticket_id: LastReply(row.created_at, row.id, display_name(row), row.is_staff) for row in rows}
