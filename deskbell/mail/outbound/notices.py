"""What a notice tells, read when it is about to be sent: ids become words, an address and the conversation's ids."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.languages import gettext as _
from deskbell.kernel.languages import preferred, speaking
from deskbell.kernel.reach import Reach
from deskbell.mail.models import InboundMessage
from deskbell.mail.outbound.letters import Facts
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.mail.queries import FILED
from deskbell.tickets.link_keys import link_to
from deskbell.tickets.models import BodyFormat, Comment, Ticket

_LONGEST: Final = 100_000
"""Characters of a message that go into a mail; the link leads to the rest."""
_PARAGRAPH: Final = re.compile("<p>.*?</p>", re.DOTALL)
_REMEMBERED: Final = 10
"""Messages named in References: the first and the latest."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told what, in which language."""

    recipient: str
    locale: str
    facts: Facts


def write_notice(session: Session, message: OutboundMessage, reach: Reach, now: datetime) -> Notice | None:
    """Say what a notice tells; None where there is nobody to be told, or nothing any more."""
    ticket = session.get(Ticket, message.ticket_id) if message.ticket_id else None
    if ticket is None or ticket.deleted_at is not None or ticket.creator_id != message.user_id:
        return None
    requester = session.get(User, ticket.creator_id)
    comment = session.get(Comment, message.comment_id) if message.comment_id else None
    if requester is None or not is_told(requester) or (message.comment_id and not _may_be_told(comment, ticket)):
        return None
    facts = Facts(
        link=link_to(reach, ticket, requester, now),
        seconds=int(reach.link_lifetime.total_seconds()),
        site=site_name(reach),
        number=ticket.ticket_number,
        title=ticket.title,
        author=_author(session, comment, requester.locale),
        words=_cut(comment.content if comment else ticket.description),
        words_html=_whole(_html_of(comment) if comment else _html_of_first(ticket)),
    )
    return Notice(requester.email, requester.locale, facts)


def is_told(person: User) -> bool:
    """Whether somebody is told about their requests: customers who may come in. The desk has its own pages."""
    return person.is_active and not person.is_staff


def thread_before(session: Session, message: OutboundMessage) -> list[str]:
    """Return the Message-IDs of the conversation, oldest first: the first one and the latest (RFC 5322, 3.6.4)."""
    came = select(InboundMessage.created_at, InboundMessage.message_id).where(
        InboundMessage.ticket_id == message.ticket_id,
        InboundMessage.state.in_(FILED),
        InboundMessage.message_id.is_not(None),
    )
    went = select(OutboundMessage.created_at, OutboundMessage.message_id).where(
        OutboundMessage.ticket_id == message.ticket_id,
        OutboundMessage.message_id.is_not(None),
        OutboundMessage.id < message.id,
    )
    found = sorted((at, name) for at, name in (*session.execute(came), *session.execute(went)) if _is_id(name))
    names = [name for _at, name in found]
    return names if len(names) <= _REMEMBERED else [names[0], *names[1 - _REMEMBERED :]]


def site_name(reach: Reach) -> str:
    """Return how people know the site: its host."""
    return urlsplit(reach.site_url).netloc


def _may_be_told(comment: Comment | None, ticket: Ticket) -> bool:
    return comment is not None and not comment.is_internal and comment.ticket_id == ticket.id


def _author(session: Session, comment: Comment | None, locale: str) -> str:
    """Return the name of who answered: never their address."""
    author = session.get(User, comment.author_id) if comment else None
    with speaking(preferred("", locale.replace("_", "-"))):
        return (author.full_name if author else "") or _("Our team")


def _is_id(name: str | None) -> bool:
    """Whether it can stand in a header: others' mail may call itself anything."""
    return bool(name) and len(name or "") < 250 and (name or "").isascii() and " " not in (name or "")  # noqa: PLR2004 - of RFC 5322's 998


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def _html_of(comment: Comment) -> str:
    return _broken(comment.content_html or "", comment.content_format)


def _html_of_first(ticket: Ticket) -> str:
    return _broken(ticket.description_html or "", ticket.description_format)


def _broken(html: str, written: BodyFormat) -> str:
    """Keep the lines as they were written: in Markdown a new line is none."""
    if written is not BodyFormat.MARKDOWN:
        return html
    return _PARAGRAPH.sub(lambda found: found[0].replace("<br>\n", "\n").replace("\n", "<br>\n"), html)


def _whole(html: str) -> str:
    """HTML cannot be cut; the text stands for what is too long."""
    return html if len(html) <= _LONGEST else ""
