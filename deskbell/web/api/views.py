"""Saved views: queries with a name that people come back to, and how many tickets each finds. For the desk alone."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.paging import MAX_LIMIT, Cursor, Page
from deskbell.kernel.session_reading import SessionReading
from deskbell.search import views
from deskbell.search.models import SavedView
from deskbell.search.pages import documents_of
from deskbell.search.view_counts import count_views
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.evaluating import StaffEvaluation
from deskbell.web.paging import PageOf, Pages
from deskbell.web.routes import PREFIX, api_router
from deskbell.web.schemas.base import PathId
from deskbell.web.schemas.tickets import TicketSummary
from deskbell.web.schemas.views import CountOut, CountsOut, ViewChange, ViewIn, ViewOrder, ViewOut

router = api_router("/views", "views")


@router.get("", summary="List views", dependencies=[STAFF_ONLY])
async def list_views(
    session: Transaction,
    pages: Pages,
    *,
    counts: Annotated[bool, Query(description="Say how many tickets each finds.")] = False,
) -> PageOf[ViewOut]:
    """Return the views that you see: your own in their order, then those that others share with you."""
    found = await session.run_sync(_list, pages.limit, pages.place(), pages.scope(), counts)
    return pages.answer(found, lambda view: view)


def _list(session: Session, limit: int, place: Cursor | None, scope: str, counts: bool) -> Page[ViewOut]:  # noqa: FBT001 - as asked for
    found = views.views_page(session, limit=limit, cursor=place, query=scope)
    counted = {count.view_id: count for count in count_views(session, found.items)} if counts else {}
    actor = actor_of(session)
    return Page(tuple(ViewOut.of(view, actor, counted.get(view.id)) for view in found.items), found.next_cursor)


@router.get("/counts", summary="Count what views find")
async def counts_of_views(figures: StaffEvaluation) -> CountsOut:
    """Return how many tickets each of your views finds, of the first 200, in their order.

    It takes two or three statements, however many views: what the planner thinks too dear to count is estimated.
    """
    counted = await figures.of(lambda session: count_views(session, views.views_page(session, limit=MAX_LIMIT).items))
    return CountsOut(items=[CountOut.of(count) for count in counted])


@router.post("", status_code=201, summary="Save a view", dependencies=[STAFF_ONLY])
async def save_view(session: Transaction, response: Response, wanted: ViewIn) -> ViewOut:
    """Save a query, its columns and its sort under a name, for yourself, a team of yours or all the desk."""
    view = await session.run_sync(views.create_view, **wanted.model_dump())
    response.headers["Location"] = f"{PREFIX}/views/{view.id}"
    return await session.run_sync(_present, view)


@router.post("/order", status_code=204, summary="Order your views", dependencies=[STAFF_ONLY])
async def order_views(session: Transaction, wanted: ViewOrder) -> None:
    """Put your own views in this order; those that you leave out follow, as they were."""
    await session.run_sync(views.order_views, wanted.ids)


@router.get("/{view_id}", summary="Read a view", dependencies=[STAFF_ONLY])
async def read_view(session: Transaction, view_id: PathId) -> ViewOut:
    """Return a view of yours, or one that is shared with you."""
    return await session.run_sync(_present, await session.run_sync(views.get_view, view_id))


@router.patch("/{view_id}", summary="Change a view", dependencies=[STAFF_ONLY])
async def patch_view(session: Transaction, view_id: PathId, changes: ViewChange) -> ViewOut:
    """Change what is sent and leave the rest. For its owner and administrators."""
    return await session.run_sync(_present, await session.run_sync(views.change_view, view_id, changes.given()))


@router.delete("/{view_id}", status_code=204, summary="Delete a view", dependencies=[STAFF_ONLY])
async def delete_view(session: Transaction, view_id: PathId) -> None:
    """Remove a view; what it finds stays. For its owner and administrators."""
    await session.run_sync(views.delete_view, view_id)


@router.get(
    "/{view_id}/tickets",
    summary="List what a view finds",
    dependencies=[STAFF_ONLY],
    response_model=PageOf[TicketSummary],
)
async def tickets_of_view(session: Transaction, pages: Pages, view_id: PathId) -> Response:
    """Return the tickets that the view's query fits, in the order of its sort, as `GET /tickets` shows them."""
    place, scope = pages.place(), pages.scope()
    found = await session.run_sync(views.run_view, view_id, limit=pages.limit, cursor=place, scope=scope)
    documents, shown = await documents_of(SessionReading(session), list(found.ids))
    return pages.send(documents, shown, found.next_cursor)


def _present(session: Session, view: SavedView) -> ViewOut:
    return ViewOut.of(view, actor_of(session))
