"""From a row of kind and ids to what a notice says: whom it tells, in which words, and what goes along."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.languages import preferred, speaking
from deskbell.kernel.reach import Reach
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.outbound.conversation import name_of, quote_before
from deskbell.mail.outbound.enclosures import Enclosed, enclosed_with, with_pictures, without_pictures
from deskbell.mail.outbound.letters import Facts
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.mail.outbound.recipients import GONE, Dropped, Recipient, recipient_of
from deskbell.tickets.link_keys import link_to
from deskbell.tickets.models import BodyFormat, Comment, Ticket

_LONGEST: Final = 100_000
"""Characters of a message that go into a mail; the link leads to the rest."""
_PARAGRAPH: Final = re.compile("<p>.*?</p>", re.DOTALL)
OUTSIDE: Final = (OutboundKind.ANSWERED, OutboundKind.RECEIVED)
"""What goes to customers: of these the desk hears when they do not arrive."""
_LOST: Final = (OutboundState.FAILED, OutboundState.BOUNCED)


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told what."""

    to: Recipient
    facts: Facts


@dataclass(frozen=True, slots=True)
class _Told:
    """What a notice is about."""

    message: OutboundMessage
    ticket: Ticket
    comment: Comment | None
    to: Recipient
    mailbox: Mailbox | None
    reach: Reach

    @property
    def is_answer(self) -> bool:
        return self.message.kind is OutboundKind.ANSWERED


def write_notice(session: Session, message: OutboundMessage, mailbox: Mailbox | None) -> Notice | Dropped:
    """Say what a notice tells, or why it tells nobody."""
    ticket = session.get(Ticket, message.ticket_id) if message.ticket_id else None
    if ticket is None:
        return Dropped(GONE)
    comment = session.get(Comment, message.comment_id) if message.comment_id else None
    reach = resources_of(session).reach
    to = recipient_of(session, message, ticket, comment, reach)
    if isinstance(to, Dropped):
        return to
    with speaking(preferred("", to.locale.replace("_", "-"))):
        return Notice(to, _facts(session, _Told(message, ticket, comment, to, mailbox, reach)))


def site_name(reach: Reach) -> str:
    """Return how people know the site: its host."""
    return urlsplit(reach.site_url).netloc


def can_reply(message: OutboundMessage, comment: Comment | None, mailbox: Mailbox | None) -> bool:
    """Say whether an answer to the mail may go into the ticket: never what is written beneath an internal note.

    An agent needs a signed address for it, as anybody can put their name into a header.
    """
    if mailbox is None or message.kind is OutboundKind.UNDELIVERED:
        return False
    if message.kind.is_for_desk:
        return mailbox.is_plus and not (comment is not None and comment.is_internal)
    return True


def _facts(session: Session, told: _Told) -> Facts:
    ticket, comment, reach = told.ticket, told.comment, told.reach
    requester = session.get(User, ticket.creator_id)
    author = session.get(User, comment.author_id) if comment else requester
    assignee = session.get(User, ticket.assignee_id) if ticket.assignee_id else None
    enclosed = enclosed_with(session, told.message)
    signature = told.mailbox.signature if told.mailbox else ""
    quotes = told.is_answer and reach.quotes and comment is not None
    return Facts(
        link=_link(session, told),
        seconds=int(reach.link_lifetime.total_seconds()),
        site=site_name(reach),
        number=ticket.ticket_number,
        title=ticket.title,
        requester=name_of(requester, ticket),
        agent=name_of(author if author is not None and author.is_staff else assignee, ticket),
        author=name_of(author, ticket),
        recipient=told.to.name,
        words=_cut(comment.content if comment else ticket.description),
        words_html=_words_html(told, enclosed),
        signature=signature if told.message.kind in {OutboundKind.ANSWERED, OutboundKind.RECEIVED} else "",
        quote=quote_before(session, ticket, comment, told.to.time_zone) if quotes and comment else None,
        files=enclosed.lines(),
        reason=_reason(session, told.message),
        can_reply=can_reply(told.message, comment, told.mailbox),
    )


def _link(session: Session, told: _Told) -> str:
    """Return where the ticket is read: without logging in by its requester alone; who gets copies has no page."""
    if told.message.kind.is_for_desk:
        return f"{told.reach.site_url}/tickets/{quote(told.ticket.ticket_number, safe='')}"
    if told.to.link_for is None:
        return ""
    return link_to(told.reach, told.ticket, told.to.link_for, resources_of(session).clock.now())


def _words_html(told: _Told, enclosed: Enclosed) -> str:
    comment, ticket = told.comment, told.ticket
    if comment is not None:
        html = _broken(comment.content_html or "", comment.content_format)
    else:
        html = _broken(ticket.description_html or "", ticket.description_format)
    shown = with_pictures(html, enclosed.along) if told.is_answer else without_pictures(html)
    return shown if len(shown) <= _LONGEST else ""  # HTML cannot be cut; the text stands for what is too long


def _reason(session: Session, message: OutboundMessage) -> tuple[str, ...]:
    """Say to whom something did not get, and what the servers said."""
    if message.kind is not OutboundKind.UNDELIVERED:
        return ()
    it, about = OutboundMessage, OutboundMessage.comment_id == message.comment_id
    if message.comment_id is None:
        about = it.comment_id.is_(None) & (it.ticket_id == message.ticket_id)
    its = select(it.recipient, it.reason).where(about, it.state.in_(_LOST), it.kind.in_(OUTSIDE))
    return tuple(f"{row.recipient}: {row.reason}" for row in session.execute(its.order_by(it.id)) if row.recipient)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def _broken(html: str, written: BodyFormat) -> str:
    """Keep the lines as they were written: in Markdown a new line is none."""
    if written is not BodyFormat.MARKDOWN:
        return html
    return _PARAGRAPH.sub(lambda found: found[0].replace("<br>\n", "\n").replace("\n", "<br>\n"), html)
