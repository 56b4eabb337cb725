"""Whom a message names beside us: they get copies of the answers, and may write into the ticket themselves."""

from collections.abc import Iterator
from email.utils import parseaddr
from typing import Final

from sqlalchemy import Select, func, select

from deskbell.accounts.models import User
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import clean_email, normalized_email
from deskbell.mail.filing.incoming import Incoming
from deskbell.mail.filing.robots import reads_nothing
from deskbell.mail.mailboxes.addresses import without_tag
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.parsing import Address, MailKind
from deskbell.tickets.copies import MOST_COPIES, add_copies
from deskbell.tickets.models import Ticket

MOST_READ: Final = 200
"""Addresses of a header that are looked at."""


def keep_copies(incoming: Incoming, ticket: Ticket) -> None:
    """Give copies of a ticket to whom the message names in To and Cc, but for us, its requester and the desk's people.

    Nobody is added where we are named in neither: then it came through a list, an alias or as a blind copy, and what
    stands in To is our own address by another name, or somebody who is not to know.
    """
    named: dict[str, Address] = {}
    for each in (*incoming.parsed.to, *incoming.parsed.cc)[:MOST_READ]:
        named.setdefault(normalized_email(each.email), each)
    ours = _ours(incoming, list(named))
    others = named.keys() - ours - {normalized_email(incoming.sender or "")}
    if incoming.parsed.kind is MailKind.PERSON and ours and others:
        others -= set(incoming.session.scalars(_not_to_be_added(ticket, others)))
        wanted = [each for email, each in named.items() if email in others]
        add_copies(incoming.session, ticket, list(_usable(wanted))[:MOST_COPIES])


def keep_writer(incoming: Incoming, ticket: Ticket, author: User) -> None:
    """Give copies to a customer who was let in beside the requester: what is answered to them is to reach them."""
    if author.is_staff or author.id == ticket.creator_id or incoming.parsed.kind is not MailKind.PERSON:
        return
    if not reads_nothing(author.email):
        add_copies(incoming.session, ticket, [(author.email, author.full_name)])


def _ours(incoming: Incoming, named: list[str]) -> set[str]:
    """Return which of the addresses are the desk's: of mailboxes, its sender, and where servers delivered this to."""
    plain = {email: normalized_email(without_tag(email)) for email in named}
    of_boxes = select(func.lower(Mailbox.address)).where(func.lower(Mailbox.address).in_(set(plain.values())))
    reach = incoming.resources.reach
    others = (*incoming.envelope_to, *(parseaddr(each)[1] for each in (reach.sender, reach.reply_to) if each))
    ours = {normalized_email(without_tag(each)) for each in others} | set(incoming.session.scalars(of_boxes))
    return {email for email, without in plain.items() if without in ours}


def _not_to_be_added(ticket: Ticket, named: set[str]) -> Select[str]:
    theirs = User.is_staff | (User.id == ticket.creator_id)
    return select(func.lower(User.email)).where(func.lower(User.email).in_(named), theirs)


def _usable(addresses: list[Address]) -> Iterator[tuple[str, str]]:
    for each in addresses:
        try:
            email = clean_email(each.email)
        except InvalidError:
            continue
        if not reads_nothing(email):
            yield email, each.name
