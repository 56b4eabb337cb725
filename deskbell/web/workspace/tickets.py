"""The list of tickets."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from deskbell.web.dependencies import Key, Me, Transaction
from deskbell.web.workspace import listing
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False)


@router.get("/")
async def show_start() -> Response:
    """Begin with the list."""
    return RedirectResponse("/tickets", status_code=303)


@router.get("/tickets")
async def show_tickets(
    request: Request,
    session: Transaction,
    me: Me,
    key: Key,
    q: Annotated[str, Query(max_length=5000)] = "",
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show the tickets that a query finds, last updated first."""
    context = await session.run_sync(listing.ticket_list, q, cursor or None, key)
    request.state.shown = len(context["page"]["items"])
    status = 422 if context["query"]["error"] else 200
    return await show(request, session, me, "workspace/list.html", status=status, cursor=cursor, **context)
