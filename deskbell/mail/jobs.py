"""Jobs of the mail slice."""

from sqlalchemy.orm import Session

from deskbell.mail.filing import file_message
from deskbell.mail.ledger import unread

MESSAGES_PER_RUN = 50


def file_received(session: Session) -> int:
    """File messages that were written down but, after a crash perhaps, never read. Return how many."""
    waiting = session.scalars(unread().limit(MESSAGES_PER_RUN)).all()
    return sum(file_message(session, message_id) is not None for message_id in waiting)
