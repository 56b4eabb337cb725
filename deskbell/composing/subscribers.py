"""What happens when something was said: whoever is mentioned in it is written down, and hears of it."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.composing.mentions import mentioned
from deskbell.composing.models import Mention
from deskbell.composing.queries import colleagues
from deskbell.kernel.database import actor_of
from deskbell.kernel.events import publish
from deskbell.tickets.events import Mentioned, NoteAdded, Replied
from deskbell.tickets.models import Comment


def note_mentions(session: Session, event: Replied | NoteAdded) -> None:
    """Write down whom the desk's people mention; customers mention nobody. No statement where there is no @."""
    if not actor_of(session).is_staff:
        return
    comment = session.get_one(Comment, event.comment_id)
    if "@" not in comment.content:
        return
    is_staff = session.scalar(select(User.is_staff).where(User.id == comment.author_id))
    ids = mentioned(comment.content, colleagues(session)) if is_staff else []
    if ids:
        rows = [{"comment_id": comment.id, "ticket_id": comment.ticket_id, "user_id": user_id} for user_id in ids]
        session.execute(insert(Mention).on_conflict_do_nothing(), rows)
        publish(session, Mentioned(comment.ticket_id, comment.id, tuple(ids)))
