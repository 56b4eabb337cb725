"""To whom a message goes, decided when it is sent: who may not know of it by then, or does not want to, is not told."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.accounts.queries import users, with_email
from deskbell.kernel.reach import Reach
from deskbell.kernel.text import normalized_email
from deskbell.mail.mailboxes.addresses import without_tag
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.outbound.choices import wants
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage
from deskbell.mail.outbound.rendering import address_of
from deskbell.tickets.copies import copies_of
from deskbell.tickets.models import Comment, Ticket
from deskbell.tickets.relation_models import TicketCopy

NOBODY: Final = "There is nobody to be told any more."
UNWANTED: Final = "Whoever it was for has chosen not to be told of this by mail."
NOT_TO_BE_TOLD: Final = "What it tells of is not for them: it is internal, or not of this ticket."
OURS: Final = "The address is one of the desk's own: it would write to itself."
GONE: Final = "The ticket was deleted."


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told, and how. `named` are the addresses in the header, first To; `link_for` is who the link lets in."""

    address: str
    name: str
    locale: str
    time_zone: str
    user_id: int | None
    named: tuple[str, ...] = ()
    link_for: User | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why nobody is told."""

    reason: str


def recipient_of(
    session: Session, message: OutboundMessage, ticket: Ticket, comment: Comment | None, reach: Reach
) -> Recipient | Dropped:
    """Say to whom a notice goes."""
    if ticket.deleted_at is not None:
        return Dropped(GONE)
    if message.comment_id is not None and (comment is None or comment.ticket_id != ticket.id):
        return Dropped(NOT_TO_BE_TOLD)
    if message.kind.is_for_desk:
        found = _of_desk(session, message)
    elif comment is not None and comment.is_internal:
        return Dropped(NOT_TO_BE_TOLD)
    else:
        found = _outside(session, message, ticket, reach)
    if isinstance(found, Dropped) or found.address in found.named:  # of which ours were left out
        return found
    return Dropped(OURS) if ours_among(session, reach, [found.address]) else found


def is_told(person: User) -> bool:
    """Whether somebody is told about their requests: customers who may come in. The desk has its own pages."""
    return person.is_active and not person.is_staff


def ours_among(session: Session, reach: Reach, addresses: Iterable[str]) -> set[str]:
    """Return those of the addresses from which mail comes back to the desk."""
    plain = {address: normalized_email(without_tag(address)) for address in addresses}
    own = {normalized_email(address_of(each)) for each in (reach.sender, reach.reply_to) if each}
    of_boxes = select(func.lower(Mailbox.address)).where(func.lower(Mailbox.address).in_(set(plain.values())))
    own.update(session.scalars(of_boxes))
    return {address for address, without in plain.items() if without in own}


def _of_desk(session: Session, message: OutboundMessage) -> Recipient | Dropped:
    person = session.get(User, message.user_id) if message.user_id else None
    if person is None or not person.is_staff or not person.is_active:
        return Dropped(NOBODY)
    if not wants(session, person.id, message.kind):
        return Dropped(UNWANTED)
    return Recipient(person.email, person.full_name, person.locale, person.time_zone, person.id)


def _outside(session: Session, message: OutboundMessage, ticket: Ticket, reach: Reach) -> Recipient | Dropped:
    requester = session.get_one(User, ticket.creator_id)
    named = () if message.kind is OutboundKind.RECEIVED else _named(session, ticket, requester, reach)
    if message.copy_id is not None:
        return _in_copy(session, message.copy_id, ticket, requester, named)
    if message.user_id != requester.id or not is_told(requester):
        return Dropped(NOBODY)
    where = (requester.locale, requester.time_zone)
    return Recipient(requester.email, requester.full_name, *where, requester.id, named, requester)


def _in_copy(
    session: Session, copy_id: int, ticket: Ticket, requester: User, named: tuple[str, ...]
) -> Recipient | Dropped:
    copied = session.get(TicketCopy, copy_id)
    if copied is None or copied.ticket_id != ticket.id:
        return Dropped(NOBODY)
    person = session.scalar(with_email(users(), copied.email))
    if person is not None and not person.is_active:
        return Dropped(NOBODY)
    known = person or requester
    return Recipient(copied.email, copied.name, known.locale, known.time_zone, None, named)


def _named(session: Session, ticket: Ticket, requester: User, reach: Reach) -> tuple[str, ...]:
    """Return who is told of the answers: the requester, and who gets copies."""
    others = [copied.email for copied in copies_of(session, ticket.id)]
    wanted = [requester.email, *others] if is_told(requester) else others
    once = {normalized_email(address): address for address in reversed(wanted)}
    ours = ours_among(session, reach, once.values())
    return tuple(address for address in reversed(once.values()) if address not in ours)
