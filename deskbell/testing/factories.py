"""Test data made through the use cases, so that they are lawful. Each opens its own transaction as the system."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from sqlalchemy.orm import Session

from deskbell.accounts.actions import create_organization, create_team, create_token, create_user, join_team
from deskbell.accounts.models import Organization, Role, Team, User
from deskbell.accounts.passwords import hash_password
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.resources import resources_of
from deskbell.kernel.storage import sniff
from deskbell.tickets.actions import Sender, add_note, open_ticket, reply
from deskbell.tickets.bodies import body_of
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.labels import create_tag
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket, TicketPriority

SYSTEM = Actor.system(Channel.SQL, act="test data")


class Transactions(Protocol):
    """What opens transactions: a Database, or one session."""

    def transaction(self, actor: Actor) -> AbstractContextManager[Session]:
        """Open one, to act as somebody."""
        ...


@dataclass(frozen=True)
class OneSession:
    """Stands for a database where a session is open already: everything is done in that, as whoever acts there."""

    session: Session

    @contextmanager
    def transaction(self, _actor: Actor) -> Iterator[Session]:
        """Yield the session; what was done in it can be seen by statements when the block ends."""
        yield self.session
        self.session.flush()


@dataclass
class Factory:
    """Makes people, tickets and what belongs to them, in one database."""

    database: Transactions
    _numbers: Iterator[int] = field(default_factory=count)

    def user(
        self,
        role: Role = Role.CUSTOMER,
        *,
        email: str = "",
        full_name: str = "",
        organization: Organization | None = None,
        password: str | None = None,
    ) -> User:
        """Add a person. With a password they can log in."""
        number = next(self._numbers)
        with self.database.transaction(SYSTEM) as session:
            return create_user(
                session,
                email=email or f"{role.value}{number}@example.test",
                full_name=full_name or f"{role.value.title()} {number}",
                role=role,
                organization_id=organization.id if organization else None,
                password_hash=hash_password(password) if password else None,
            )

    def organization(self, name: str = "", *, shares_tickets: bool = False) -> Organization:
        """Add an organization."""
        with self.database.transaction(SYSTEM) as session:
            return create_organization(
                session, name=name or f"Organization {next(self._numbers)}", shares_tickets=shares_tickets
            )

    def team(self, *members: User, name: str = "") -> Team:
        """Add a team of agents."""
        with self.database.transaction(SYSTEM) as session:
            team = create_team(session, name=name or f"Team {next(self._numbers)}")
            for member in members:
                join_team(session, team.id, member.id)
            return team

    def tag(self, name: str = "", *, color: str = "#1d4ed8") -> Tag:
        """Add a tag."""
        with self.database.transaction(SYSTEM) as session:
            return create_tag(session, name=name or f"tag-{next(self._numbers)}", color=color)

    def token(self, user: User) -> str:
        """Make an API token and return its secret."""
        with self.database.transaction(SYSTEM) as session:
            return create_token(session, user.id, name="test")[1]

    def ticket(
        self,
        requester: User | None = None,
        *,
        message: str = "My card has not arrived.",
        title: str = "",
        priority: TicketPriority = TicketPriority.MEDIUM,
    ) -> Ticket:
        """Open a ticket, for a new customer unless one is given."""
        person = requester or self.user()
        with self.database.transaction(SYSTEM) as session:
            return open_ticket(session, body=body_of(message), requester=person, title=title, priority=priority)

    def tickets(self, number: int, requester: User | None = None, *, tags: Sequence[Tag] = ()) -> list[int]:
        """Open many tickets in one statement for each thousand, and return their ids."""
        person, now = requester or self.user(), SystemClock().now()
        tag_ids = tuple(tag.id for tag in tags)
        made = [
            NewTicket(f"Ticket {n}", f"Message {n}", person.id, person.organization_id, now, tag_ids=tag_ids)
            for n in range(number)
        ]
        with self.database.transaction(SYSTEM) as session:
            return create_tickets(session, made)

    def attachment(
        self, ticket: Ticket, content: bytes = b"Hello", *, name: str = "hello.txt", comment: Comment | None = None
    ) -> Attachment:
        """Attach a file to the ticket's first message, or to a comment, by whoever wrote that."""
        uploader = comment.author_id if comment else ticket.creator_id
        with self.database.transaction(SYSTEM) as session:
            resources = resources_of(session)
            blob = resources.storage.put([content], max_bytes=resources.attachment_bytes)
            file = StoredFile(blob, name, sniff(blob.head, name))
            return add_attachment(session, ticket, file, comment=comment, uploaded_by_id=uploader)

    def comment(self, ticket: Ticket, author: User, message: str = "Hello", *, is_internal: bool = False) -> Comment:
        """Add a reply or an internal note by somebody."""
        sender = Sender(author.id, author.role is not Role.CUSTOMER, Channel.WEB)
        with self.database.transaction(SYSTEM) as session:
            if is_internal:
                return add_note(session, ticket.ticket_number, body=body_of(message), sender=sender)
            now = SystemClock().now()
            return reply(session, ticket.ticket_number, body=body_of(message), sender=sender, now=now)


def actor(user: User, channel: Channel = Channel.API) -> Actor:
    """Return the person as an actor."""
    return Actor(ActorKind(user.role.value), user.id, channel, act="test")
