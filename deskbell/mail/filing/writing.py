"""Turning a message into a ticket or a comment, with its files and whom it names in copy."""

from typing import Final

from sqlalchemy import BigInteger, literal, select
from sqlalchemy.dialects.postgresql import insert

from deskbell.accounts.actions import find_or_create_customer
from deskbell.accounts.models import User
from deskbell.kernel.actor import Channel
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.storage import sniff
from deskbell.kernel.text import one_line
from deskbell.mail.filing.incoming import Incoming
from deskbell.mail.inbound.threading import clean_subject
from deskbell.mail.mailboxes.models import MailboxTag, TicketMailbox
from deskbell.tickets.actions import TITLE_LENGTH, Sender, open_ticket, reply
from deskbell.tickets.bodies import MAXIMUM_HTML, MAXIMUM_LENGTH, Body
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.models import BodyFormat, Comment, Ticket, TicketPriority, TicketTag

NO_TEXT: Final = "(no text)"


def author_of(incoming: Incoming) -> User:
    """Return who wrote, as a new customer where nobody knows them."""
    if incoming.sender is None:
        raise InvalidError("It does not say from whom it is (no usable From header).")
    if incoming.author is not None:
        return incoming.author
    name = incoming.parsed.sender.name if incoming.parsed.sender else ""
    return find_or_create_customer(incoming.session, incoming.sender, name)


def write_ticket(incoming: Incoming, author: User) -> Ticket:
    """Open a ticket as the mailbox says that it came to: with its team, priority and tags."""
    mailbox = incoming.mailbox
    ticket = open_ticket(
        incoming.session,
        body=_body(incoming),
        requester=author,
        title=one_line(clean_subject(incoming.parsed.subject, incoming.resources.ticket_prefix), TITLE_LENGTH),
        priority=mailbox.priority if mailbox else TicketPriority.MEDIUM,
        team_id=mailbox.team_id if mailbox else None,
        channel=Channel.MAIL,
    )
    if mailbox is not None:
        _label(incoming, ticket, mailbox.id)
    _keep_files(incoming, ticket, None, author)
    return ticket


def write_comment(incoming: Incoming, ticket: Ticket, author: User) -> Comment:
    """Answer in public, as whoever wrote."""
    now = incoming.resources.clock.now()
    sender = Sender(author.id, author.is_staff, Channel.MAIL, now)
    comment = reply(incoming.session, ticket.ticket_number, body=_body(incoming), sender=sender, now=now)
    _keep_files(incoming, ticket, comment, author)
    return comment


def _label(incoming: Incoming, ticket: Ticket, mailbox_id: int) -> None:
    session = incoming.session
    session.add(TicketMailbox(ticket_id=ticket.id, mailbox_id=mailbox_id))
    session.flush()  # before what follows looks for it
    its = select(literal(ticket.id, BigInteger), MailboxTag.tag_id).where(MailboxTag.mailbox_id == mailbox_id)
    session.execute(insert(TicketTag).from_select(["ticket_id", "tag_id"], its).on_conflict_do_nothing())


def _body(incoming: Incoming) -> Body:
    """Return what was written, quotes and signature folded away; beyond the limit the raw message serves."""
    parsed = incoming.parsed
    text = parsed.new_text.strip()[:MAXIMUM_LENGTH] or NO_TEXT
    html = parsed.new_html if parsed.new_html and len(parsed.new_html) <= MAXIMUM_HTML else None
    return Body(text, BodyFormat.HTML if html else BodyFormat.TEXT, html, parsed.folded_text[:MAXIMUM_LENGTH])


def _keep_files(incoming: Incoming, ticket: Ticket, comment: Comment | None, author: User) -> None:
    resources = incoming.resources
    for part in incoming.parsed.attachments:
        blob = resources.storage.put([part.content], max_bytes=max(resources.mail_bytes, 1))
        content_id = one_line(part.content_id or "", 255) or None
        file = StoredFile(blob, part.file_name, sniff(blob.head, part.file_name), content_id)
        add_attachment(incoming.session, ticket, file, comment=comment, uploaded_by_id=author.id)
