"""What was written in a ticket before a message of ours: its Message-IDs, and what is quoted."""

import re
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select, tuple_, union_all
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.languages import date_and_time
from deskbell.kernel.languages import gettext as _
from deskbell.mail.inbound.models import InboundMessage
from deskbell.mail.inbound.queries import FILED
from deskbell.mail.outbound.letters import Quote
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.tickets.models import Comment, Ticket

_REMEMBERED: Final = 10
"""Messages named in References: the first and the latest."""
_ID: Final = re.compile(r"<?[!-;=?-~]{1,250}>?")
"""Printable ASCII without angle brackets, far below the 998 characters of a line (RFC 5322, 2.1.1)."""
_QUOTED: Final = 1_500
_QUOTED_LINES: Final = 20


def thread_before(session: Session, message: OutboundMessage) -> list[str]:
    """Return the Message-IDs of the conversation, oldest first: the first one and the latest (RFC 5322, 3.6.4).

    Those of what came, and of what went to the same address: others it has never seen.
    """
    came = select(InboundMessage.created_at.label("at"), InboundMessage.message_id.label("name")).where(
        InboundMessage.ticket_id == message.ticket_id, InboundMessage.state.in_(FILED)
    )
    went = select(OutboundMessage.created_at, OutboundMessage.message_id).where(
        OutboundMessage.ticket_id == message.ticket_id,
        func.lower(OutboundMessage.recipient) == func.lower(message.recipient),
        OutboundMessage.id < message.id,
    )
    both = union_all(came, went).subquery()
    known = select(both.c.name).where(both.c.name.is_not(None))
    first = session.scalars(known.order_by(both.c.at).limit(1)).all()
    latest = session.scalars(known.order_by(both.c.at.desc()).limit(_REMEMBERED - 1)).all()
    names = [name for name in (*first, *reversed(latest)) if _ID.fullmatch(name)]
    return list(dict.fromkeys(name if name.startswith("<") else f"<{name}>" for name in names))


def quote_before(session: Session, ticket: Ticket, comment: Comment, zone: str) -> Quote:
    """Return the public message before a comment, cut to what reminds of it. Speaks the current language."""
    it = Comment
    earlier = tuple_(it.created_at, it.id) < tuple_(comment.created_at, comment.id)
    public = select(it).where(it.ticket_id == ticket.id, it.is_internal.is_(False), earlier)
    before = session.scalar(public.order_by(it.created_at.desc(), it.id.desc()).limit(1))
    author = session.get(User, before.author_id if before else ticket.creator_id)
    at = before.created_at if before else ticket.created_at
    words = before.content if before else ticket.description
    return Quote(name_of(author, ticket), date_and_time(at, _zone(zone)), _short(words))


def name_of(person: User | None, ticket: Ticket) -> str:
    """Return what somebody is called before others: never their address."""
    if person is not None and person.full_name:
        return person.full_name
    if person is None or person.is_staff:
        return _("Our team")
    return _("The requester") if person.id == ticket.creator_id else _("Somebody else")


def _short(text: str) -> str:
    lines = text[:_QUOTED].strip().splitlines()
    cut = "\n".join(lines[:_QUOTED_LINES])
    return cut if len(text) <= _QUOTED and len(lines) <= _QUOTED_LINES else f"{cut} …"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
