"""Ranking the newest matches of words: by how often, how near the title and how close to each other they stand.

The statement takes SQLAlchemy longer to put together than a page of it takes to show. Of queries that differ in their
words alone it is kept, but for that.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, cast, column, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import actor_of
from deskbell.kernel.fields import FIELDS_KEY, Fields
from deskbell.kernel.paging import Cursor, SortKey, fingerprint, keyset
from deskbell.kernel.statements import Statement
from deskbell.search.queries import Prepared, prepare
from deskbell.search.templates import Template, template_of
from deskbell.search.windows import WINDOW, Ids, matches
from deskbell.search.words import vector
from deskbell.tickets.documents import SearchDocument
from deskbell.tickets.queries import NEWEST_FIRST

COMPETING: Final = 1_000
"""The newest matches, which are ranked."""
_WINDOW: Final = WINDOW // 2
"""Of the newest tickets, where these have enough: whoever waits for the best match waits for the ranking too."""
RANKED: Final = (
    SortKey(column("relevance", BigInteger), descending=True, nullable=False),
    SortKey(column("id", BigInteger), descending=True, unique=True),
)
_REMEMBERED: Final = 100


def ranking(
    prepared: Prepared, keys: Sequence[SortKey], *, limit: int, cursor: Cursor | None = None, name: str = ""
) -> Ids:
    """Return up to `limit` + 1 rows of id, relevance and id, by `keys`. `name` is the query's in a cursor."""
    newest = matches(prepared, NEWEST_FIRST, limit=COMPETING, enough=limit, window=_WINDOW).subquery("competing")
    document = vector(prepared.context.actor)
    millionths = cast(func.ts_rank(document, prepared.words, 1) * 1_000_000, BigInteger)
    ranked = (
        select(newest.c.id, millionths.label("relevance"))
        .join(SearchDocument, SearchDocument.ticket_id == newest.c.id)
        .subquery("ranked")
    )
    ours = tuple(replace(key, column=ranked.c[key.name]) for key in keys)
    columns = (ranked.c.id, ranked.c.relevance, ranked.c.id.label("key_id"))
    place = replace(cursor, fingerprint=fingerprint(ours, name)) if cursor else None
    return keyset(select(*columns), ours, limit=limit, cursor=place, query=name)


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement, and the names of the parameters that each word stands for."""

    statement: Statement
    names: tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class _Rankings:
    """Those of a desk, the last used ones."""

    fields: Fields
    kept: OrderedDict[object, Kept] = field(default_factory=OrderedDict)

    def of(self, session: Session, template: Template, actor: Actor, limit: int) -> Kept:
        key = (template.query, limit, actor.kind, actor.user_id if template.is_personal else None)
        found = self.kept.get(key)
        if found is None:
            statement = Statement(ranking(prepare(session, template.query), RANKED, limit=limit))
            names = tuple(tuple(statement.names_of(slot)) for slot in template.slots)
            found = self.kept[key] = Kept(statement, names)
            if len(self.kept) > _REMEMBERED:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        return found


@lru_cache(maxsize=8)
def _rankings(fields: Fields) -> _Rankings:
    return _Rankings(fields)


def kept_ranking(session: Session, prepared: Prepared, limit: int) -> tuple[Statement, Mapping[str, Any]] | None:
    """Return the statement of the first page by relevance with its values; None where it has to be made each time."""
    fields, actor = session.info[FIELDS_KEY], actor_of(session)
    template = template_of(prepared.query, fields.known_to(actor))
    if template is None:
        return None
    kept = _rankings(fields).of(session, template, actor, limit)
    if not all(kept.names):
        return None
    pairs = zip(kept.names, template.words, strict=True)
    return kept.statement, {name: word for names, word in pairs for name in names}
