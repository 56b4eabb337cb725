"""Jobs of the mail slice."""

from sqlalchemy.orm import Session

from deskbell.kernel.jobs import add_job
from deskbell.mail import filing
from deskbell.mail.ledger import unread

FILE_MESSAGE = "mail.file_message"
MESSAGES_AT_ONCE = 200


def file_received(session: Session) -> int:
    """Add a job for each message that was written down but, after a crash perhaps, never read. Return how many.

    One job for each, so that no message waits for another, whatever that one does.
    """
    waiting = session.scalars(unread().limit(MESSAGES_AT_ONCE)).all()
    for message_id in waiting:
        add_job(session, FILE_MESSAGE, message_id=message_id)
    return len(waiting)


def file_message(session: Session, message_id: int) -> None:
    """File one message, unless somebody else has done so."""
    filing.file_message(session, message_id)
