"""Results that are remembered until the audit log says that something they are made of has changed.

Nobody has to say what becomes invalid, and nobody can forget to: triggers write the log, whichever way a change came.
Who may not read the log, a customer, is never answered from memory.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.kernel.cache import JSON, Cache, Unavailable
from deskbell.kernel.database import actor_of
from deskbell.kernel.resources import RESOURCES_KEY, Resources

T = TypeVar("T")

MOST_PASSED: Final = 1_000
"""How many later changes of other tables are looked through before a result is computed anew, which stores it anew."""

# A mark is the newest row of the audit log. Every change of a watched table that a result does not contain must get an
# id above its mark, though ids are given out before commits, and out of order. Let M be the newest row in the snapshot
# of _MARK, and c any committed change of a watched table with an id up to M's.
#   1. M is visible, so its id was given out before the snapshot, and c's, which is not above it, before that (an
#      identity column counts up, without a cache in each connection).
#   2. c's trigger took its id after the statement that fired it had locked the table (ROW EXCLUSIVE or above), and such
#      a lock is held until the transaction is over: PostgreSQL makes a commit visible first, and unlocks then.
#   3. pg_locks is read after the snapshot was taken, so after 1. Where it shows no such lock, c's transaction is over,
#      and visible to every snapshot from here on.
#   4. At READ COMMITTED the statements that compute the result come later, with later snapshots: all see c.
# So what any of them does not see, or what came between two of them, is above M: the log tells it to whoever asks
# later, in the very snapshot in which it becomes visible. pg_current_snapshot() would not do instead of the locks: it
# does not list transactions with a higher number than any that has ended, and the ids of one of these may be below M.
# A transaction's own changes lock as well, so nothing is stored that may be rolled back; on a standby the locks of the
# primary cannot be seen. In all these cases there is no mark, and the result is not stored.
_MARK: Final = text("""
select id, created_at from audit_logs
 where current_setting('transaction_isolation') = 'read committed'
   and not pg_is_in_recovery()
   and not exists (
     select from pg_locks
      where locktype = 'relation' and granted
        and mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        and database = (select oid from pg_database where datname = current_database())
        and relation = any (array(select name::regclass::oid from unnest(cast(:tables as text[])) as name)))
 order by id desc
 limit 1
""")

# The mark itself must be there: where the log has no such row, it is another one (a backup was restored, a standby took
# over that had not heard of it). A transaction with a snapshot of its own must not be told what came after it. Months
# before the mark's need not be looked at; the day is for clocks that are set back. The rows come in any order, so that
# no more are read than the limit: where it cuts some off, there are too many already.
_HOLDS: Final = text(f"""
select current_setting('transaction_isolation') = 'read committed'
       and coalesce(bool_or(id = :id and created_at = :created_at), false)
       and not coalesce(bool_or(id > :id and table_name = any (cast(:tables as text[]))), false)
       and count(*) <= 1 + {MOST_PASSED}
  from (select id, created_at, table_name from audit_logs
         where id >= :id and created_at >= cast(:created_at as timestamptz) - interval '1 day'
         limit 2 + {MOST_PASSED}) later
""")  # noqa: S608 - a number


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked, and how the answer becomes JSON and is read again.

    `arguments` say all that the answer depends on, but for the data and the kind of actor: times as moments, people as
    ids. `tables` are those the answer is made of, in audited columns alone.
    """

    name: str
    arguments: Mapping[str, Any]
    tables: Sequence[str]
    answer: TypeAdapter[T]


def cached(session: Session, question: Question[T], compute: Callable[[], T]) -> T:
    """Return what `compute` returns, or what it returned when nothing was different yet.

    Costs nothing where no cache is configured. Otherwise finding an answer takes one statement, storing it another.
    """
    store, actor = _cache_of(session), actor_of(session)
    if store is None or not actor.is_staff:
        return compute()
    name = store.name({"name": question.name, "actor": actor.kind.value, "arguments": question.arguments})
    try:
        entry = store.fetch(session, name)
    except Unavailable:
        return compute()
    if entry is not None and _holds(session, entry, question):
        with suppress(KeyError, ValidationError):  # stored by a program that was not quite the same
            return question.answer.validate_python(entry["answer"])
    mark = session.execute(_MARK, {"tables": list(question.tables)}).one_or_none()
    answer = compute()
    if mark is not None:
        written = question.answer.dump_python(answer, mode="json")
        with suppress(Unavailable):
            store.store(session, name, {"mark": [mark.id, mark.created_at.isoformat()], "answer": written})
    return answer


def _holds(session: Session, entry: JSON, question: Question[Any]) -> bool:
    number, time = entry["mark"]
    values = {"id": number, "created_at": datetime.fromisoformat(time), "tables": list(question.tables)}
    return bool(session.scalar(_HOLDS, values))


def _cache_of(session: Session) -> Cache | None:
    resources: Resources | None = session.info.get(RESOURCES_KEY)
    return resources.cache if resources else None
