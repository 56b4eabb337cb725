"""Test data made through the use cases, so that they are lawful. Each opens its own transaction as the system."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from deskbell.accounts.actions import create_organization, create_token, create_user
from deskbell.accounts.models import Organization, Role, User
from deskbell.accounts.passwords import hash_password
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.tickets.actions import Sender, add_note, open_ticket, reply
from deskbell.tickets.bodies import body_of
from deskbell.tickets.models import Comment, Ticket, TicketPriority

SYSTEM = Actor.system(Channel.SQL, act="test data")


@dataclass
class Factory:
    """Makes people, tickets and comments in one database."""

    database: Database
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
