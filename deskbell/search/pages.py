"""Pages of ticket documents: which tickets, and what they look like, in two statements, or one where that is known.

Words make it two. The second is always the same, and its plan, which takes longer to make than the page takes to read,
is kept; so is that of the first where the query is words alone: its steps go by what they find (`windows`), and not by
what PostgreSQL expects of a word. Beside other conditions it is planned for their values. Without words one statement
does both, and its plan is kept.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, bindparam, select
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import ACTOR_KEY, Database
from deskbell.kernel.fields import FIELDS_KEY, Fields
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.paging import Cursor, SortKey, fingerprint, keyset
from deskbell.search.language import Query
from deskbell.search.names import mentioned
from deskbell.search.queries import Prepared, prepare
from deskbell.search.sizes import SIZE, Window
from deskbell.search.templates import Names, Readings, Template, by_name
from deskbell.search.windows import WINDOW, matches
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.queries import NEWEST_FIRST
from deskbell.tickets.shapes import SORTABLE, documents_in_order, page_of_documents

USUAL_LIMIT: Final = 50
_REMEMBERED: Final = 500
_IDS: Final = "ids"
_SIZE: Final = Statement(SIZE, prepared=True)
Order = tuple[SortKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which page: `order` is for queries that say none, `scope` who asks where, for the cursor."""

    query: str = ""
    statuses: tuple[TicketStatus, ...] = ()
    order: Order = NEWEST_FIRST
    limit: int = USUAL_LIMIT
    cursor: Cursor | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """The documents of a page, in order, joined by commas, and how many they are."""

    documents: bytes
    shown: int
    next_cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to find a page: rows of an id and the sort values, whose parameters `words` are open.

    `has_documents`: what is found is the page already, as of `page_of_documents`.
    """

    statement: Statement
    order: Order
    words: Names = ()
    has_documents: bool = False


class TicketPages:
    """Makes pages, and remembers how it found them; words are parameters of what it remembers."""

    def __init__(self, database: Database) -> None:
        """`database` is asked for names that a query mentions."""
        self._database = database
        self._fields: Fields = database.session_options["info"][FIELDS_KEY]
        self._readings = Readings(self._fields, _REMEMBERED)
        self._plans: OrderedDict[object, _Plan] = OrderedDict()
        self._window = Window()

    async def page(self, reading: Reading, wanted: Wanted) -> DocumentPage:
        """Return a page as the reading's actor may see it. Raises QueryError, and InvalidError for a foreign cursor."""
        actor = reading.actor
        assert actor is not None, "nobody reads"  # noqa: S101 - a programming error
        plan, words = await self._planned(actor, wanted, reading)
        rows = await reading.rows(plan.statement, by_name(plan.words, words), last=plan.has_documents)
        if plan.has_documents:
            joined, found, *last = rows.row(0)
            following = _cursor(last, plan.order, wanted) if found > wanted.limit else None
            return DocumentPage(joined or b"", min(found, wanted.limit), following)
        has_more = len(rows) > wanted.limit
        following = _cursor(rows.row(wanted.limit - 1)[1:], plan.order, wanted) if has_more else None
        joined, shown = await documents_of(reading, rows.column(0)[: wanted.limit])
        return DocumentPage(joined, shown, following)

    async def _window_now(self, reading: Reading) -> int:
        if not self._window.is_known:
            self._window.learn((await reading.rows(_SIZE)).row(0)[0])
        return self._window.size

    async def _planned(self, actor: Actor, wanted: Wanted, reading: Reading) -> tuple[_Plan, tuple[str, ...]]:
        read = self._readings.of(wanted.query, actor)
        window = await self._window_now(reading) if read.has_words else WINDOW
        template = read.template
        if template is not None and wanted.cursor is None:
            who = actor.user_id if template.is_personal else None
            order = tuple([(key.column, key.descending) for key in wanted.order])
            key = (read.shape, wanted.statuses, order, wanted.limit, window, actor.kind, who)
            plan = self._plans.get(key)
            if plan is None:
                prepared = await self._prepared(actor, template.query)
                plan = self._compiled(actor, prepared, wanted, template, window)
            if all(plan.words):
                self._remember(key, plan)
                return plan, template.words
        return self._compiled(actor, await self._prepared(actor, read.query), wanted, None, window), ()

    def _remember(self, key: object, plan: _Plan) -> None:
        self._plans[key] = plan
        self._plans.move_to_end(key)
        if len(self._plans) > _REMEMBERED:
            self._plans.popitem(last=False)

    async def _prepared(self, actor: Actor, query: Query) -> Prepared:
        if any(mentioned(query, self._fields.known_to(actor))):
            async with self._database.async_transaction(actor) as session:
                return await session.run_sync(prepare, query)
        options = self._database.session_options
        return prepare(Session(info={**options["info"], ACTOR_KEY: actor}), query)

    def _compiled(
        self, actor: Actor, prepared: Prepared, wanted: Wanted, template: Template | None, window: int
    ) -> _Plan:
        order = prepared.keys or wanted.order
        further = (Ticket.status.in_(wanted.statuses),) if wanted.statuses else ()
        if template is not None and not template.has_words and all(key.name in SORTABLE for key in order):
            tickets = prepared.narrow(select(Ticket)).where(*further)
            limited = keyset(tickets, order, limit=wanted.limit, cursor=wanted.cursor, query=_name(wanted))
            documents = page_of_documents(limited, for_staff=actor.is_staff, order=order, limit=wanted.limit)
            return _Plan(Statement(documents, prepared=True, literal=True), order, has_documents=True)
        options: dict[str, Any] = {"cursor": wanted.cursor, "query": _name(wanted), "further": further}
        found = Statement(
            matches(prepared, order, limit=wanted.limit, window=window, **options),
            prepared=template is not None and template.is_words_alone and not wanted.statuses,
        )
        return _Plan(found, order, template.names_in(found) if template else ())


async def documents_of(reading: Reading, ids: list[int]) -> tuple[bytes, int]:
    """Return the documents of these tickets, as far as the reading's actor may see them, in this order.

    They are joined by commas, and counted. Nothing can be read after that.
    """
    if not ids:
        return b"", 0
    assert reading.actor is not None, "nobody reads"  # noqa: S101 - a programming error
    rows = await reading.rows(_page_by_ids(for_staff=reading.actor.is_staff), {_IDS: ids}, last=True)
    joined, shown = rows.row(0)
    return joined or b"", shown


def _cursor(last: Sequence[Any], order: Order, wanted: Wanted) -> Cursor:
    """Return the place after the last row of the page, which has these sort values."""
    return Cursor(tuple(last), fingerprint(order, _name(wanted)))


def _name(wanted: Wanted) -> str:
    return f"{wanted.scope} {wanted.query}"


@lru_cache
def _page_by_ids(*, for_staff: bool) -> Statement:
    ids = bindparam(_IDS, type_=ARRAY(BigInteger))
    return Statement(documents_in_order(ids, for_staff=for_staff), prepared=True)
