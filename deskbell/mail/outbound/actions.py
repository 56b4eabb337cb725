"""Use cases of the outbox: putting a message in, taking one out to be sent, and writing down what became of it."""

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.orm import Session

from deskbell.kernel.jobs import add_job
from deskbell.kernel.reach import Reach
from deskbell.kernel.resources import resources_of
from deskbell.mail.outbound.letters import Facts
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.mail.outbound.notices import thread_before, write_notice
from deskbell.mail.outbound.queries import lock_message
from deskbell.mail.outbound.rendering import address_of, mime_of, render
from deskbell.mail.outbound.sending import Fate, Outcome, Parcel

HAND_OVER: Final = "mail.hand_over"
NO_SERVER: Final = "No mail server is configured: set DESKBELL_SMTP_HOST."
TWICE_INTERRUPTED: Final = "Handing it over was interrupted twice: it may have arrived, or not."
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=4)
PATIENCE: Final = timedelta(days=3)
"""After which a message that no server takes has failed."""
HANDING_OVER: Final = timedelta(minutes=10)
"""After which nobody can still be handing a message over."""


def queue_notice(
    session: Session, kind: OutboundKind, *, user_id: int, ticket_id: int, comment_id: int | None = None
) -> None:
    """Tell somebody about a ticket: whoever acts may, as its words are written by the job that sends it."""
    row = {"kind": kind, "user_id": user_id, "ticket_id": ticket_id}
    if comment_id is not None:
        row["comment_id"] = comment_id
    _add(session, row)


def queue_letter(
    session: Session, kind: OutboundKind, facts: Facts, *, recipient: str, locale: str, user_id: int | None
) -> None:
    """Write to an address. For the system alone."""
    _add(session, {"kind": kind, "user_id": user_id, "recipient": recipient, **_words(kind, facts, locale)})


def take_out(session: Session, message_id: int) -> Parcel | None:
    """Take a message out of the outbox in order to hand it over; None where there is nothing to hand over.

    The caller commits before it does. Whoever finds a message in `sending` knows that somebody died with it, perhaps
    after the server took it: it is handed over once more, with the same Message-ID, and not a third time.
    """
    message, resources = lock_message(session, message_id), resources_of(session)
    if message is None or message.state not in {OutboundState.QUEUED, OutboundState.SENDING}:
        return None
    now, reach = resources.clock.now(), resources.reach
    if message.state is OutboundState.SENDING and not _may_go_on(message):
        return None
    if not message.message_id and not _prepare(session, message, reach, now):
        return None
    if reach.server is None:
        message.state, message.reason, message.next_attempt_at = OutboundState.QUEUED, NO_SERVER, None
        return None
    message.state, message.reason, message.attempts = OutboundState.SENDING, "", message.attempts + 1
    message.next_attempt_at = now + HANDING_OVER
    content = mime_of(message, reach.sender, message.created_at)
    return Parcel(message.id, address_of(reach.sender), message.recipient, content, reach.server)


def write_down(session: Session, given: Parcel, returned: Outcome) -> None:
    """Record what became of a message; one that may get through later is tried again."""
    message, now = lock_message(session, given.message_id), resources_of(session).clock.now()
    if message is None or message.state is not OutboundState.SENDING:
        return
    message.reason = returned.reason
    if returned.fate is Fate.TAKEN:
        _close(message, OutboundState.SENT)
        message.sent_at = now
    elif returned.fate is Fate.REFUSED or now - message.created_at > PATIENCE:
        _close(message, OutboundState.FAILED)
    elif returned.fate is Fate.LATER or _may_go_on(message):
        _wait(session, message, now)


def retry(session: Session, message: OutboundMessage, now: datetime) -> bool:
    """Send a message that waits or has failed, at once; return whether it can be: its link may be gone by now."""
    if not (message.text or message.kind.is_notice):
        return False
    message.state, message.reason, message.interrupted = OutboundState.QUEUED, "", False
    message.next_attempt_at = now
    _add_job(session, message.id)
    return True


def _may_go_on(message: OutboundMessage) -> bool:
    """Note an interruption; the second one is the end."""
    if message.interrupted:
        message.reason = TWICE_INTERRUPTED
        message.state, message.next_attempt_at = OutboundState.FAILED, None
    message.interrupted = True
    return message.state is not OutboundState.FAILED


def _prepare(session: Session, message: OutboundMessage, reach: Reach, now: datetime) -> bool:
    """Give a message its words and its Message-ID; return whether it is still to be sent."""
    if message.kind.is_notice:
        notice = write_notice(session, message, reach, now)
        if notice is None:
            message.reason = "There is nobody to be told any more."
            message.state, message.next_attempt_at = OutboundState.FAILED, None
            return False
        message.recipient = notice.recipient
        for name, value in _words(message.kind, notice.facts, notice.locale).items():
            setattr(message, name, value)
        message.thread = thread_before(session, message)
        message.in_reply_to = message.thread[-1] if message.thread else None
    domain = address_of(reach.sender).rpartition("@")[2]
    message.message_id = f"<deskbell.{message.id}.{secrets.token_hex(12)}@{domain}>"
    message.reply_to = reach.reply_to
    return True


def _words(kind: OutboundKind, facts: Facts, locale: str) -> dict[str, Any]:
    rendered = render(kind, facts, locale)
    return {"subject": rendered.subject, "text": rendered.text, "html": rendered.html}


def _close(message: OutboundMessage, state: OutboundState) -> None:
    """End it. Words that let somebody in are not kept longer than they are needed."""
    message.state, message.interrupted, message.next_attempt_at = state, False, None
    if state is OutboundState.SENT:
        message.html = message.text = ""


def _wait(session: Session, message: OutboundMessage, now: datetime) -> None:
    pause: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(message.attempts - 1, 20))
    message.state, message.next_attempt_at = OutboundState.QUEUED, now + pause
    _add_job(session, message.id, run_at=now + pause)


def _add(session: Session, row: dict[str, Any]) -> None:
    message_id = session.scalar(insert(OutboundMessage).values(row).returning(OutboundMessage.id))
    assert message_id is not None  # noqa: S101 - an INSERT returns its row
    _add_job(session, message_id)


def _add_job(session: Session, message_id: int, *, run_at: datetime | None = None) -> None:
    """One at a time for a message."""
    add = partial(add_job, session, HAND_OVER, lock=f"{HAND_OVER}:{message_id}", run_at=run_at)
    add(message_id=message_id)
