"""What becomes of a message: a new ticket, a comment, or a state that says why neither.

A reply belongs to the ticket that its References name (RFC 5322, 3.6.4), else to the ticket number in its subject;
who has nothing to do with that ticket is not let in by either, and the message waits as suspended.
"""

from dataclasses import dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from deskbell.accounts.actions import find_or_create_customer
from deskbell.accounts.models import Organization, User
from deskbell.kernel.actor import Channel
from deskbell.kernel.errors import DeskbellError, InvalidError, UnavailableError
from deskbell.kernel.resources import Resources, resources_of
from deskbell.kernel.storage import sniff
from deskbell.kernel.text import clean_email, human_bytes, one_line
from deskbell.mail.ledger import lock_unread
from deskbell.mail.models import InboundMessage, MailState
from deskbell.mail.parsing import ParsedMail, parse
from deskbell.mail.threading import clean_subject, reference_chain, ticket_numbers_in
from deskbell.tickets.actions import TITLE_LENGTH, Sender, open_ticket, reply
from deskbell.tickets.bodies import MAXIMUM_LENGTH, Body
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.models import BodyFormat, Comment, Ticket

NO_TEXT = "(no text)"
PASSED_ON = ("List-", "Precedence: list", "X-Auto-Response-Suppress")
"""Signs that nobody should be answered automatically, but not that no person wrote: a desk's own address is often a
group, and whatever a customer sends through it bears them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message, and why."""

    state: MailState
    reason: str = ""
    ticket: Ticket | None = None
    comment: Comment | None = None


def file_message(session: Session, message_id: int) -> MailState | None:
    """Read a message of the ledger and file it. Return its state; None when somebody else has filed it.

    A message that cannot be filed says so in its state: only a database or a disk that does not answer raises.
    """
    message = lock_unread(session, message_id)
    if message is None:
        return None
    resources = resources_of(session)
    try:
        with session.begin_nested():
            verdict = _file(session, message, resources)
    except UnavailableError:
        raise
    except DeskbellError as error:
        verdict = Verdict(MailState.FAILED, error.message)
    except (ValueError, LookupError, RecursionError, MemoryError) as error:
        verdict = Verdict(MailState.FAILED, f"It could not be read ({type(error).__name__}); the raw message is kept.")
    message.state, message.reason, message.filed_at = verdict.state, verdict.reason, resources.clock.now()
    message.ticket_id = verdict.ticket.id if verdict.ticket else None
    message.comment_id = verdict.comment.id if verdict.comment else None
    session.flush()  # the caller reads the state
    return verdict.state


def _file(session: Session, message: InboundMessage, resources: Resources) -> Verdict:
    if not message.raw.strip():
        return Verdict(MailState.FAILED, "The message is empty: 0 bytes to read.")
    if message.size > resources.mail_bytes:
        limit = human_bytes(resources.mail_bytes)
        return Verdict(
            MailState.FAILED, f"The message has {human_bytes(message.size)}, more than {limit}; it is kept unread."
        )
    parsed = parse(message.raw)
    _note(message, parsed)
    if parsed.message_id and _is_duplicate(session, message):
        return Verdict(MailState.DUPLICATE, "A message with this Message-ID was filed before.")
    if parsed.automatic and not parsed.automatic_reason.startswith(PASSED_ON):
        return Verdict(MailState.AUTOMATIC, f"No person sent this: {parsed.automatic_reason}.")
    author = _author(session, parsed)
    if author is None:
        return Verdict(MailState.SUSPENDED, "It does not say from whom it is (no usable From header).")
    return _file_from(session, parsed, author, resources)


def _file_from(session: Session, parsed: ParsedMail, author: User, resources: Resources) -> Verdict:
    if not author.is_active:
        return Verdict(MailState.SUSPENDED, f"The account of {author.email} is not active.")
    ticket = _ticket_of(session, parsed, resources.ticket_prefix)
    if ticket is None:
        return _as_ticket(session, parsed, author, resources)
    if ticket.deleted_at is not None:
        return Verdict(MailState.SUSPENDED, f"It belongs to {ticket.ticket_number}, which was deleted.", ticket)
    if not _takes_part(session, ticket, author):
        reason = f"It claims to belong to {ticket.ticket_number}, but {author.email} takes no part in that ticket."
        return Verdict(MailState.SUSPENDED, reason, ticket)
    return _as_comment(session, parsed, author, ticket, resources)


