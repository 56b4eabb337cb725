"""A desk to measure: what lies in its database, and the two servers on it, ours and the floor."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.actions import create_token, revoke_token
from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk, ensure_schema, open_desk

SYSTEM = Actor.system(Channel.CLI, act="bench")
FILL = """
select set_config('deskbell.search', 'later', true);
insert into organizations (name, shares_tickets) select 'Organization ' || i, i % 2 = 1 from generate_series(1, 200) i;
insert into teams (name) select 'Team ' || i from generate_series(1, 20) i;
insert into tags (name) select 'tag ' || i from generate_series(1, 100) i;
insert into users (email, full_name, role)
  select 'agent' || i || '@example.test', 'Agent ' || i, 'agent' from generate_series(1, 50) i;
insert into users (email, full_name, organization_id)
  select 'customer' || i || '@example.test', 'Customer ' || i,
         case when i % 2 = 0 then (select min(id) from organizations) + i % 200 end
    from generate_series(1, {customers}) i;
create temporary table words on commit drop as
select i, translate(substr(md5(i::text), 1, 3 + i % 7), '0123456789', 'ghijklmnop') as word
  from generate_series(0, 2999) i;
create temporary table texts on commit drop as
select t, string_agg(word, ' ') as text
  from generate_series(1, {tickets}) t, generate_series(1, 40) n,
       lateral (select floor(3000 * power((hashint8extended(t * 1000 + n, 0) & 65535) / 65536.0, 3)) as i) often
  join words using (i) group by t;
insert into tickets (title, description, creator_id, organization_id, assignee_id, team_id, status, priority, channel,
                     created_at, updated_at, deleted_at)
select left(x.text, 60), x.text, u.id, u.organization_id,
       case when t % 3 > 0 then (select min(id) from users where role = 'agent') + t % 50 end,
       case when t % 3 > 0 then (select min(id) from teams) + t % 20 end,
       (array['open', 'in_progress', 'waiting_on_customer', 'resolved', 'closed'])[1 + t % 5],
       (array['low', 'medium', 'high', 'urgent'])[1 + t % 4], 'mail',
       now() - t * interval '1 minute', now() - t * interval '1 minute', case when t % 53 = 0 then now() end
  from texts x join users u on u.email = 'customer' || 1 + t % {customers} || '@example.test' order by t desc;
insert into comments (ticket_id, author_id, content, is_internal, channel, created_at)
select t.id, case when n % 2 = 0 then t.creator_id else coalesce(t.assignee_id, t.creator_id) end,
       t.description, n % 5 = 3, 'web', t.created_at + n * interval '1 second'
  from tickets t, generate_series(1, case when t.id % 20 = 0 then 20 else 2 end) n;
insert into ticket_tags (ticket_id, tag_id) select id, (select min(id) from tags) + id % 100 from tickets;
insert into ticket_tags (ticket_id, tag_id)
  select id, (select min(id) from tags) + (id + 7) % 100 from tickets where id % 2 = 0;
insert into attachments (ticket_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)
  select id, 'card.png', 'image/png', 1, repeat('a', 64), 'bench/' || id, creator_id from tickets where id % 4 = 0;
select deskbell_index_tickets(array(select id from tickets where id between n and n + 9999))
  from generate_series(0, (select max(id) from tickets), 10000) n;
"""
"""Texts of 40 words of 3,000, the first ones often; one ticket in twenty has twenty comments, four of them notes."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A desk that is served by both. `token` is an agent's."""

    admin: psycopg.Connection
    token: str
    ours: int
    floor: int


@contextmanager
def served_desk(folder: Path, tickets: int) -> Iterator[Servers]:
    """Open the desk in a folder, fill it with so many tickets where it has none, and serve it twice."""
    with ExitStack() as stack:
        ours = stack.enter_context(served_alone(folder))
        desk = stack.enter_context(open_desk(Settings(data_dir=folder)))
        ensure_schema(desk, upgrade=True)
        admin = stack.enter_context(psycopg.connect(desk.admin.dsn, autocommit=True))
        fill(admin, tickets)
        token = stack.enter_context(_token(desk))
        yield Servers(admin, token, ours, stack.enter_context(_floor(desk.admin.asyncpg_dsn)))


def fill(admin: psycopg.Connection, tickets: int) -> None:
    """Make so many tickets where there are none."""
    if admin.execute("select from tickets limit 1").fetchone() is None:
        with admin.transaction():
            admin.execute(FILL.format(tickets=tickets, customers=max(100, tickets // 5)).encode())
        admin.execute("vacuum analyze")
        admin.execute("checkpoint")


class _UndoneError(Exception):
    """Takes back what a measured call did."""


@contextmanager
def undone(desk: Desk, actor: Actor) -> Iterator[Session]:
    """Open a transaction that is rolled back in the end."""
    with suppress(_UndoneError), desk.database.transaction(actor) as session:
        yield session
        raise _UndoneError


def agent_of(admin: psycopg.Connection) -> Actor:
    """Return the first agent, who acts."""
    [(agent,)] = admin.execute("select min(id) from users where role = 'agent' and is_active")
    return Actor(ActorKind.AGENT, agent, Channel.API, act="bench")


@contextmanager
def _token(desk: Desk) -> Iterator[str]:
    """Make a token of an agent, for this measurement alone."""
    with desk.database.transaction(SYSTEM) as session:
        agent = session.scalars(select(User.id).where(User.role == Role.AGENT, User.is_active).limit(1)).one()
        token, secret = create_token(session, agent, name="bench")
    try:
        yield secret
    finally:
        with desk.database.transaction(SYSTEM) as session:
            revoke_token(session, token.id, at=datetime.now(UTC))


@contextmanager
def served_alone(folder: Path) -> Iterator[int]:
    """Serve a desk as people do, but for the rates; yield the port."""
    command = [str(Path(sys.executable).with_name("deskbell")), "serve", "--port", "0", "--no-demo"]
    environment = {**os.environ, "DESKBELL_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    rates = ("REQUEST", "SEARCH", "COMPLETION", "FIGURES", "HISTORY")
    environment |= {f"DESKBELL_WEB_{name}_RATE": "off" for name in rates}  # who asks is one person
    with _process(command, r"http://\S+?:(\d+)", "ready", env=environment) as port:
        yield port


@contextmanager
def _floor(dsn: str) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.floor"]
    with _process(command, r"http://\S+?:(\d+)", "Uvicorn running", say=dsn) as port:
        yield port


@contextmanager
def _process(
    command: list[str], port: str, ready: str, *, say: str = "", env: dict[str, str] | None = None
) -> Iterator[int]:
    """Run a server until the block ends; it says on which port, and when it is ready."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(f"{say}\n")
            process.stdin.flush()
            said = ""
            for line in process.stdout:
                said += line
                if ready in line:
                    break
            found = re.search(port, said)
            assert found, said
            yield int(found[1])
        finally:
            process.terminate()
