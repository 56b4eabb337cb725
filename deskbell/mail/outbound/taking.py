"""Taking a message out of the outbox: its words, its way, its turn; and writing down what became of it."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.addresses import reply_address
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.mailboxes.queries import mailbox_of
from deskbell.mail.outbound.actions import HANDING_OVER, PATIENCE, add_hand_over
from deskbell.mail.outbound.conversation import thread_before
from deskbell.mail.outbound.headers import mail_of
from deskbell.mail.outbound.mime import UNWRITABLE
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.mail.outbound.notices import Notice, can_reply, write_notice
from deskbell.mail.outbound.queries import lock_message
from deskbell.mail.outbound.rates import turn_of
from deskbell.mail.outbound.recipients import Dropped
from deskbell.mail.outbound.rendering import address_of, render
from deskbell.mail.outbound.sending import Fate, Outcome, Parcel
from deskbell.mail.outbound.templates import wording_of
from deskbell.mail.outbound.undelivered import tell_undelivered
from deskbell.mail.outbound.ways import Way, way_of
from deskbell.tickets.models import Comment, Ticket

NO_SERVER: Final = "No mail server is configured: set DESKBELL_SMTP_HOST, or give the mailbox one of its own."
TWICE_INTERRUPTED: Final = "Handing it over was interrupted twice: it may have arrived, or not."
CANNOT_BE_WRITTEN: Final = "An address in its header cannot be written."
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=4)


def take_out(session: Session, message_id: int) -> Parcel | None:
    """Take a message out of the outbox in order to hand it over; None where there is nothing to hand over.

    The caller commits before it does. Whoever finds a message in `sending` knows that somebody died with it, perhaps
    after the server took it: it is handed over once more, with the same Message-ID, and not a third time.
    """
    message = lock_message(session, message_id)
    if message is None or message.state not in {OutboundState.QUEUED, OutboundState.SENDING}:
        return None
    now = resources_of(session).clock.now()
    if message.state is OutboundState.SENDING and not _may_go_on(session, message):
        return None
    if message.attempts == 0 and not _prepare(session, message):
        return None
    mailbox = session.get(Mailbox, message.mailbox_id) if message.mailbox_id else None
    try:
        way = way_of(session, mailbox)
    except DeskbellError as error:  # a secret that cannot be opened
        _put_off(session, message, error.message, now + _pause(message))
        return None
    return _on_its_way(session, message, mailbox, way, now)


def write_down(session: Session, given: Parcel, returned: Outcome) -> None:
    """Record what became of a message; one that may get through later is tried again."""
    message, now = lock_message(session, given.message_id), resources_of(session).clock.now()
    if message is None or message.state is not OutboundState.SENDING:
        return
    message.reason = returned.reason
    if returned.fate is Fate.TAKEN:
        _close(session, message, OutboundState.SENT)
        message.sent_at = now
        message.html = message.text = ""  # words that let somebody in are not kept longer than they are needed
    elif returned.fate is Fate.REFUSED or now - message.created_at > PATIENCE:
        _close(session, message, OutboundState.FAILED)
    elif returned.fate is Fate.LATER or _may_go_on(session, message):
        _put_off(session, message, returned.reason, now + _pause(message))


def _on_its_way(
    session: Session, message: OutboundMessage, mailbox: Mailbox | None, way: Way, now: datetime
) -> Parcel | None:
    if way.server is None:
        message.state, message.reason, message.next_attempt_at = OutboundState.QUEUED, NO_SERVER, None
        return None
    turn = turn_of(session, message, mailbox, now) if mailbox is not None else None
    if mailbox is not None and turn is not None:
        _put_off(session, message, f"{mailbox.address} sends {mailbox.rate} messages a minute.", turn)
        return None
    resources = resources_of(session)
    sender = mailbox.address if mailbox else address_of(resources.reach.sender)
    try:
        mail = mail_of(session, message, mailbox)
    except UNWRITABLE as error:
        message.reason = f"{CANNOT_BE_WRITTEN} {error}"
        _close(session, message, OutboundState.FAILED)
        return None
    message.state, message.reason, message.attempts = OutboundState.SENDING, "", message.attempts + 1
    message.handed_at, message.next_attempt_at = now, now + HANDING_OVER
    whence = (message.id, sender, message.recipient, mail, way.server, resources.storage, now)
    return Parcel(*whence, way.signer, way.grant)


def _prepare(session: Session, message: OutboundMessage) -> bool:
    """Give a message its words and its Message-ID; return whether it is still to be sent.

    What has waited for a server, or for its turn, is written anew: whom it is for, and what it says, is decided when it
    is sent.
    """
    reach, mailbox = resources_of(session).reach, _mailbox_of(session, message)
    message.reply_to = reach.reply_to
    if message.kind.is_notice:
        notice = write_notice(session, message, mailbox)
        if isinstance(notice, Dropped):
            message.state, message.reason, message.next_attempt_at = OutboundState.DROPPED, notice.reason, None
            return False
        _write(session, message, notice, mailbox)
    sender = mailbox.address if mailbox else address_of(reach.sender)
    message.message_id = (
        message.message_id or f"<deskbell.{message.id}.{secrets.token_hex(12)}@{sender.rpartition('@')[2]}>"
    )
    return True


def _mailbox_of(session: Session, message: OutboundMessage) -> Mailbox | None:
    ticket = session.get(Ticket, message.ticket_id) if message.ticket_id else None
    return mailbox_of(session, ticket) if ticket is not None else None


def _write(session: Session, message: OutboundMessage, notice: Notice, mailbox: Mailbox | None) -> None:
    to = notice.to
    rendered = render(message.kind, notice.facts, to.locale, wording_of(session, message.kind, to.locale))
    message.subject, message.text, message.html = rendered.subject, rendered.text, rendered.html
    message.recipient = to.address
    message.copies = list(to.named) if len(to.named) > 1 else []
    message.mailbox_id = mailbox.id if mailbox else None
    message.reply_to = _reply_to(session, message, mailbox, to.user_id) or message.reply_to
    message.thread = thread_before(session, message)
    message.in_reply_to = message.thread[-1] if message.thread else None


def _reply_to(session: Session, message: OutboundMessage, mailbox: Mailbox | None, user_id: int | None) -> str:
    """Return where answers go: where there can be one, an address that says by itself which ticket they belong to."""
    if mailbox is None or message.ticket_id is None:
        return ""
    comment = session.get(Comment, message.comment_id) if message.comment_id else None
    if mailbox.is_plus and can_reply(message, comment, mailbox):
        return reply_address(resources_of(session).reach, mailbox.address, message.ticket_id, user_id)
    return mailbox.address


def _may_go_on(session: Session, message: OutboundMessage) -> bool:
    """Note an interruption; the second one is the end."""
    if message.interrupted:
        message.reason = TWICE_INTERRUPTED
        _close(session, message, OutboundState.FAILED)
        return False
    message.interrupted = True
    return True


def _close(session: Session, message: OutboundMessage, state: OutboundState) -> None:
    message.state, message.interrupted, message.next_attempt_at = state, False, None
    if state is OutboundState.FAILED and message.kind in {OutboundKind.ANSWERED, OutboundKind.RECEIVED}:
        tell_undelivered(session, message)


def _put_off(session: Session, message: OutboundMessage, reason: str, until: datetime) -> None:
    message.state, message.reason, message.next_attempt_at = OutboundState.QUEUED, reason, until
    add_hand_over(session, message.id, run_at=until)


def _pause(message: OutboundMessage) -> timedelta:
    pause: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(message.attempts - 1, 0), 20))
    return pause
