"""The list of tickets: what a query finds, and what a saved view finds."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from deskbell.composing.seen import unread_among
from deskbell.kernel.paging import Cursor
from deskbell.web.dependencies import Key, Me, Transaction
from deskbell.web.i18n import speaking
from deskbell.web.language import language_of
from deskbell.web.pages.doors import STAFF_PAGE
from deskbell.web.schemas.base import PathId, Text
from deskbell.web.workspace import listing, outcome
from deskbell.web.workspace.frame import show
from deskbell.web.workspace.listing import Asked

router = APIRouter(include_in_schema=False, dependencies=[STAFF_PAGE])

Sort = Annotated[Text, Query(max_length=50)]
Place = Annotated[str | None, Query(max_length=2000)]
Done = Annotated[str, Query(max_length=4000)]


@router.get("/tickets")
async def show_tickets(
    request: Request,
    session: Transaction,
    me: Me,
    key: Key,
    q: Annotated[Text, Query(max_length=5000)] = "",
    sort: Sort = "",
    cursor: Place = None,
    done: Done = "",
) -> Response:
    """Show the tickets that a query finds: the best matches of words, otherwise last changed first."""
    asked = Asked(q, sort, Cursor.unseal(cursor, key) if cursor else None)
    return await _show(request, session, me, asked, key, done)


@router.get("/views/{view_id}")
async def show_view(
    request: Request,
    session: Transaction,
    me: Me,
    key: Key,
    view_id: PathId,
    sort: Sort = "",
    cursor: Place = None,
    done: Done = "",
) -> Response:
    """Show what a saved view finds, with its columns and in its order."""
    place = Cursor.unseal(cursor, key) if cursor else None
    asked = await session.run_sync(listing.view_asked_for, view_id, sort, place)
    return await _show(request, session, me, asked, key, done)


async def _show(request: Request, session: Transaction, me: Me, asked: Asked, key: bytes, done: str) -> Response:
    context = await session.run_sync(listing.ticket_list, asked, key, unread_among)
    request.state.shown = len(context["page"]["items"])
    status = 422 if context["query"]["error"] else 200
    with speaking(language_of(request)):
        flash = outcome.told(done, key) if done else None
    return await show(
        request,
        session,
        me,
        "workspace/list.html",
        status=status,
        cursor="" if asked.cursor is None else "yes",
        flash=flash,
        **context,
    )
