"""A small committed world for the tests of row security, and the means to act in it through raw SQL.

Anna and Amy belong to an organization that shares its tickets, Bert and Bill to one that does not. Each has a ticket; a
second one of Anna's is deleted. An agent answered Anna and Bert in public and left a note on both tickets, with files.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from deskbell.accounts.models import Role, User
from deskbell.kernel.access import READ_ONLY
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.servers import READ_ONLY_PASSWORD, as_application
from deskbell.tickets.actions import soft_delete
from deskbell.tickets.models import Comment, Ticket

Parameters = Mapping[str, Any] | Sequence[Any] | None

_FILES = """
insert into attachments (ticket_id, comment_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)
values (%(t)s, %(c)s, %(name)s, 'text/plain', 1, repeat('a', 64), %(name)s, %(u)s) returning id
"""
_EVERYONE = """
insert into api_tokens (user_id, name, token_hash, hint) select id, 'key', sha256(email::bytea), 'dbt_' from users;
insert into login_sessions (user_id, token_hash, expires_at)
  select id, sha256(('browser ' || email)::bytea), now() + interval '1 day' from users;
insert into teams (name) values ('Cards');
insert into team_members (team_id, user_id) select t.id, u.id from teams t, users u where u.role = 'agent';
insert into tags (name) values ('angry'), ('unused');
insert into ticket_tags (ticket_id, tag_id) select t.id, g.id from tickets t, tags g where g.name = 'angry';
insert into inbound_messages (raw, sha256, size, source) values ('raw mail', repeat('b', 64), 8, 'test');
insert into mailboxes (name, address) values ('Support', 'support@example.test');
insert into mailbox_tags (mailbox_id, tag_id) select m.id, t.id from mailboxes m, tags t where t.name = 'unused';
insert into mailbox_folders (mailbox_id, name) select id, 'INBOX' from mailboxes;
insert into ticket_mailboxes (ticket_id, mailbox_id) select t.id, m.id from tickets t, mailboxes m
  where t.id < (select max(id) from tickets);
insert into inbound_arrivals (inbound_id, source) select id, 'test' from inbound_messages;
insert into ticket_copies (ticket_id, email, name) select id, 'copy@example.test', '' from tickets;
insert into ticket_links (ticket_id, other_id) select max(id), min(id) from tickets;
insert into notice_choices (user_id, kind, by_mail) select id, 'assigned', false from users where is_staff;
insert into letter_templates (kind, locale, subject, body) values ('answered', 'en', 'x', 'x');
insert into outbound_messages (kind, user_id, ticket_id, text)
  select 'answered', creator_id, id, 'a link that lets them in' from tickets;
insert into sign_in_links (purpose, email, user_id, token_hash, expires_at)
  select 'reset', email, id, sha256(('link ' || email)::bytea), now() + interval '1 day' from users;
insert into access_logs (at, role, channel, act, kind, query, address, request_id)
  values (now(), 'agent', 'api', '', 'ticket', '', '', '');
insert into imported_rows (content_key, ticket_id) select sha256('row'), min(id) from tickets;
insert into saved_views (name, owner_id) select role, id from users where is_staff;
insert into saved_views (name, owner_id, shared_with, team_id)
  select s.how, u.id, s.how, case when s.how = 'team' then 1 end
    from users u, (values ('team'), ('everyone')) s (how) where u.role = 'admin';
insert into drafts (user_id, ticket_id, content)
  select id, (select min(id) from tickets), 'not sent yet' from users where is_staff;
insert into draft_files (draft_id, file_name, media_type, size, sha256, storage_key)
  select id, 'draft', 'text/plain', 1, repeat('a', 64), 'draft' from drafts;
insert into mentions (comment_id, ticket_id, user_id)
  select c.id, c.ticket_id, u.id from comments c, users u where c.is_internal and u.role = 'agent';
"""
_FIGURES = """
insert into figure_marks (day) values ('2026-01-01');
insert into ticket_figures (dimension, day, value) values ('status', '2026-01-01', 'open');
"""
_PRESENCE = """
insert into ticket_presence (ticket_id, user_id, doing)
  select min(t.id), u.id, 'viewing' from tickets t, users u where u.is_staff group by u.id;
insert into ticket_reads (user_id, ticket_id, version, seen_at)
  select u.id, min(t.id), 1, now() from tickets t, users u where u.is_staff group by u.id;
