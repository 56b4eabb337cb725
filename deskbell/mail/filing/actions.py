"""Filing a message: it ends as a ticket, as a comment, or in a state that says why neither."""

from typing import Final

from sqlalchemy.orm import Session

from deskbell.kernel.errors import DeskbellError, UnavailableError
from deskbell.kernel.faults import sqlstate, translated
from deskbell.kernel.resources import Resources, resources_of
from deskbell.kernel.text import human_bytes, one_line
from deskbell.mail.filing.acknowledgements import acknowledge
from deskbell.mail.filing.bounces import bounce
from deskbell.mail.filing.breakers import too_much
from deskbell.mail.filing.duplicates import duplicate
from deskbell.mail.filing.follow_ups import begins_follow_up, current, follow
from deskbell.mail.filing.in_copy import keep_copies, keep_writer
from deskbell.mail.filing.incoming import Incoming, Verdict
from deskbell.mail.filing.people import kept_out, shut_out, takes_part
from deskbell.mail.filing.robots import robot
from deskbell.mail.filing.threads import Thread, Way, thread_of
from deskbell.mail.filing.writing import author_of, write_comment, write_ticket
from deskbell.mail.inbound.fingerprints import fingerprint
from deskbell.mail.inbound.ledger import lock_unread
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.parsing import ParsedMail, parse
from deskbell.tickets.actions import TITLE_LENGTH
from deskbell.tickets.models import Ticket

PASSING: Final = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of a lock that somebody else holds just now: nothing is wrong with the message."""


def file_message(session: Session, message_id: int) -> MailState | None:
    """Read a message of the ledger and file it. Return its state; None when somebody else has filed it.

    Whatever a message does, it ends in a state: only a database or a disk that does not answer raises.
    """
    message = lock_unread(session, message_id)
    if message is None:
        return None
    resources = resources_of(session)
    verdict = _unreadable(message, resources) or _read_and_file(session, message, resources)
    message.state, message.reason, message.filed_at = verdict.state, verdict.reason, resources.clock.now()
    if verdict.state is not MailState.FAILED:  # where somebody let it in, it is still to go
        message.ticket_id = verdict.ticket.id if verdict.ticket else None
    message.comment_id = verdict.comment.id if verdict.comment else None
    message.bounced_id = verdict.bounced_id
    session.flush()  # the caller reads the state
    return verdict.state


def _unreadable(message: InboundMessage, resources: Resources) -> Verdict | None:
    if not message.raw.strip():
        return Verdict(MailState.FAILED, "The message is empty: 0 bytes to read.")
    if message.size > resources.mail_bytes:
        size, limit = human_bytes(message.size), human_bytes(resources.mail_bytes)
        how = "Raise DESKBELL_MAIL_MAX_BYTES and replay it."
        return Verdict(MailState.FAILED, f"The message has {size}, more than {limit}; it is kept unread. {how}")
    return None


def _read_and_file(session: Session, message: InboundMessage, resources: Resources) -> Verdict:
    try:
        parsed = parse(message.raw)
        _note(message, parsed)
        incoming = Incoming(session, message, parsed, resources)
        message.mailbox_id = incoming.mailbox.id if incoming.mailbox else None
        with session.begin_nested():
            return _decide(incoming)
    except Exception as error:
        known = error if isinstance(error, DeskbellError) else translated(error, {})
        if isinstance(known, UnavailableError) or sqlstate(error) in PASSING:
            raise
        reason = known.message if known else f"It could not be filed ({type(error).__name__}); the raw message is kept."
        return Verdict(MailState.FAILED, reason)


def _note(message: InboundMessage, parsed: ParsedMail) -> None:
    message.fingerprint = fingerprint(message.raw)
    message.message_id = parsed.message_id
    message.sender = parsed.sender.email if parsed.sender else None
    message.subject = one_line(parsed.subject, TITLE_LENGTH)
    message.sent_at = parsed.date
    message.defects = list(parsed.defects)


def _decide(incoming: Incoming) -> Verdict:
    """Say what the message is, in this order; what a person wrote belongs to a ticket or begins one."""
    known = duplicate(incoming) or bounce(incoming) or robot(incoming)
    if known is not None and known.state is not MailState.SUSPENDED:
        return known
    thread = thread_of(incoming)
    reason = known.reason if known else shut_out(incoming)
    if reason:
        return Verdict(MailState.SUSPENDED, reason, thread.ticket if thread else None)
    return _as_new(incoming) if thread is None else _as_answer(incoming, thread)


def _as_answer(incoming: Incoming, thread: Thread) -> Verdict:
    reason = kept_out(incoming, thread)
    ticket = thread.ticket if reason else current(incoming, thread.ticket)
    reason = reason or too_much(incoming, ticket)
    if reason:
        return Verdict(MailState.SUSPENDED, reason, ticket)
    # Anybody can write a number, and somebody's name in From, and would so get all answers.
    may_name_others = thread.way is not Way.NUMBER and takes_part(incoming, ticket)
    if begins_follow_up(incoming, ticket):
        return _as_new(incoming, ticket, may_name_others=may_name_others)
    author = author_of(incoming)
    comment = write_comment(incoming, ticket, author)
    if may_name_others or incoming.is_released:  # not whom a signed address was passed on to: that may be anybody
        keep_writer(incoming, ticket, author)
    if may_name_others:
        keep_copies(incoming, ticket)
    return Verdict(MailState.COMMENT, "", ticket, comment)


def _as_new(incoming: Incoming, closed: Ticket | None = None, *, may_name_others: bool = True) -> Verdict:
    reason = too_much(incoming, None)
    if reason:
        return Verdict(MailState.SUSPENDED, reason, closed)
    author = author_of(incoming)
    ticket = write_ticket(incoming, author)
    if may_name_others:
        keep_copies(incoming, ticket)
    if closed is not None:
        follow(incoming, ticket, closed, author)
    acknowledge(incoming, ticket, author)
    reason = f"It follows up {closed.ticket_number}, which is closed." if closed else ""
    return Verdict(MailState.TICKET, reason, ticket)
