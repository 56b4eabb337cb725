"""What an agent waits for on a desk of any size: times of the domain's functions, and the indexes that serve them.

Each action runs in a transaction of its own, as an agent, with row security, audit and search documents on. What it
changes is rolled back.
"""

import random
import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count

import psycopg
from sqlalchemy.orm import Session

from bench.desk import agent_of, undone
from bench.figures import Figure, seconds
from bench.reading import Options, filled_desk
from deskbell.accounts.queries import get_user
from deskbell.kernel.explaining import explaining
from deskbell.runtime import Desk
from deskbell.search.finding import BEST, BY_RELEVANCE, find
from deskbell.search.models import SavedView
from deskbell.search.snippets import snippets
from deskbell.search.view_counts import count_views
from deskbell.tickets.actions import open_ticket
from deskbell.tickets.bodies import body_of
from deskbell.tickets.bulk_changes import bulk_assign_tickets, bulk_update_ticket_status
from deskbell.tickets.bulk_creation import bulk_create_tickets
from deskbell.tickets.models import TicketStatus
from deskbell.tickets.queries import get_thread
from deskbell.tickets.statistics import get_ticket_statistics

TIMES = 30
MANY = 10_000
Act = Callable[[Session, int], object]
VIEWS = (
    *(
        "",
        "status:open",
        "status:in_progress",
        "status:waiting_on_customer",
        "is:unresolved",
        "is:overdue",
        "assignee:me",
    ),
    *("assignee:none is:unresolved", "priority:urgent", "priority>=high is:unresolved", "created>-1d", "created>-7d"),
    *(
        "updated>-1d",
        "status:open assignee:none",
        "is:reopened is:unresolved",
        "has:attachment created>-7d",
        "comments>10",
    ),
    *("status:closed", "requester:nobody@example.test", "is:unassigned priority:urgent"),
)
_WORDS = """
select word, ndoc from ts_stat($$select coalesce(staff_vector, public_vector) from search_documents
                                 where ticket_id > (select max(ticket_id) - 5000 from search_documents)$$)
 where word ~ '^[a-z]{4,}$' order by ndoc desc, word
"""
_SIZES = """
select relname, pg_relation_size(c.oid) / 1e6 from pg_class c
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') and pg_relation_size(c.oid) > 4e6
 order by 2 desc limit 25
"""
_INDEX = re.compile(r"(?:using|Bitmap Index Scan on|Seq Scan on) (\w+)")


def run(options: Options) -> Iterator[Figure]:
    """Yield a figure for each action, and the sizes of the largest tables and indexes."""
    with filled_desk(options) as (desk, admin):
        measured = _Measured(desk, admin)
        yield from measured.reading()
        yield from measured.writing()
        for name, megabytes in admin.execute(_SIZES):
            yield Figure(f"size of {name}", float(megabytes), "MB")


