"""Ranking the newest matches of words: by how often, how near the title and how close to each other they stand.

The statement takes SQLAlchemy longer to put together than a page of it takes to show. Of queries that differ in their
words alone it is kept, but for that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, cast, column, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.fields import FIELDS_KEY, Fields
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.paging import Cursor, SortKey, fingerprint, keyset
from deskbell.search.queries import Prepared, prepare
from deskbell.search.templates import Names, by_name, template_of
from deskbell.search.windows import WIDER, WINDOW, Ids, Reach, matches
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
    reach = Reach(_WINDOW, WINDOW * WIDER, limit)
    newest = matches(prepared, NEWEST_FIRST, limit=COMPETING, reach=reach).subquery("competing")
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


def kept_ranking(session: Session, prepared: Prepared, limit: int) -> tuple[Statement, Mapping[str, Any]] | None:
    """Return the statement of the first page by relevance with its values; None where it has to be made each time."""
    fields, actor = session.info[FIELDS_KEY], actor_of(session)
    template = template_of(prepared.query, fields.known_to(actor))
    if template is None:
        return None
    kept, key = _kept(fields), (template.query, limit, actor.kind, actor.user_id if template.is_personal else None)
    found = kept.get(key)
    if found is None:
        if len(kept) >= _REMEMBERED:
            kept.clear()
        statement = Statement(ranking(prepare(session, template.query), RANKED, limit=limit))
        found = kept[key] = statement, template.names_in(statement)
    statement, names = found
    return (statement, by_name(names, template.words)) if all(names) else None


@lru_cache(maxsize=8)
def _kept(_fields: Fields) -> dict[object, tuple[Statement, Names]]:
    """Return the statements of a desk, whose threads share them."""
    return {}
