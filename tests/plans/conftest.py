"""A desk with 20,000 tickets, made once for each process of the run, with statistics as they would be."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import text

from deskbell.accounts.actions import create_token
from deskbell.accounts.login import open_session
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import clone
from tests.plans.moments import LIFETIME, NOW

FILL = b"""
insert into organizations (name, shares_tickets) select 'Organization ' || i, i % 2 = 1 from generate_series(1, 200) i;
insert into teams (name) select 'Team ' || i from generate_series(1, 20) i;
insert into tags (name) select 'tag ' || i from generate_series(1, 100) i;
insert into users (email, role) select 'agent' || i || '@example.test', 'agent' from generate_series(1, 50) i;
insert into users (email, organization_id)
  select 'c' || i || '@example.test', case when i % 2 = 0 then 1 + i % 200 end from generate_series(1, 4000) i;
insert into tickets
  (title, description, creator_id, organization_id, assignee_id, team_id, status, priority, created_at, deleted_at)
select 'Card ' || i, 'word' || i % 1000 || ' rare' || i % 97 || ' seldom' || i % 33 || ' card account', u.id,
       u.organization_id,
       case when i % 3 > 0 then 1 + i % 50 end, case when i % 3 > 0 then 1 + i % 20 end,
       (array['open', 'in_progress', 'waiting_on_customer', 'resolved', 'closed'])[1 + i % 5],
       (array['low', 'medium', 'high', 'urgent'])[1 + i % 4], now() - i * interval '1 minute',
       case when i % 53 = 0 then now() end
  from generate_series(1, 20000) i join users u on u.email = 'c' || 1 + i % 4000 || '@example.test';
insert into comments (ticket_id, author_id, content, is_internal)
  select t.id, 1 + t.id % 50, 'An answer', n = 3 from tickets t, generate_series(1, 3) n;
insert into ticket_tags (ticket_id, tag_id) select id, 1 + id % 100 from tickets;
insert into attachments (ticket_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)
  select id, 'x', 'text/plain', 1, repeat('a', 64), 'k' || id, creator_id from tickets;
insert into api_tokens (user_id, name, token_hash, hint) select id, 'x', sha256(email::bytea), 'x' from users;
insert into login_sessions (user_id, token_hash, expires_at)
  select id, sha256(email::bytea), now() + interval '1 day' from users;
insert into inbound_messages (raw, sha256, fingerprint, size, source, state, message_id, sender, ticket_id, created_at)
  select 'x', md5(id::text), md5(id::text), 1, 'x', (array['ticket', 'comment', 'suspended', 'automatic'])[1 + id % 4],
         id || '@mx.test', 'c' || 1 + id % 4000 || '@example.test', id, created_at from tickets;
insert into inbound_arrivals (inbound_id, source) select id, 'x' from inbound_messages;
insert into outbound_messages (kind, state, user_id, ticket_id, message_id)
  select 'answered', 'sent', creator_id, id, '<' || id || '@desk.test>' from tickets;
insert into ticket_copies (ticket_id, email, name) select id, 'copy' || id || '@example.test', '' from tickets;
"""


@dataclass(frozen=True, slots=True)
class BigDesk:
    """The desk, its tables with many rows, and how some people log in."""

    database: Database
    big: set[str]
    token: str
    cookie: str

    def ticket_of(self, who: Actor) -> str:
        """Return the number of a ticket that somebody may see."""
        with self.database.transaction(who) as session:
            statement = text("select ticket_number from tickets where deleted_at is null limit 1")
            return str(session.execute(statement).scalar_one())


@pytest.fixture(scope="session")
def desk(server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BigDesk]:
    with clone(server, f"plans_{os.getpid()}") as address:
        with psycopg.connect(address.dsn, autocommit=True) as connection:
            connection.execute(FILL)
            connection.execute("vacuum analyze")
            query = "select relname from pg_class where reltuples > 3000 and relkind = 'r'"
            big = {name for (name,) in connection.execute(query)}
        database = open_database(address, tmp_path_factory.mktemp("attachments"))
        with database.transaction(Actor.system(Channel.CLI)) as session:
            token = create_token(session, 1, name="key")[1]
            cookie = open_session(session, 1, lifetime=LIFETIME, now=NOW)
        yield BigDesk(database, big, token, cookie)
        database.close()


@pytest.fixture(scope="session")
def agent() -> Actor:
    return Actor(ActorKind.AGENT, 7, Channel.API)


@pytest.fixture(scope="session")
def loner() -> Actor:
    """A customer without an organization."""
    return Actor(ActorKind.CUSTOMER, 51, Channel.API)


@pytest.fixture(scope="session")
def member() -> Actor:
    """A customer whose organization shares its tickets."""
    return Actor(ActorKind.CUSTOMER, 52, Channel.API)