"""
_KEYS = "insert into idempotency_keys (user_id, key, fingerprint) select id, 'once', sha256('x') from users"


@dataclass
class World:
    """The people by name, what they have by name and kind, and one connection of each role that logs in."""

    address: Address
    ids: dict[str, int] = field(default_factory=dict)
    actors: dict[str, Actor | None] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    connections: dict[str, psycopg.Connection] = field(default_factory=dict)

    def connection(self, role: str) -> psycopg.Connection:
        """Return the connection of `application`, `readonly` or `superuser`."""
        if role not in self.connections:
            addresses = {
                "application": as_application(self.address),
                "readonly": self.address.as_role(READ_ONLY, READ_ONLY_PASSWORD),
                "superuser": self.address,
            }
            self.connections[role] = psycopg.connect(addresses[role].dsn, autocommit=True)
        return self.connections[role]

    @contextmanager
    def acting(self, who: str) -> Iterator[psycopg.Connection]:
        """Begin a transaction as somebody in the world, as `nobody`, `readonly` or `superuser`; it will be undone."""
        connection = self.connection(who if who in {"readonly", "superuser"} else "application")
        with connection.transaction(force_rollback=True):
            chosen = self.actors.get(who)
            for name, value in chosen.settings().items() if chosen else ():
                connection.execute("select set_config(%s, %s, true)", (name, value))
            yield connection

    def run(self, who: str, statement: str, parameters: Parameters = None) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement as somebody and undo it; the rows it returned have been read."""
        with self.acting(who) as connection:
            return connection.execute(statement.encode(), parameters)

    def rows(self, who: str, statement: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Return what somebody gets to read."""
        return self.run(who, statement, parameters).fetchall()

    def refusal(self, who: str, statement: str, parameters: Parameters = None) -> str:
        """Return the SQLSTATE and message with which a statement is refused, or say that it was not."""
        try:
            cursor = self.run(who, statement, parameters)
        except psycopg.Error as error:
            return f"{error.sqlstate} {error.diag.message_primary}"
        return f"not refused: {cursor.statusmessage}"

    def close(self) -> None:
        """Close the connections."""
        for connection in self.connections.values():
            connection.close()


def build_world(address: Address, database: Database) -> World:
    """Fill the database behind `address`, which must be empty, and return what is in it."""
    world, factory = World(address), Factory(database)
    people = _people(factory)
    world.ids |= {name: user.id for name, user in people.items()}
    world.actors |= {name: actor(user) for name, user in people.items()}
    world.actors |= {"system": Actor.system(Channel.JOB), "nobody": None}
    _tickets(world, database, factory, people)
    with world.connection("superuser").transaction() as _:
        world.connection("superuser").execute(_EVERYONE.encode())
        world.connection("superuser").execute(_FIGURES.encode())
        world.connection("superuser").execute(_PRESENCE.encode())
        world.connection("superuser").execute(_KEYS)
    return world


def _people(factory: Factory) -> dict[str, User]:
    sharing, quiet = factory.organization("Sharing", shares_tickets=True), factory.organization("Quiet")
    members = {"anna": sharing, "amy": sharing, "bert": quiet, "bill": quiet}
    people = {name: factory.user(email=f"{name}@example.test", organization=home) for name, home in members.items()}
    people["agent"] = factory.user(Role.AGENT, email="agent@example.test", password="correct horse battery")
    people["admin"] = factory.user(Role.ADMIN, email="admin@example.test")
    return people


def _tickets(world: World, database: Database, factory: Factory, people: dict[str, User]) -> None:
    for name in ("anna", "amy", "bert", "bill"):
        _keep(world, name, factory.ticket(people[name], message=f"The card of {name}"))
    gone = factory.ticket(people["anna"], message="Deleted")
    _keep(world, "deleted", gone)
    _file(world, "on deleted", gone, None, people["anna"])
    for name in ("anna", "bert"):
        ticket = factory.ticket(people[name], message=f"Answered, of {name}")
        _keep(world, f"answered {name}", ticket)
        answer = factory.comment(ticket, people["agent"], f"answer to {name}")
        note = factory.comment(ticket, people["agent"], f"note about {name}", is_internal=True)
        world.ids |= {f"answer {name}": answer.id, f"note {name}": note.id}
        _file(world, f"on answer {name}", ticket, answer, people["agent"])
        _file(world, f"on note {name}", ticket, note, people["agent"])
    with database.transaction(SYSTEM) as session:
        soft_delete(session, gone.ticket_number, now=datetime.now(UTC))


def _keep(world: World, name: str, ticket: Ticket) -> None:
    world.ids[f"ticket {name}"] = ticket.id
    world.numbers[name] = ticket.ticket_number


def _file(world: World, name: str, ticket: Ticket, comment: Comment | None, author: User) -> None:
    values = {"t": ticket.id, "c": comment.id if comment else None, "u": author.id, "name": name}
    row = world.connection("superuser").execute(_FILES, values).fetchone()
    world.ids[f"file {name}"] = row[0] if row else 0
