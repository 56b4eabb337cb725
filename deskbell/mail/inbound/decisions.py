"""What people decide about messages: to let one in, to turn it away, or to have it read again, or many.

Whoever decides is the actor. A decision only says so and adds a job: the message is filed by that, as any other.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line
from deskbell.mail.inbound.errors import AlreadyFiledError, NobodyDecidesError, NoSuchMailError, NotWaitingError
from deskbell.mail.inbound.jobs import queue_filing
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.inbound.queries import FILED, came_to
from deskbell.tickets.actions import require_staff

LET_IN: Final = (MailState.SUSPENDED, MailState.AUTOMATIC, MailState.REJECTED)
"""What somebody may let in: a robot that was none, and what was turned away too early, as well."""
TURNED_AWAY: Final = (MailState.SUSPENDED, MailState.FAILED)
QUEUED_AT_ONCE: Final = 1_000
"""Messages that get a job of their own when many are read again; the job of each minute takes up the others."""
REASON_LENGTH: Final = 500
ONLY_THE_DESK: Final = "Only the desk decides about mail."


def release(session: Session, inbound_id: int) -> None:
    """Let a message in: into the ticket that it claims to answer, else as a new one. Nothing suspends it again.

    Raises NoSuchMailError, NotWaitingError for a message that is neither suspended nor taken for a robot's nor
    rejected, NobodyDecidesError for the system.
    """
    message, decider = _lock(session, inbound_id), actor_of(session).user_id
    if decider is None:
        raise NobodyDecidesError
    if message.state not in LET_IN:
        raise NotWaitingError(f"Message {inbound_id} is not suspended, but {message.state.value}.")
    message.released_by_id = decider
    _read_again(session, message)


def reject(session: Session, inbound_id: int, why: str = "") -> None:
    """Turn a message away: it stays in the ledger, and in no ticket. `why` is for whoever looks at it later.

    Raises NoSuchMailError, NotWaitingError for a message that is neither suspended nor failed.
    """
    message = _lock(session, inbound_id)
    if message.state not in TURNED_AWAY:
        raise NotWaitingError(f"Message {inbound_id} waits for no decision: it is {message.state.value}.")
    message.state, message.reason = MailState.REJECTED, one_line(why, REASON_LENGTH) or message.reason
    session.flush()  # whoever looks next sees it


def replay(session: Session, inbound_id: int) -> None:
    """Have a message read and filed again, after a fix. One that was never filed may as well be read once more.

    Raises NoSuchMailError, AlreadyFiledError for one that became a ticket or a comment.
    """
    message = _lock(session, inbound_id)
    if message.state in FILED:
        raise AlreadyFiledError(f"Message {inbound_id} is in its ticket already. Filing it again would repeat it.")
    _read_again(session, message)


def replay_all(
    session: Session, *, state: MailState, mailbox_id: int | None = None, since: datetime | None = None
) -> int:
    """Have all messages in a state read and filed again, those of a mailbox or since a time; return how many.

    Raises InvalidError for the states of messages that are in their tickets.
    """
    require_staff(session, ONLY_THE_DESK)
    if state in FILED:
        raise InvalidError("What became a ticket or a comment is there already.", field="state")
    chosen = [InboundMessage.state == state]
    if mailbox_id is not None:
        chosen.append(came_to(mailbox_id))
    if since is not None:
        chosen.append(InboundMessage.created_at >= since)
    again = update(InboundMessage).where(*chosen).values(state=MailState.RECEIVED, reason="")
    ids = sorted(session.scalars(again.returning(InboundMessage.id)))
    for inbound_id in ids[:QUEUED_AT_ONCE]:
        queue_filing(session, inbound_id)
    return len(ids)


def _lock(session: Session, inbound_id: int) -> InboundMessage:
    require_staff(session, ONLY_THE_DESK)
    statement = select(InboundMessage).where(InboundMessage.id == inbound_id)
    message = session.scalar(statement.with_for_update().execution_options(populate_existing=True))
    if message is None:
        raise NoSuchMailError(f"There is no message {inbound_id} in the ledger.")
    return message


def _read_again(session: Session, message: InboundMessage) -> None:
    message.state, message.reason = MailState.RECEIVED, ""
    session.flush()  # before the job, which finds it so
    queue_filing(session, message.id)
