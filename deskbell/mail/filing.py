"""What becomes of a message: a new ticket, a comment, or a state that says why neither.

A reply belongs to the ticket that its References name (RFC 5322, 3.6.4), else to the ticket number in its subject. Who
has nothing to do with that ticket is not let in by either, and the message waits as suspended.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from deskbell.accounts.actions import find_or_create_customer
from deskbell.accounts.models import User
from deskbell.kernel.actor import Channel
from deskbell.kernel.errors import DeskbellError, InvalidError, UnavailableError
from deskbell.kernel.faults import translated
from deskbell.kernel.resources import Resources, resources_of
from deskbell.kernel.storage import sniff
from deskbell.kernel.text import clean_email, human_bytes, one_line
from deskbell.mail.ledger import lock_unread
from deskbell.mail.models import InboundMessage, MailState
from deskbell.mail.parsing import ParsedMail, parse
from deskbell.mail.queries import answered_ticket, takes_part, was_filed
from deskbell.mail.threading import clean_subject
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

    Whatever a message does, it ends in a state: only a database or a disk that does not answer raises.
    """
    message = lock_unread(session, message_id)
    if message is None:
        return None
    resources = resources_of(session)
    verdict = _unreadable(message, resources) or _read_and_file(session, message, resources)
    message.state, message.reason, message.filed_at = verdict.state, verdict.reason, resources.clock.now()
    message.ticket_id = verdict.ticket.id if verdict.ticket else None
    message.comment_id = verdict.comment.id if verdict.comment else None
    session.flush()  # the caller reads the state
    return verdict.state


def _unreadable(message: InboundMessage, resources: Resources) -> Verdict | None:
    if not message.raw.strip():
        return Verdict(MailState.FAILED, "The message is empty: 0 bytes to read.")
    if message.size > resources.mail_bytes:
        size, limit = human_bytes(message.size), human_bytes(resources.mail_bytes)
        return Verdict(MailState.FAILED, f"The message has {size}, more than {limit}; it is kept unread.")
    return None


def _read_and_file(session: Session, message: InboundMessage, resources: Resources) -> Verdict:
    try:
        parsed = parse(message.raw)
        _note(message, parsed)
        with session.begin_nested():
            return _Filing(session, message, parsed, resources).verdict()
    except Exception as error:
        known = error if isinstance(error, DeskbellError) else translated(error, {})
        if isinstance(known, UnavailableError):
            raise
        reason = known.message if known else f"It could not be filed ({type(error).__name__}); the raw message is kept."
        return Verdict(MailState.FAILED, reason)


def _note(message: InboundMessage, parsed: ParsedMail) -> None:
    message.message_id = parsed.message_id
    message.sender = parsed.sender.email if parsed.sender else None
    message.subject = one_line(parsed.subject, TITLE_LENGTH)
    message.sent_at = parsed.date
    message.defects = list(parsed.defects)


@dataclass(frozen=True, slots=True)
class _Filing:
    """One message on its way to a ticket."""

    session: Session
    message: InboundMessage
    parsed: ParsedMail
    resources: Resources

    def verdict(self) -> Verdict:
        """Decide, and do it."""
        if self.parsed.message_id and was_filed(self.session, self.message):
            return Verdict(MailState.DUPLICATE, "A message with this Message-ID was filed before.")
        if self.parsed.automatic and not self.parsed.automatic_reason.startswith(PASSED_ON):
            return Verdict(MailState.AUTOMATIC, f"No person sent this: {self.parsed.automatic_reason}.")
        author = self._author()
        if author is None:
            return Verdict(MailState.SUSPENDED, "It does not say from whom it is (no usable From header).")
        if not author.is_active:
            return Verdict(MailState.SUSPENDED, f"The account of {author.email} is not active.")
        ticket = answered_ticket(self.session, self.parsed, self.resources.ticket_prefix)
        if ticket is None:
            return self._as_ticket(author)
        reason = self._kept_out(ticket, author)
        return Verdict(MailState.SUSPENDED, reason, ticket) if reason else self._as_comment(ticket, author)

    def _author(self) -> User | None:
        """Return who wrote: From, as Reply-To may name a list or somebody else."""
        sender = self.parsed.sender
        try:
            return find_or_create_customer(self.session, clean_email(sender.email), sender.name) if sender else None
        except InvalidError:
            return None

    def _kept_out(self, ticket: Ticket, author: User) -> str:
        """Say why a message is not let into the ticket that it claims to answer, or nothing."""
        if ticket.deleted_at is not None:
            return f"It belongs to {ticket.ticket_number}, which was deleted."
        if author.is_staff:  # From is not proof, and a forged answer of an agent would reach the customer as one
            return f"It claims to be an answer of {author.email} to {ticket.ticket_number}. Agents answer in Deskbell."
        if not takes_part(self.session, ticket, author):
            return f"It claims to belong to {ticket.ticket_number}, but {author.email} takes no part in that ticket."
        return ""

    def _as_ticket(self, author: User) -> Verdict:
        title = one_line(clean_subject(self.parsed.subject, self.resources.ticket_prefix), TITLE_LENGTH)
        ticket = open_ticket(self.session, body=self._body(), requester=author, title=title, channel=Channel.MAIL)
        self._keep_files(ticket, None, author)
        return Verdict(MailState.TICKET, "", ticket)

    def _as_comment(self, ticket: Ticket, author: User) -> Verdict:
        now = self.resources.clock.now()
        sender = Sender(author.id, author.is_staff, Channel.MAIL, now)
        comment = reply(self.session, ticket.ticket_number, body=self._body(), sender=sender, now=now)
        self._keep_files(ticket, comment, author)
        return Verdict(MailState.COMMENT, "", ticket, comment)

    def _body(self) -> Body:
        """Return what was written, quotes and signature folded away; beyond the limit the raw message serves."""
        text = self.parsed.new_text.strip()[:MAXIMUM_LENGTH] or NO_TEXT
        return Body(text, BodyFormat.TEXT, None, self.parsed.folded_text[:MAXIMUM_LENGTH])

    def _keep_files(self, ticket: Ticket, comment: Comment | None, author: User) -> None:
        for part in self.parsed.attachments:
            blob = self.resources.storage.put([part.content], max_bytes=max(self.resources.mail_bytes, 1))
            content_id = one_line(part.content_id or "", 255) or None
            file = StoredFile(blob, part.file_name, sniff(blob.head, part.file_name), content_id)
            add_attachment(self.session, ticket, file, comment=comment, uploaded_by_id=author.id)
