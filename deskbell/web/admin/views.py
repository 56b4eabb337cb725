"""Views that people share: whose they are, taking them over, deleting them."""

from typing import Any, Literal

from fastapi import Request, Response
from sqlalchemy.orm import Session

from deskbell.accounts.models import display_name
from deskbell.kernel.paging import SortKey
from deskbell.search import views
from deskbell.search.models import SavedView, Sharing
from deskbell.web.admin.frame import admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import Paged, Pager
from deskbell.web.schemas.base import PathId

router = admin_router("/views")
NEWEST_FIRST = (SortKey(SavedView.id, descending=True),)
Whose = Literal["", "own"]


@router.get("")
async def list_views(request: Request, session: Transaction, me: Me, pager: Paged, whose: Whose = "") -> Response:
    """List the views that are shared, or those that people keep to themselves."""
    context = await session.run_sync(view_list, pager, private=whose == "own")
    return await show(request, session, me, "views.html", errors={}, **context)


@router.post("/{view_id}/take-over")
async def take_over_view(request: Request, session: Transaction, me: Me, pager: Paged, view_id: PathId) -> Response:
    """Become a view's owner."""
    outcome = await attempt(request, session, lambda db: views.take_over_view(db, view_id))
    if outcome.errors:
        context = await session.run_sync(view_list, pager, private=False)
        return await show(request, session, me, "views.html", status=outcome.status, errors=outcome.errors, **context)
    return done(request, "/views", marked("%(name)s is yours now."), name=wanted_or_missing(outcome.value).name)


@router.post("/{view_id}/delete")
async def delete_view(request: Request, session: Transaction, view_id: PathId) -> Response:
    """Remove a view."""
    name = (await session.run_sync(views.get_view, view_id)).name
    await session.run_sync(views.delete_view, view_id)
    return done(request, "/views", marked("%(name)s was deleted."), name=name)


def view_list(session: Session, pager: Pager, *, private: bool) -> dict[str, Any]:
    """Return a page of views, newest first."""
    same = SavedView.shared_with == Sharing.NOBODY if private else SavedView.shared_with != Sharing.NOBODY
    return {"page": pager.read(session, views.views().where(same), NEWEST_FIRST, _view), "private": private}


def _view(view: SavedView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "query": view.query,
        "owner": {"id": view.owner.id, "name": display_name(view.owner), "is_active": view.owner.is_active},
        "shared_with": view.shared_with.value,
        "team": view.team.name if view.team else None,
    }
