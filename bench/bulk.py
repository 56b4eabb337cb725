"""Bulk calls beside the one plain statement that does the same to the same tickets, with all triggers on, in turn.

The statement is a superuser's, without row security, checks or a report of what it did not touch. Everything is rolled
back. On a desk of more than 100,000 tickets a call takes 100,000 ids, the most that it allows.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from bench.desk import agent_of, undone
from bench.figures import Figure, in_turn, seconds
from bench.reading import Options, filled_desk
from deskbell.runtime import Desk
from deskbell.tickets.bulk_changes import bulk_assign_tickets, bulk_update_ticket_status
from deskbell.tickets.bulk_creation import bulk_create_tickets, bulk_insert_with_return

PAIRS = 5
AT_LEAST = 0.5
"""Of the speed of the plain statement."""
MOST = 100_000
_TEXT = "My card has not arrived, though you sent it two weeks ago. " * 4
_STATUS = "update tickets set status = 'waiting_on_customer' where id = any(%s)"
_ASSIGN = """
update tickets set assignee_id = %s, status = case when status = 'open' then 'in_progress' else status end
 where id = any(%s)
"""
_CREATE = """
insert into tickets (title, description, creator_id)
select * from unnest(%s::text[], %s::text[], %s::bigint[]) returning id, ticket_number
"""
_TOUCHED = "tickets, comments, search_documents, search_words, audit_logs"


def run(options: Options) -> Iterator[Figure]:
    """Yield for each call its speed as a part of the statement's."""
    with filled_desk(options) as (desk, admin):
        yield from _Measured(desk, admin).figures()


class _Measured:
    def __init__(self, desk: Desk, admin: psycopg.Connection) -> None:
        self._desk, self._admin = desk, admin
        self._agent = agent_of(admin)
        self._ids = [
            number
            for (number,) in admin.execute(
                "select id from tickets where deleted_at is null order by id limit %s", [MOST]
            )
        ]
        titles = [f"Card {number}" for number in range(len(self._ids))]
        self._columns: Sequence[Any] = (titles, [_TEXT] * len(titles), [self._agent.user_id] * len(titles))
        names = ("title", "description", "creator_id")
        self._rows = [dict(zip(names, row, strict=True)) for row in zip(*self._columns, strict=True)]

    def figures(self) -> Iterator[Figure]:
        """Measure all calls."""
        ids, agent, rows = self._ids, self._agent.user_id, self._rows
        create = (_CREATE, self._columns)
        yield self._figure(
            "bulk_update_ticket_status",
            (_STATUS, [ids]),
            lambda session: bulk_update_ticket_status(session, ids, "waiting_on_customer"),
        )
        yield self._figure(
            "bulk_assign_tickets", (_ASSIGN, [agent, ids]), lambda session: bulk_assign_tickets(session, ids, agent)
        )
        yield self._figure("bulk_create_tickets", create, lambda session: bulk_create_tickets(session, rows))
        yield self._figure("bulk_insert_with_return", create, lambda session: bulk_insert_with_return(session, rows))

    def _figure(self, name: str, plain: tuple[str, Sequence[Any]], call: Callable[[Session], object]) -> Figure:
        timed = in_turn(lambda: self._plain(*plain), lambda: self._ours(call), pairs=PAIRS)
        times = {"plain_ms": median(timed.plain) * 1000, "ours_ms": median(timed.other) * 1000}
        return Figure(
            f"{name}, {len(self._ids):,} tickets", 1 / timed.ratio, "of its speed", at_least=AT_LEAST, details=times
        )

    def _plain(self, statement: str, values: Sequence[Any]) -> float:
        self._clear()
        with self._admin.transaction(force_rollback=True):
            return seconds(lambda: self._admin.execute(statement.encode(), values))

    def _ours(self, call: Callable[[Session], object]) -> float:
        self._clear()
        with undone(self._desk, self._agent) as session:
            return seconds(lambda: call(session))

    def _clear(self) -> None:
        """Remove what was rolled back, and write the disk's pages: otherwise the one pays for the other."""
        self._admin.execute(f"vacuum {_TOUCHED}".encode())
        self._admin.execute("checkpoint")