def _note(message: InboundMessage, parsed: ParsedMail) -> None:
    message.message_id = parsed.message_id
    message.sender = parsed.sender.email if parsed.sender else None
    message.subject = one_line(parsed.subject, TITLE_LENGTH)
    message.sent_at = parsed.date
    message.defects = list(parsed.defects)


def _is_duplicate(session: Session, message: InboundMessage) -> bool:
    other = (InboundMessage.message_id == message.message_id, InboundMessage.id != message.id)
    return bool(session.scalar(select(exists().where(*other, InboundMessage.filed_at.is_not(None)))))


def _author(session: Session, parsed: ParsedMail) -> User | None:
    """Return who wrote: From, as Reply-To may name a list or somebody else."""
    if parsed.sender is None:
        return None
    try:
        return find_or_create_customer(session, clean_email(parsed.sender.email), parsed.sender.name)
    except InvalidError:
        return None


def _ticket_of(session: Session, parsed: ParsedMail, prefix: str) -> Ticket | None:
    """Return the ticket that the message answers: by the nearest reference that we know, else by number."""
    for message_id in reference_chain(parsed):
        statement = select(Ticket).join(InboundMessage, InboundMessage.ticket_id == Ticket.id)
        filed = InboundMessage.state.in_((MailState.TICKET, MailState.COMMENT))
        found = session.scalars(statement.where(InboundMessage.message_id == message_id, filed).limit(1)).first()
        if found is not None:
            return found
    for number in ticket_numbers_in(parsed.subject, prefix):
        ticket = session.scalar(select(Ticket).where(Ticket.ticket_number == number))
        if ticket is not None:
            return ticket
    return None


def _takes_part(session: Session, ticket: Ticket, author: User) -> bool:
    """Say whether somebody may write into a ticket: staff, who opened it or wrote in it, and who shares it."""
    if author.is_staff or author.id == ticket.creator_id:
        return True
    wrote = exists().where(Comment.ticket_id == ticket.id, Comment.author_id == author.id)
    shares = exists().where(
        Organization.id == ticket.organization_id,
        Organization.id == author.organization_id,
        Organization.shares_tickets,
    )
    return bool(session.scalar(select(or_(wrote, shares))))


def _as_ticket(session: Session, parsed: ParsedMail, author: User, resources: Resources) -> Verdict:
    title = one_line(clean_subject(parsed.subject, resources.ticket_prefix), TITLE_LENGTH)
    ticket = open_ticket(session, body=_body(parsed), requester=author, title=title, channel=Channel.MAIL)
    _keep_files(session, parsed, ticket, None, author, resources)
    return Verdict(MailState.TICKET, "", ticket)


def _as_comment(session: Session, parsed: ParsedMail, author: User, ticket: Ticket, resources: Resources) -> Verdict:
    now = resources.clock.now()
    sender = Sender(author.id, author.is_staff, Channel.MAIL, now)
    comment = reply(session, ticket.ticket_number, body=_body(parsed), sender=sender, now=now)
    _keep_files(session, parsed, ticket, comment, author, resources)
    return Verdict(MailState.COMMENT, "", ticket, comment)


def _body(parsed: ParsedMail) -> Body:
    """Return what was written, quotes and signature folded away; beyond the limit the raw message serves."""
    text = parsed.new_text.strip()[:MAXIMUM_LENGTH] or NO_TEXT
    return Body(text, BodyFormat.TEXT, None, parsed.folded_text[:MAXIMUM_LENGTH])


def _keep_files(
    session: Session, parsed: ParsedMail, ticket: Ticket, comment: Comment | None, author: User, resources: Resources
) -> None:
    for part in parsed.attachments:
        blob = resources.storage.put([part.content], max_bytes=max(resources.mail_bytes, len(part.content)))
        media_type = sniff(part.content[:8192], part.file_name)
        file = StoredFile(blob, part.file_name, media_type, one_line(part.content_id or "", 255) or None)
        add_attachment(session, ticket, file, comment=comment, uploaded_by_id=author.id)
