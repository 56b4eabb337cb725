"""Searching with snippets, totals and corrections, and completing a query as it is typed."""

from typing import Annotated

from fastapi import Query
from sqlalchemy.orm import Session

from deskbell.kernel.paging import Cursor
from deskbell.search import completion
from deskbell.search.finding import BY_RELEVANCE, Found, find
from deskbell.search.names import Hint
from deskbell.search.queries import compile_query
from deskbell.search.snippets import Snippet, snippets
from deskbell.search.totals import Total, count_up_to
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import listed_by_ids
from deskbell.web.dependencies import Transaction
from deskbell.web.paging import Pages
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import Text
from deskbell.web.schemas.search import CompletionOut, CompletionsOut, HintOut, Hit, SearchOut, TotalOut
from deskbell.web.schemas.tickets import TicketSummary

router = api_router("/search", "search")

SearchText = Annotated[Text, Query(max_length=5000, description="The query language.", examples=["refund status:open"])]


@router.get("", summary="Search tickets")
async def search(
    session: Transaction,
    pages: Pages,
    q: SearchText,
    *,
    total: Annotated[bool, Query(description="Count the matches, up to 10,000.")] = False,
) -> SearchOut:
    """Return what fits best among the newest matches, each with the place where it was found.

    `sort:updated` in the query sorts by date instead. Where few tickets have a word, those with words that are written
    alike are found as well, and `corrections` says so.
    """
    return await session.run_sync(_search, q, pages.limit, pages.place(), pages.scope(), total)


def _search(session: Session, q: str, limit: int, place: Cursor | None, scope: str, total: bool) -> SearchOut:  # noqa: FBT001 - as asked for
    found = find(session, q, limit=limit, cursor=place, scope=scope, default=BY_RELEVANCE)
