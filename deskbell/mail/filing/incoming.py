"""A message on its way to a ticket: what it says, how it came, and what became of it in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.accounts.queries import users, with_email
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.resources import Resources
from deskbell.kernel.text import clean_email
from deskbell.mail.inbound.models import Arrival, InboundMessage, MailState
from deskbell.mail.inbound.queries import arrivals_of
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.mailboxes.queries import mailbox_for
from deskbell.mail.parsing import ParsedMail
from deskbell.tickets.models import Comment, Ticket


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message, and why. `bounced_id` is the message of ours that it is about."""

    state: MailState
    reason: str = ""
    ticket: Ticket | None = None
    comment: Comment | None = None
    bounced_id: int | None = None


@dataclass(frozen=True)
class Incoming:
    """One message, read, with everything that a decision about it needs. Looks up each thing once."""

    session: Session
    message: InboundMessage
    parsed: ParsedMail
    resources: Resources

    @property
    def is_released(self) -> bool:
        """Whether somebody has let it in: then nothing keeps it out."""
        return self.message.released_by_id is not None

    @cached_property
    def arrivals(self) -> Sequence[Arrival]:
        """The ways by which it came."""
        return arrivals_of(self.session, self.message.id)

    @property
    def envelope_to(self) -> tuple[str, ...]:
        """To whom mail servers say that it was to go."""
        return tuple(address for arrival in self.arrivals for address in arrival.envelope_to)

    @property
    def is_delivered(self) -> bool:
        """Whether it came just now, by whatever way; else somebody reads in what lies in files."""
        return any(arrival.is_delivered for arrival in self.arrivals)

    @property
    def wants_no_answer(self) -> bool:
        """Whether its envelope names no sender: whoever sent it asks not to be answered (RFC 5321, 4.5.5)."""
        return any(arrival.envelope_from == "" for arrival in self.arrivals)

    @cached_property
    def mailbox(self) -> Mailbox | None:
        """The mailbox that it came to, active or not: the one that it was fetched from, else the one it names."""
        known = next((arrival.mailbox_id for arrival in reversed(self.arrivals) if arrival.mailbox_id), None)
        if known is not None:
            return self.session.get(Mailbox, known)
        return mailbox_for(self.session, (*self.envelope_to, *self.parsed.recipients_seen))

    @cached_property
    def sender(self) -> str | None:
        """The address of who wrote: From, as Reply-To may name a list or somebody else. None for no usable one.

        Of a message that somebody let in without any, the sender that the mail server named.
        """
        written = [self.parsed.sender.email] if self.parsed.sender else []
        if self.is_released:
            written += [arrival.envelope_from for arrival in self.arrivals if arrival.envelope_from]
        for address in written:
            try:
                return clean_email(address)
            except InvalidError:
                continue
        return None

    @cached_property
    def author(self) -> User | None:
        """Who has the sender's address; None for somebody whom nobody knows yet."""
        return self.session.scalar(with_email(users(), self.sender)) if self.sender else None
