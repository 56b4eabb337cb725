"""What the audit log costs an UPDATE: the same statements with and without the trigger, in turn, as an agent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import psycopg

from bench.figures import Figure, in_turn, seconds
from bench.server import measured_database
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.address import Address

AGENT = Actor(ActorKind.AGENT, 1, Channel.API, act="bench")
PRIORITIES = ("low", "high", "urgent", "medium")
SINGLES = 200
FILL = b"""
insert into users (email, role) values ('agent@example.test', 'agent'), ('customer@example.test', 'customer');
create temp table words as select i, translate(substr(md5(i::text), 1, 3 + i % 7), '0123456789', 'ghijklmnop') as word
  from generate_series(0, 2999) i;
create temp table texts as
select t, string_agg(word, ' ') as text
  from generate_series(1, 20000) t, generate_series(1, 150) n,
       lateral (select floor(3000 * power((hashint8extended(t * 1000 + n, 0) & 65535) / 65536.0, 3)) as i) often
  join words using (i) group by t;
insert into tickets (title, description, creator_id) select 'Card not arrived ' || t, text, 2 from texts order by t;
"""  # 150 words of 3,000, the first ones often, as in people's letters
ONE_ROW = "update tickets set priority = %s where id = %s"
MANY_ROWS = "update tickets set priority = %s where id between 5000 and 14999"


def run(template: Address) -> Iterator[Figure]:
    """Yield the ratios: one row, by the transaction and by the statement, and 10,000 rows."""
    with (
        measured_database(template, "bench_audit") as (address, application),
        psycopg.connect(address.dsn, autocommit=True) as admin,
        psycopg.connect(application.dsn, autocommit=True) as connection,
    ):
        admin.execute(FILL)
        desk = _Desk(admin, connection)
        yield desk.ratio("update of one row, with its transaction", desk.transactions, at_most=1.5, pairs=9)
        yield desk.ratio("update of one row, the statement alone", desk.statements, at_most=1.5, pairs=9)
        yield desk.ratio("update of 10,000 rows", desk.bulk, at_most=1.4, pairs=7)


class _Desk:
    """An agent who changes priorities, and an administrator who sets the trigger on and off meanwhile."""

    def __init__(self, admin: psycopg.Connection, connection: psycopg.Connection) -> None:
        self.admin, self.connection, self.rounds = admin, connection, count()

    def ratio(self, name: str, action: Callable[[str], object], *, at_most: float, pairs: int) -> Figure:
        """Time `action` with the trigger off and on; it is given a priority that the tickets do not have."""
        timed = in_turn(lambda: self._timed(action, "disable"), lambda: self._timed(action, "enable"), pairs=pairs)
        return Figure(name, timed.ratio, "times", at_most=at_most, details=timed.details)

    def _timed(self, action: Callable[[str], object], switch: str) -> float:
        self.admin.execute(f"alter table tickets {switch} trigger audit_update".encode())
        self.admin.execute("vacuum analyze tickets")
        self.admin.execute("checkpoint")  # otherwise one of two writes the whole pages for the other
        with self._acting():  # the plans are made anew after ALTER TABLE
            self.connection.execute(ONE_ROW, ("low", 1))
        return seconds(lambda: action(PRIORITIES[next(self.rounds) % len(PRIORITIES)]))

    @contextmanager
    def _acting(self) -> Iterator[None]:
        with self.connection.transaction():
            self.connection.execute(
                "select set_config('role', %s, true), set_config('deskbell.actor', %s, true),"
                " set_config('deskbell.channel', %s, true), set_config('deskbell.act', %s, true)",
                list(AGENT.settings().values())[:4],
            )
            yield

    def transactions(self, priority: str) -> None:
        """Change tickets one by one, each in its own transaction, as people do."""
        for number in range(SINGLES):
            with self._acting():
                self.connection.execute(ONE_ROW, (priority, 100 + number))

    def statements(self, priority: str) -> None:
        """Change tickets one by one in one transaction: nothing but the statements, and one commit."""
        with self._acting():
            for number in range(SINGLES):
                self.connection.execute(ONE_ROW, (priority, 100 + number))

    def bulk(self, priority: str) -> None:
        """Change half of the tickets at once."""
        with self._acting():
            assert self.connection.execute(MANY_ROWS, (priority,)).rowcount == 10_000  # noqa: PLR2004 - as the name says
