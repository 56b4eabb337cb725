"""Pages of ticket documents: which tickets, and what they look like, in two statements, or one where that is known.

The first statement is planned for its values, as the way to a common word is not the way to a rare one. The second is
always the same: its plan, which takes longer to make than the page takes to read, is kept.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, literal_column, select
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import ACTOR_KEY, Database
from deskbell.kernel.fields import FIELDS_KEY, Field, Fields
from deskbell.kernel.paging import Cursor, SortKey, fingerprint, keyset
from deskbell.kernel.reading import Reading, Rows
from deskbell.kernel.statements import Statement
from deskbell.search.language import Query, parse
from deskbell.search.names import mentioned
from deskbell.search.queries import Prepared, compile_query, prepare
from deskbell.search.templates import Template, template_of
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.queries import NEWEST_FIRST, tickets
from deskbell.tickets.shapes import ticket_documents

USUAL_LIMIT: Final = 50
_REMEMBERED: Final = 500
_IDS: Final = "ids"
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

    @property
    def is_usual(self) -> bool:
        """Whether this is the list as it is opened."""
        return not (self.query.strip() or self.statuses or self.cursor) and self.limit == USUAL_LIMIT


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """The documents of a page, in order."""

    documents: list[bytes]
    next_cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to find a page: rows of an id and the sort values, whose parameters `words` are open."""

    statement: Statement
    order: Order
    words: tuple[tuple[str, ...], ...] = ()


class TicketPages:
    """Makes pages, and remembers how it found them; words are parameters of what it remembers."""

    def __init__(self, database: Database) -> None:
        """`database` is asked for names that a query mentions."""
        self._database = database
        self._fields: Fields = database.session_options["info"][FIELDS_KEY]
        self._known_to: dict[bool, Mapping[str, Field]] = {}
        self._plans: OrderedDict[object, _Plan] = OrderedDict()

    async def page(self, reading: Reading, wanted: Wanted) -> DocumentPage:
        """Return a page as the reading's actor may see it. Raises QueryError, and InvalidError for a foreign cursor."""
        actor = reading.actor
        assert actor is not None, "nobody reads"  # noqa: S101 - a programming error
        if wanted.is_usual:
            statement = _usual_page(for_staff=actor.is_staff, order=wanted.order)
            rows = await reading.rows(statement, last=True)
            return DocumentPage(rows.column(2)[:USUAL_LIMIT], _next_cursor(rows, 3, wanted.order, wanted))
        plan, words = await self._planned(actor, wanted)
        values = {name: word for names, word in zip(plan.words, words, strict=True) for name in names}
        rows = await reading.rows(plan.statement, values)
        found = await documents_of(reading, rows.column(0)[: wanted.limit])
        return DocumentPage(found, _next_cursor(rows, 1, plan.order, wanted))

    async def _planned(self, actor: Actor, wanted: Wanted) -> tuple[_Plan, tuple[str, ...]]:
        query = parse(wanted.query)
        template = template_of(query, self._known(actor)) if wanted.cursor is None else None
        if template is not None:
            who = actor.user_id if template.is_personal else None
            key = (template.query, wanted.statuses, wanted.order, wanted.limit, actor.kind, who)
            plan = self._plans.get(key) or self._compiled(await self._prepared(actor, template.query), wanted, template)
            if all(plan.words):
                self._remember(key, plan)
                return plan, template.words
        return self._compiled(await self._prepared(actor, query), wanted, None), ()

    def _remember(self, key: object, plan: _Plan) -> None:
        self._plans[key] = plan
        self._plans.move_to_end(key)
        if len(self._plans) > _REMEMBERED:
            self._plans.popitem(last=False)

    def _known(self, actor: Actor) -> Mapping[str, Field]:
        """Return what `Fields.known_to` does, which is the same for all of the desk, and for all customers."""
        known = self._known_to.get(actor.is_staff)
        if known is None:
            known = self._known_to[actor.is_staff] = self._fields.known_to(actor)
        return known

    async def _prepared(self, actor: Actor, query: Query) -> Prepared:
        if any(mentioned(query, self._known(actor))):
            async with self._database.async_transaction(actor) as session:
                return await session.run_sync(prepare, query)
        options = self._database.session_options
        return prepare(Session(info={**options["info"], ACTOR_KEY: actor}), query)

    def _compiled(self, prepared: Prepared, wanted: Wanted, template: Template | None) -> _Plan:
        order = prepared.keys or wanted.order
        columns = {"id": Ticket.id} | {f"key_{key.name}": key.column for key in order}
        statement = prepared.narrow(select(Ticket)).with_only_columns(*columns.values())
        if wanted.statuses:
            statement = statement.where(Ticket.status.in_(wanted.statuses))
        limited = keyset(statement, order, limit=wanted.limit, cursor=wanted.cursor, query=_name(wanted))
        found = Statement(limited)
        words = tuple(tuple(found.names_of(slot)) for slot in (template.slots if template else ()))
        return _Plan(found, order, words)


async def documents_of(reading: Reading, ids: list[int]) -> list[bytes]:
    """Return the documents of these tickets, as far as the reading's actor may see them, in this order.

    Nothing can be read after that.
    """
    if not ids:
        return []
    assert reading.actor is not None, "nobody reads"  # noqa: S101 - a programming error
    rows = await reading.rows(_page_by_ids(for_staff=reading.actor.is_staff), {_IDS: ids}, last=True)
    documents = dict(zip(rows.column(0), rows.column(2), strict=True))
    return [documents[found] for found in ids if found in documents]


def _next_cursor(rows: Rows, first: int, order: Order, wanted: Wanted) -> Cursor | None:
    """Return the place after the last row of the page, where one more was found; its sort values begin at `first`."""
    if len(rows) <= wanted.limit:
        return None
    return Cursor(rows.row(wanted.limit - 1)[first:], fingerprint(order, _name(wanted)))


def _name(wanted: Wanted) -> str:
    return f"{wanted.scope} {wanted.query}"


@lru_cache
def _usual_page(*, for_staff: bool, order: Order) -> Statement:
    """The list as it is opened: all that is not deleted."""
    limited = keyset(tickets(), order, limit=USUAL_LIMIT).limit(literal_column(str(USUAL_LIMIT + 1)))
    return Statement(ticket_documents(limited, for_staff=for_staff, order=order), prepared=True)


@lru_cache
def _page_by_ids(*, for_staff: bool) -> Statement:
    among = select(Ticket).where(Ticket.id == any_(bindparam(_IDS, type_=ARRAY(BigInteger))))
    return Statement(ticket_documents(among, for_staff=for_staff), prepared=True)
