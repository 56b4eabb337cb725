"""Saying that a request came in: to people alone, and never so that two programs could go on answering each other."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from deskbell.accounts.models import User
from deskbell.mail.filing.incoming import Incoming
from deskbell.mail.filing.robots import reads_nothing
from deskbell.mail.mailboxes.queries import mailbox_for
from deskbell.mail.outbound.actions import queue_notice
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage
from deskbell.mail.parsing import MailKind
from deskbell.tickets.models import Ticket

OLD: Final = timedelta(days=2)
"""What was written before that, and was found only now, is answered by people, not by a machine."""


def acknowledge(incoming: Incoming, ticket: Ticket, author: User) -> None:
    """Tell whoever wrote that their request came in and what its number is, where that is wanted and does no harm."""
    if _is_wanted(incoming) and _is_harmless(incoming, author):
        queue_notice(incoming.session, OutboundKind.RECEIVED, user_id=author.id, ticket_id=ticket.id)


def _is_wanted(incoming: Incoming) -> bool:
    resources, mailbox = incoming.resources, incoming.mailbox
    says_so = mailbox.acknowledges if mailbox else resources.mail.acknowledge
    return says_so and resources.reach.tells_requesters and incoming.is_delivered and not _is_old(incoming)


def _is_old(incoming: Incoming) -> bool:
    written = incoming.parsed.date
    return written is not None and written < incoming.resources.clock.now() - OLD


def _is_harmless(incoming: Incoming, author: User) -> bool:
    parsed = incoming.parsed
    if parsed.kind is not MailKind.PERSON or parsed.automatic or incoming.wants_no_answer:
        return False
    if author.is_staff or not author.is_active or reads_nothing(author.email):
        return False
    return mailbox_for(incoming.session, [author.email]) is None and not _got_enough(incoming, author)


def _got_enough(incoming: Incoming, author: User) -> bool:
    allowed = incoming.resources.mail.acknowledged
    if allowed is None:
        return False
    since = incoming.resources.clock.now() - allowed.span
    theirs = (
        OutboundMessage.user_id == author.id,
        OutboundMessage.kind == OutboundKind.RECEIVED,
        OutboundMessage.created_at > since,
    )
    some = select(OutboundMessage.id).where(*theirs).limit(allowed.number)
    return (incoming.session.scalar(select(func.count()).select_from(some.subquery())) or 0) >= allowed.number
