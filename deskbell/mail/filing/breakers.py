"""What ends loops that nothing else has ended: an address opens so many tickets in a time, a ticket takes so much mail.

What is beyond is not lost, but waits for a person. What is read in from files is not held back: it comes all at once.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from deskbell.kernel.mail_rules import Allowance
from deskbell.mail.filing.incoming import Incoming
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.tickets.models import Ticket


def too_much(incoming: Incoming, ticket: Ticket | None) -> str:
    """Say why a message is held back that belongs to a ticket, or to none; nothing where it is not."""
    if incoming.is_released or not incoming.is_delivered:
        return ""
    if ticket is not None:
        its = (InboundMessage.ticket_id == ticket.id, InboundMessage.state == MailState.COMMENT)
        return _held_back(incoming, incoming.resources.mail.ticket, its, f"{ticket.ticket_number} took")
    theirs = (
        func.lower(InboundMessage.sender) == func.lower(incoming.message.sender or ""),
        InboundMessage.state == MailState.TICKET,
    )
    return _held_back(incoming, incoming.resources.mail.sender, theirs, f"{incoming.sender} opened tickets by")


def _held_back(
    incoming: Incoming, allowed: Allowance | None, conditions: Sequence[ColumnElement[bool]], who: str
) -> str:
    if allowed is None:
        return ""
    since = incoming.resources.clock.now() - allowed.span
    some = select(InboundMessage.id).where(*conditions, InboundMessage.created_at > since).limit(allowed.number)
    number = incoming.session.scalar(select(func.count()).select_from(some.subquery())) or 0
    minutes = f"{allowed.span.total_seconds() / 60:g} minutes"
    return (
        f"{who} {number} messages within {minutes}: more of them wait for a decision."
        if number >= allowed.number
        else ""
    )
