"""A desk that gets mail: messages written in a line, received and filed as every source does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Any, TypeVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.mail_rules import MailRules
from deskbell.kernel.reach import Reach
from deskbell.kernel.resources import RESOURCES_KEY, Resources, resources_of
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.ledger import Envelope, receive
from deskbell.mail.inbound.models import InboundMessage
from deskbell.mail.mailboxes.addresses import reply_address
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.models import Ticket, TicketStatus

MAIL = Actor.system(Channel.MAIL, act="test mail")
US = "support@example.test"
T = TypeVar("T")


def message(
    subject: str = "Card lost", body: str = "I lost my card.", sender: str = "Kim <kim@example.test>", **headers: str
) -> bytes:
    """Write a message; header fields by name, with `_` for `-`."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, headers.pop("To", US), subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    return mail.as_bytes()


@dataclass
class Desk:
    """A desk with its rules. Each thing is done in a transaction of its own."""

    database: Database
    factory: Factory
    rules: MailRules = field(default_factory=MailRules)
    reach: Reach = field(
        default_factory=lambda: Reach(
            key=b"k" * 32, tells_requesters=True, tells_desk=True, sender="Help <help@example.test>"
        )
    )

    @contextmanager
    def acting(self, who: Actor = MAIL, **changes: Any) -> Iterator[Session]:
        """Open a transaction with this desk's rules."""
        with self.database.transaction(who) as session:
            resources: Resources = resources_of(session)
            session.info[RESOURCES_KEY] = replace(resources, mail=self.rules, reach=self.reach, **changes)
            yield session

    def receive(
        self,
        raw: bytes,
        *,
        to: Sequence[str] = (US,),
        mailbox: Mailbox | None = None,
        sender: str = "kim@example.test",
        is_delivered: bool | None = None,
    ) -> int:
        """Write a message down, as a mail server delivered it; `to=()`: as it lies in a file, if that is not said."""
        envelope = Envelope(sender, tuple(to)) if to else None
        delivered = bool(to) if is_delivered is None else is_delivered
        with self.acting() as session:
            box_id = mailbox.id if mailbox else None
            taken = receive(session, raw, source="test", mailbox_id=box_id, envelope=envelope, is_delivered=delivered)
            return taken.id

    def file(self, number: int, **changes: Any) -> InboundMessage:
        """File a message of the ledger."""
        with self.acting(**changes) as session:
            file_message(session, number)
        return self.one(InboundMessage, number)

    def arrive(self, raw: bytes, **how: Any) -> InboundMessage:
        """Receive a message and file it."""
        return self.file(self.receive(raw, **how))

    def one(self, kind: type[T], number: int | None) -> T:
        """Load something."""
        with self.database.transaction(SYSTEM) as session:
            return session.get_one(kind, number)

    def all(self, kind: type[T]) -> list[T]:
        """Load all of a kind, by id."""
        with self.database.transaction(SYSTEM) as session:
            return list(session.scalars(select(kind).order_by(kind.id)))  # type: ignore[attr-defined]

    def set_status(self, ticket_id: int | None, status: TicketStatus) -> None:
        """Move a ticket."""
        with self.database.transaction(SYSTEM) as session:
            session.execute(text("update tickets set status = :s where id = :id"), {"s": status, "id": ticket_id})

    def mailbox(self, address: str = US, **facts: Any) -> Mailbox:
        """Add a mailbox."""
        with self.database.transaction(actor(self.factory.user(Role.ADMIN))) as session:
            box = Mailbox(name=address, address=address, **facts)
            session.add(box)
            session.flush()
            return box

    def sent(self, ticket: Ticket, name: str = "<ours@example.test>", **facts: Any) -> OutboundMessage:
        """Add a message to the outbox that was sent about a ticket."""
        values = {"kind": OutboundKind.ANSWERED, "state": OutboundState.SENT, "recipient": "kim@example.test", **facts}
        with self.database.transaction(SYSTEM) as session:
            row = OutboundMessage(ticket_id=ticket.id, message_id=name, **values)
            session.add(row)
            session.flush()
            return row

    def queued(self, kind: OutboundKind) -> list[OutboundMessage]:
        """Return what is to be sent of a kind."""
        return [each for each in self.all(OutboundMessage) if each.kind is kind and each.message_id is None]

    def reply_to(self, ticket: Ticket, user_id: int | None) -> str:
        """Return the signed address that was given to somebody."""
        return reply_address(self.reach, US, ticket.id, user_id)
