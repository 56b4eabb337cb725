"""The audit log, followed: every entry once, soon after its commit, though ids are given out before, and out of order.

`Follower` is the reasoning, without a database: told what was seen, it says where to look, and what may still come
from there. `glance` and `scan` are the two statements of it. For the desk alone.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, String, Text, text

from deskbell.audit.models import AuditAction
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.lanes.statements import Statement

MOST_ENTRIES: Final = 500
"""So many entries are read at a time; where there are more, it is said that there were many."""
MOST_GAPS: Final = 500
"""So many stretches of ids are watched; where there are more, it is said in the end that there were many."""

# What is looked for are the entries up to the newest one that is visible, M. Where ids below M are missing, they were
# rolled back, or belong to transactions that are not over. These are known by a lock: an entry's id is given out by an
# INSERT that has locked audit_logs before (ROW EXCLUSIVE), and such a lock is held until the transaction is over, which
# PostgreSQL makes visible first. So, with W the transactions that hold it:
#   1. M is visible in the snapshot of _GLANCE, so every id up to M's was given out before (an identity column counts
#      up, without a cache in each connection), and whoever was given one holds the lock, or is over.
#   2. pg_locks is read after that snapshot was taken. Who is not in W then is over, and visible to every later
#      snapshot, such as that of _SCAN.
#   3. So what _SCAN does not find up to M can come from W alone: a gap remembers W, and forgets, with each glance, who
#      is no longer there. Once nobody is left, the next scan is the last in which it can be filled.
# A savepoint that is rolled back gives its lock back, and with it the ids that were given out under it.
# pg_current_snapshot() would not do instead: its xmax is one above the last transaction that has *ended*, so others
# with higher numbers may be under way, with ids that were given out long ago.
_GLANCE: Final = Statement(
    text("""
select (select id from audit_logs order by id desc limit 1) as newest,
       (select coalesce(string_agg(distinct virtualtransaction, ' '), '') from pg_locks
         where locktype = 'relation' and granted and mode = 'RowExclusiveLock'
           and database = (select oid from pg_database where datname = current_database())
           and relation = 'audit_logs'::regclass) as writers
""").columns(newest=BigInteger, writers=Text),
    prepared=True,
)
# Comments, attachments, copies and links know their tickets; those that were deleted are in the log as they were, and
# of those that were moved both tickets. The tables are named, not imported: they lie above the audit log.
_SCAN: Final = Statement(
    text("""
