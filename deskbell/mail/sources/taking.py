"""What all who deliver mail to the desk have in common: whose mail is taken, and how it is written down."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.kernel.faults import sqlstate
from deskbell.kernel.resources import resources_of
from deskbell.kernel.text import clean, normalized_email
from deskbell.mail.inbound.jobs import queue_filing
from deskbell.mail.inbound.ledger import Envelope, Taken, receive
from deskbell.mail.mailboxes.addresses import reply_to_of, without_tag
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.mailboxes.queries import mailbox_for

_DISK_FULL: Final = "53100"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of the mailboxes, in lower case; `closed` are those of mailboxes that are not active.

    Where there are no mailboxes at all the desk takes everything.
    """

    opened: frozenset[str] = field(default_factory=frozenset)
    closed: frozenset[str] = field(default_factory=frozenset)

    @property
    def take_all(self) -> bool:
        """Whether there is no mailbox that says whose mail is ours."""
        return not (self.opened or self.closed)

    def take(self, address: str) -> bool:
        """Whether mail to an address is ours; a tag after a plus belongs to the mailbox before it."""
        return self.take_all or _plain(address) in self.opened

    def refuse(self, address: str) -> bool:
        """Whether the address is that of a mailbox which takes no mail just now."""
        return _plain(address) in self.closed


def known_addresses(session: Session) -> Addresses:
    """Return the addresses that mail may come to."""
    rows = session.execute(select(Mailbox.address, Mailbox.is_active)).all()
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for address, is_active in rows:
        found[is_active].add(normalized_email(address))
    return Addresses(frozenset(found[True]), frozenset(found[False] - found[True]))


def is_signed(session: Session, address: str) -> bool:
    """Whether we have given out the address for replies to a ticket."""
    return reply_to_of(resources_of(session).reach, [address]) is not None


def take(session: Session, raw: bytes, *, source: str, envelope: Envelope | None = None) -> Taken:
    """Write a message down, and have it filed if it is new. The caller commits before it tells its source.

    It comes to the mailbox of the first recipient that has one. Envelopes may hold any bytes: they are made storable.
    """
    kept = None if envelope is None else _storable(envelope)
    mailbox = mailbox_for(session, kept.recipients) if kept is not None else None
    taken = receive(session, raw, source=source, mailbox_id=mailbox.id if mailbox else None, envelope=kept)
    if taken.is_new:
        queue_filing(session, taken.id)
    return taken


def envelope_of(sender: str | None, recipients: Iterable[str]) -> Envelope | None:
    """Return the envelope where somebody told one."""
    known = tuple(recipients)
    return None if sender is None and not known else Envelope(sender, known)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error of the database, or what was made of it, says that its disk is full."""
    return sqlstate(error) == _DISK_FULL


def _storable(envelope: Envelope) -> Envelope:
    sender = None if envelope.sender is None else clean(envelope.sender)
    return Envelope(sender, tuple(clean(each) for each in envelope.recipients))


def _plain(address: str) -> str:
    return normalized_email(without_tag(address))