class _Measured:
    def __init__(self, desk: Desk, admin: psycopg.Connection) -> None:
        self.desk, self.admin = desk, admin
        self.agent = agent_of(admin)
        self.chance = random.Random(1)
        self.words = [word for word, _ in admin.execute(_WORDS)]
        self.ids = [
            number for (number,) in admin.execute("select id from tickets where deleted_at is null order by id")
        ]

    def reading(self) -> Iterator[Figure]:
        """Yield the times of what people read."""
        yield self.times("list of 50", _finding([""]))
        yield self.times("list of 50, status:open", _finding(["status:open"]))
        numbers = [
            number
            for (number,) in self.admin.execute(
                "select ticket_number from tickets join search_documents on ticket_id = id"
                " where comment_count between 18 and 22 and deleted_at is null order by id desc limit 30"
            )
        ]
        yield self.times("thread of 20 comments", lambda s, i: get_thread(s, numbers[i % len(numbers)]))
        for name, queries in self.queries().items():
            limit = {"two words": 50.0, "a typing error": 150.0}.get(name)
            yield self.times(f"search, {name}, by date", _finding(queries), at_most=limit)
            yield self.times(f"search, {name}, by relevance with snippets", _searching(queries))
        views = [SavedView(id=number, name=query, query=query, sort="") for number, query in enumerate(VIEWS, 1)]
        yield self.times("counts of twenty views", lambda s, _: count_views(s, views), at_most=50)
        end = self.desk.resources.clock.now()
        for days in (30, 365):
            start = end - timedelta(days=days)
            yield self.times(f"statistics of {days} days", _counting(start, end), times=5)

    def queries(self) -> dict[str, list[str]]:
        """Make queries of common and rare words, by kind."""
        common, rare = self.words[:60], self.words[len(self.words) // 2 :]
        pick = self.chance.choice
        return {
            "a common word": [pick(common) for _ in range(TIMES)],
            "a rare word": [pick(rare) for _ in range(TIMES)],
            "two words": [f"{pick(self.words[:400])} {pick(self.words[:400])}" for _ in range(TIMES)],
            "a typing error": [_mistyped(pick(self.words[:400])) for _ in range(TIMES)],
        }

    def writing(self) -> Iterator[Figure]:
        """Yield the times of changes, which are taken back."""
        ids = self.chance.sample(self.ids, min(MANY, len(self.ids) // 2))
        statuses = (TicketStatus.CLOSED, TicketStatus.OPEN)
        agent = self.agent.user_id or 0
        row = {"title": "Card", "description": "My card has not arrived. " * 8, "creator_id": agent}
        acts: dict[str, Act] = {
            "bulk status": lambda s, i: bulk_update_ticket_status(s, ids, statuses[i % 2]),
            "bulk assign": lambda s, _: bulk_assign_tickets(s, ids, agent),
            "bulk create": lambda s, _: bulk_create_tickets(s, [row] * len(ids)),
        }
        for name, act in acts.items():
            yield self.times(f"{name} of {len(ids):,}", act, times=3)
        body = body_of("My card has not arrived, though you sent it two weeks ago.")
        yield self.times("a new ticket", lambda s, _: open_ticket(s, body=body, requester=get_user(s, agent)))

    def times(self, name: str, act: Act, *, at_most: float | None = None, times: int = TIMES) -> Figure:
        """Time an action, the caches warm; the plan is that of the first."""
        numbers = count()
        found = [seconds(lambda: self.once(act, next(numbers))) for _ in range(times)]
        numbers = count()
        found = [seconds(lambda: self.once(act, next(numbers))) * 1000 for _ in range(times)]
        found.sort()
        p95 = found[min(len(found) - 1, int(len(found) * 0.95))]
        details = {"p50": statistics.median(found), "max": found[-1]}
        return Figure(name, p95, "ms p95", at_most=at_most, details=details, note=self.plan(act))

    def once(self, act: Act, number: int) -> None:
        """Run an action and take it back."""
        with undone(self.desk, self.agent) as session:
            act(session, number)

    def plan(self, act: Act) -> str:
        """Name the indexes and whole tables that an action reads."""
        used: dict[str, None] = {}

        def tell(_: str, lines: Sequence[str]) -> None:
            for line in lines:
                if "never executed" not in line:
                    used.update(dict.fromkeys(_INDEX.findall(line)))

        with explaining(self.desk.database.engine, tell):
            self.once(act, 0)
        return ", ".join(used)


def _finding(queries: Sequence[str]) -> Act:
    return lambda session, number: find(session, queries[number % len(queries)])


def _searching(queries: Sequence[str]) -> Act:
    def search(session: Session, number: int) -> None:
        found = find(session, queries[number % len(queries)], limit=BEST, default=BY_RELEVANCE)
        if found.words is not None and found.ids:
            snippets(session, found.ids, found.words)

    return search


def _counting(start: datetime, end: datetime) -> Act:
    return lambda session, _: get_ticket_statistics(session, start, end)


def _mistyped(word: str) -> str:
    return word[:2] + word[3] + word[2] + word[4:]
