"""Jobs about the ledger: having a message filed that was just written down, or that a crash left unread."""

from typing import Final

from sqlalchemy.orm import Session

from deskbell.kernel.jobs import add_jobs
from deskbell.mail.inbound.ledger import unread

FILE_MESSAGE: Final = "mail.file_message"
MESSAGES_AT_ONCE: Final = 200


def queue_filing(session: Session, *inbound_ids: int, priority: int = 0) -> None:
    """Have messages filed as soon as they are committed; of lower `priority`, after what else there is to do."""
    add_jobs(session, FILE_MESSAGE, [{"message_id": each} for each in inbound_ids], priority=priority)


def file_received(session: Session) -> int:
    """Add a job for each message that was written down but, after a crash perhaps, never read. Return how many.

    One job for each, so that no message waits for another, whatever that one does.
    """
    waiting = session.scalars(unread().limit(MESSAGES_AT_ONCE)).all()
    for message_id in waiting:
        queue_filing(session, message_id)
    return len(waiting)