select l.id, l.table_name, l.record_id, l.action, coalesce(l.user_id, 0) as user_id, l.operation_id,
       coalesce(t.id, 0) as ticket_id, coalesce(t.ticket_number, '') as ticket_number
  from (select a.id, a.table_name, a.record_id, a.action, a.user_id, a.operation_id, a.changes
          from unnest(cast(:firsts as bigint[]), cast(:lasts as bigint[])) as s (first, last)
               cross join lateral (select * from audit_logs
                                    where id between s.first and s.last order by id limit :most) a
         limit :most) l
       left join comments c on l.table_name = 'comments' and c.id = l.record_id
       left join attachments f on l.table_name = 'attachments' and f.id = l.record_id
       left join ticket_copies p on l.table_name = 'ticket_copies' and p.id = l.record_id
       left join ticket_links k on l.table_name = 'ticket_links' and k.id = l.record_id
       left join tickets t on t.id = any (case
         when l.table_name in ('tickets', 'ticket_tags') then array[l.record_id]
         when l.table_name in ('comments', 'attachments') then array[
           c.ticket_id, f.ticket_id,
           case l.action when 'DELETE' then cast(l.changes ->> 'ticket_id' as bigint)
                         when 'UPDATE' then cast(l.changes #>> '{ticket_id,0}' as bigint) end]
         when l.table_name in ('ticket_copies', 'ticket_links') then array[
           p.ticket_id, k.ticket_id, k.other_id,
           case l.action when 'DELETE' then cast(l.changes ->> 'ticket_id' as bigint) end,
           case l.action when 'DELETE' then cast(l.changes ->> 'other_id' as bigint) end]
         end)
 order by l.id
""").columns(
        id=BigInteger,
        table_name=String,
        record_id=BigInteger,
        action=String,
        user_id=BigInteger,
        operation_id=BigInteger,
        ticket_id=BigInteger,
        ticket_number=String,
    ),
    prepared=True,
)

Readings = Callable[[], AbstractAsyncContextManager[Reading]]
"""Opens transactions in which somebody acts who may read the log."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change in the log. `user_id` is 0 where nobody in particular made it, `ticket_id` where it is of no ticket."""

    id: int
    table_name: str
    record_id: int
    action: AuditAction
    user_id: int
    operation_id: int
    ticket_id: int
    ticket_number: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ids, both ends included."""

    first: int
    last: int

    def without(self, ids: Iterable[int]) -> list["Stretch"]:
        """Return what is left when ids are taken out, which come in ascending order."""
        left, first = [], self.first
        for one in ids:
            if first < one:
                left.append(Stretch(first, one - 1))
            first = one + 1
        if first <= self.last:
            left.append(Stretch(first, self.last))
        return left


@dataclass(frozen=True, slots=True)
class Glance:
    """The newest entry that is visible, and the transactions that may be writing entries."""

    newest: int
    writers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """The entries that were new, in the order of their ids. `many`: there were more, or may be, than are here."""

    entries: Sequence[Entry] = ()
    many: bool = False


@dataclass(slots=True)
class _Gap:
    stretch: Stretch
    writers: frozenset[str]


class Follower:
    """Follows the log from an entry on. For each look: `glance`, a scan of what `stretches` returns, and `took`."""

    def __init__(self, after: int) -> None:
        """All up to `after` is known already."""
        self._reached = after
        self._gaps: list[_Gap] = []
        self._doubt: frozenset[str] = frozenset()
        """Who may bring entries at which nobody looks one by one."""
        self._doubt_from = after

    @classmethod
    def begin(cls, glance: Glance) -> "Follower":
        """Begin with what is to come. Transactions that are under way may bring ids from before."""
        follower = cls(glance.newest)
        follower._doubt, follower._doubt_from = glance.writers, 0
        return follower

    @property
    def cursor(self) -> int:
        """All entries up to this one were found, or will never be."""
        reached = min((gap.stretch.first - 1 for gap in self._gaps), default=self._reached)
        return min(reached, self._doubt_from) if self._doubt else reached

    def stretches(self, glance: Glance) -> list[Stretch]:
        """Say where to look now; nowhere where nothing can have come."""
        looked = [gap.stretch for gap in self._gaps if not gap.writers <= glance.writers]
        if glance.newest > self._reached:
            looked.append(Stretch(self._reached + 1, glance.newest))
        return looked

    def took(self, glance: Glance, looked: Sequence[Stretch], entries: Sequence[Entry], most: int) -> Found:
        """Take what a scan of these stretches found, at most so many. Where it failed, nothing has happened."""
        before, is_other = self._reached, glance.newest < self._reached  # a backup was restored
        is_owed = is_other or bool(self._doubt and not self._doubt & glance.writers)
        self._reached, self._doubt = glance.newest, self._doubt & glance.writers
        if is_other or len(entries) >= most:
            self._lose_sight(0 if is_other else before, glance)
            return Found(entries, many=True)
        self._watch(glance, before, looked, [entry.id for entry in entries])
        if len(self._gaps) > MOST_GAPS:
            self._lose_sight(before, glance)
        return Found(entries, many=is_owed)

    def _watch(self, glance: Glance, before: int, looked: Sequence[Stretch], ids: Sequence[int]) -> None:
        """Keep of each gap what was not found and may still come, and add those of the stretch that is new."""
        fresh = [_Gap(stretch, glance.writers) for stretch in looked if stretch.first > before]
        self._gaps = [
            _Gap(part, gap.writers & glance.writers)
            for gap in (*self._gaps, *fresh)
            if gap.writers & glance.writers
            for part in gap.stretch.without(_within(ids, gap.stretch))
        ]

    def _lose_sight(self, after: int, glance: Glance) -> None:
        """Watch transactions instead of stretches: when they are over, there were many."""
        after = min((gap.stretch.first - 1 for gap in self._gaps), default=after)
        self._doubt_from = min(self._doubt_from, after) if self._doubt else after
        self._doubt |= glance.writers
        self._gaps = []


def _within(ids: Sequence[int], stretch: Stretch) -> Sequence[int]:
    return ids[bisect_left(ids, stretch.first) : bisect_right(ids, stretch.last)]


async def glance(reading: Reading) -> Glance:
    """Return what is there now."""
    newest, writers = (await reading.rows(_GLANCE)).row(0)
    return Glance(newest or 0, frozenset(writers.split()))


async def scan(reading: Reading, stretches: Sequence[Stretch], most: int = MOST_ENTRIES) -> list[Entry]:
    """Return the entries with these ids, at most so many, in their order. A comment that was moved is there twice."""
    values = {
        "firsts": [stretch.first for stretch in stretches],
        "lasts": [stretch.last for stretch in stretches],
        "most": most,
    }
    rows = await reading.rows(_SCAN, values)
    return [_entry(rows.row(index)) for index in range(len(rows))]


def _entry(row: tuple[Any, ...]) -> Entry:
    number, table_name, record_id, action, *others = row
    return Entry(number, table_name, record_id, AuditAction(action), *others)


async def look(readings: Readings, follower: Follower, most: int = MOST_ENTRIES) -> Found:
    """Return the entries that have become visible since the last look.

    In two transactions: the scan needs a later snapshot, whatever the isolation level.
    """
    async with readings() as reading:
        seen = await glance(reading)
    looked, entries = follower.stretches(seen), list[Entry]()
    if looked:
        async with readings() as reading:
            entries = await scan(reading, looked, most)
    return follower.took(seen, looked, entries, most)


async def since(reading: Reading, after: int, most: int = MOST_ENTRIES) -> Found:
    """Return what is visible after an entry, for somebody who comes back."""
    entries = await scan(reading, [Stretch(after + 1, 2**63 - 1)], most)
    return Found(entries, many=len(entries) >= most)
