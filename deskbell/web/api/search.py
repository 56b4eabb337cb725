"""Searching with snippets, totals and corrections, and completing a query as it is typed."""

import json
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.kernel.arrays import in_array
from deskbell.kernel.database import actor_of
from deskbell.kernel.paging import Cursor
from deskbell.search import completion
from deskbell.search.finding import BEST, BY_RELEVANCE, Found, find
from deskbell.search.language import MAXIMUM_LENGTH
from deskbell.search.queries import compile_query
from deskbell.search.snippets import Snippet, snippets
from deskbell.search.totals import BY_WORDS, Total, count_up_to
from deskbell.tickets.models import Ticket
from deskbell.tickets.shapes import ticket_documents
from deskbell.web.dependencies import Transaction
from deskbell.web.paging import Limit, Paging, Place, paging
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import Text
from deskbell.web.schemas.search import CompletionOut, CompletionsOut, SearchFacts, SearchOut

router = api_router("/search", "search")

SearchText = Annotated[
    Text, Query(max_length=MAXIMUM_LENGTH, description="The query language.", examples=["refund status:open"])
]


def best_matches(request: Request, response: Response, limit: Limit = BEST, cursor: Place = None) -> Paging:
    """Return which page is asked for, by default a shorter one than elsewhere."""
    return paging(request, response, limit, cursor)


@router.get("", response_model=SearchOut, summary="Search tickets")
async def search(
    request: Request,
    session: Transaction,
    pages: Annotated[Paging, Depends(best_matches)],
    q: SearchText = "",
    *,
    total: Annotated[bool, Query(description="Count the matches, up to 1,000.")] = False,
) -> Response:
    """Return what fits best among the newest matches, each with the place where it was found.

    `sort:updated` in the query sorts by date instead. Where few tickets have a word, those with words that are written
    alike are found as well, and `corrections` says so.
    """
    scope = f"{request.state.user_id} {request.scope['path']}"
    found, hits = await session.run_sync(_search, q, pages.limit, pages.place(), scope)
    counted = await session.run_sync(_count, found) if total else None
    facts = SearchFacts.of(found, counted).model_dump_json().encode()
    return pages.send(b",".join(hits), len(hits), found.next_cursor, b"," + facts[1:-1])


@router.get("/complete", summary="Complete a query")
async def complete(
    request: Request,
    session: Transaction,
    q: SearchText = "",
    cursor: Annotated[int | None, Query(ge=0, le=MAXIMUM_LENGTH, description="Zero-based; default: the end.")] = None,
) -> CompletionsOut:
    """Return what may stand at the cursor: fields, values, flags, and the names of people, tags and teams."""
    offers = await session.run_sync(completion.complete, q, len(q) if cursor is None else cursor)
    request.state.shown = len(offers)
    return CompletionsOut(items=[CompletionOut.of(offer) for offer in offers])


def _search(session: Session, q: str, limit: int, place: Cursor | None, scope: str) -> tuple[Found, list[bytes]]:
    found = find(session, q, limit=limit, cursor=place, scope=scope, default=BY_RELEVANCE)
    marked = snippets(session, found.ids, found.words) if found.words is not None and found.ids else {}
    wanted = select(Ticket).where(in_array(Ticket.__table__.c.id, found.ids))
    rows = session.execute(ticket_documents(wanted, for_staff=actor_of(session).is_staff))
    documents = {row.id: row.document for row in rows}
    return found, [_hit(documents[number], marked.get(number)) for number in found.ids if number in documents]


def _hit(document: bytes, snippet: Snippet | None) -> bytes:
    title, text = (json.dumps(part).encode() for part in ((snippet.title, snippet.text) if snippet else (None, None)))
    return b'{"ticket":%s,"title_html":%s,"snippet_html":%s}' % (document, title, text)


def _count(session: Session, found: Found) -> Total:
    return count_up_to(session, compile_query(session, found.query), BY_WORDS)
