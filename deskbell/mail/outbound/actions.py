"""Use cases of the outbox: putting a message in, and sending one again. What becomes of them is in `taking`."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.jobs import add_job
from deskbell.mail.outbound.letters import Facts
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.mail.outbound.queries import OVER
from deskbell.mail.outbound.rendering import render
from deskbell.mail.outbound.templates import wording_of

HAND_OVER: Final = "mail.hand_over"
PATIENCE: Final = timedelta(days=3)
"""After which a message that no server takes has failed."""
HANDING_OVER: Final = timedelta(minutes=10)
"""After which nobody can still be handing a message over."""


def queue_notice(
    session: Session,
    kind: OutboundKind,
    *,
    ticket_id: int,
    user_id: int | None = None,
    comment_id: int | None = None,
    copy_id: int | None = None,
    run_at: datetime | None = None,
) -> int:
    """Tell somebody about a ticket, a person or who gets copies of it, at `run_at` (default: at once).

    Return the id of the message. Whoever acts may, as its words are written by the job that sends it.
    """
    row = {"kind": kind, "ticket_id": ticket_id, "user_id": user_id, "comment_id": comment_id, "copy_id": copy_id}
    return _add(session, {name: value for name, value in row.items() if value is not None}, run_at)


def queue_letter(
    session: Session, kind: OutboundKind, facts: Facts, *, recipient: str, locale: str, user_id: int | None
) -> None:
    """Write to an address. For the system alone."""
    rendered = render(kind, facts, locale, wording_of(session, kind, locale))
    words = {"subject": rendered.subject, "text": rendered.text, "html": rendered.html}
    _add(session, {"kind": kind, "user_id": user_id, "recipient": recipient, **words})


def resend(session: Session, message_id: int) -> int:
    """Send an answer or a notice once more, as a new message, and return its id. The old one stays as it is.

    Raises NotFoundError, ConflictError for one that is on its way, InvalidError for what cannot be sent again.
    """
    if not actor_of(session).is_staff:
        raise ForbiddenError("Only the desk sends messages again.")
    it = OutboundMessage  # not its words, which are not for agents
    about = select(it.kind, it.state, it.user_id, it.ticket_id, it.comment_id, it.copy_id).where(it.id == message_id)
    old = session.execute(about).one_or_none()
    if old is None:
        raise NotFoundError(f"There is no outgoing message {message_id}.")
    if old.state not in OVER:
        raise ConflictError("This message is on its way: it waits for its turn, or for the mail server.")
    if not old.kind.is_notice:
        raise InvalidError("Its link let somebody in once. They can ask for another one.", field="id")
    if old.ticket_id is None or (old.user_id is None and old.copy_id is None):
        raise InvalidError("Whoever it went to gets no copies any more.", field="id")
    ids = {"user_id": old.user_id, "comment_id": old.comment_id, "copy_id": old.copy_id}
    return queue_notice(session, old.kind, ticket_id=old.ticket_id, **ids)


def retry(session: Session, message: OutboundMessage, now: datetime) -> bool:
    """Send a message that waits or has failed, at once; return whether it can be: its link may be gone by now."""
    if not (message.text or message.kind.is_notice):
        return False
    message.state, message.reason, message.interrupted = OutboundState.QUEUED, "", False
    message.next_attempt_at = now
    add_hand_over(session, message.id)
    return True


def add_hand_over(session: Session, message_id: int, *, run_at: datetime | None = None) -> None:
    """Add the job that hands a message over; one at a time for each."""
    add = partial(add_job, session, HAND_OVER, lock=f"{HAND_OVER}:{message_id}", run_at=run_at)
    add(message_id=message_id)


def _add(session: Session, row: dict[str, Any], run_at: datetime | None = None) -> int:
    message_id: int = session.execute(insert(OutboundMessage).values(row).returning(OutboundMessage.id)).scalar_one()
    add_hand_over(session, message_id, run_at=run_at)
    return message_id
