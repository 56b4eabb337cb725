"""Saved views: a query is saved under a name, changed, put in order and deleted. Forms that work as pages too."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from deskbell.accounts.queries import teams, teams_of
from deskbell.kernel.actor import ActorKind
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.search import views
from deskbell.search.language import MAXIMUM_LENGTH
from deskbell.search.models import SavedView, Sharing
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.pages.doors import STAFF_PAGE
from deskbell.web.schemas.base import BIGGEST, PathId, Text
from deskbell.web.schemas.views import MOST_COLUMNS
from deskbell.web.worded import worded
from deskbell.web.workspace.frame import show
from deskbell.web.workspace.listing import without_sort
from deskbell.web.workspace.rows import SORTS, USUAL, all_columns

router = APIRouter(include_in_schema=False, dependencies=[STAFF_PAGE])

QueryText = Annotated[Text, Field(max_length=MAXIMUM_LENGTH)]


class ViewForm(BaseModel):
    """What the form holds. Of the columns none means the usual ones."""

    name: Annotated[Text, Field(max_length=1000)] = ""
    query: QueryText = ""
    sort: Annotated[Text, Field(max_length=100)] = ""
    columns: Annotated[list[Text], Field(max_length=MOST_COLUMNS)] = []
    shared_with: Sharing = Sharing.NOBODY
    team_id: Annotated[int, Field(ge=1, le=BIGGEST)] | Literal[""] = ""

    def values(self) -> dict[str, Any]:
        """Return the fields of a view. The usual columns, in their order, are no choice of one's own."""
        chosen = [] if set(self.columns) == set(USUAL) else self.columns
        team_id = (self.team_id or None) if self.shared_with is Sharing.TEAM else None
        facts = self.model_dump(include={"name", "query", "sort", "shared_with"})
        return {**facts, "columns": chosen, "team_id": team_id}


@router.get("/views")
async def show_views(request: Request, session: Transaction, me: Me) -> Response:
    """Show the views: one's own, to be put in order, and those that others share."""
    found = await session.run_sync(_all)
    return await show(request, session, me, "workspace/views.html", views=found)


@router.get("/views/new")
async def show_new(
    request: Request,
    session: Transaction,
    me: Me,
    q: Annotated[Text, Query(max_length=5000)] = "",
    sort: Annotated[Text, Query(max_length=50)] = "",
) -> Response:
    """Show the form, with what was searched for."""
    form = ViewForm(query=without_sort(q) if sort else q, sort="" if sort in {"updated", "relevance"} else sort)
    return await _form(request, session, me, form)


@router.post("/views/new")
async def send_new(request: Request, session: Transaction, me: Me, form: Annotated[ViewForm, Form()]) -> Response:
    """Save it, and show what it finds."""
    try:
        async with session.begin_nested():
            view = await session.run_sync(lambda plain: views.create_view(plain, **form.values()))
    except (InvalidError, ForbiddenError) as error:
        return await _form(request, session, me, form, error=error)
    return RedirectResponse(f"/views/{view.id}", status_code=303)


@router.get("/views/{view_id}/edit")
async def show_edit(request: Request, session: Transaction, me: Me, view_id: PathId) -> Response:
    """Show the form of a view."""
    view = await session.run_sync(views.get_view, view_id)
    return await _form(request, session, me, _form_of(view), view_id)


@router.post("/views/{view_id}/edit")
async def send_edit(
    request: Request, session: Transaction, me: Me, view_id: PathId, form: Annotated[ViewForm, Form()]
) -> Response:
    """Save the changes, and show what the view finds now."""
    try:
        async with session.begin_nested():
            await session.run_sync(views.change_view, view_id, form.values())
    except (InvalidError, ForbiddenError) as error:
        return await _form(request, session, me, form, view_id, error)
    return RedirectResponse(f"/views/{view_id}", status_code=303)


@router.post("/views/{view_id}/delete")
async def send_delete(session: Transaction, view_id: PathId) -> Response:
    """Remove a view; the tickets stay."""
    await session.run_sync(views.delete_view, view_id)
    return RedirectResponse("/views", status_code=303)


@router.post("/views/{view_id}/move")
async def send_move(session: Transaction, view_id: PathId, to: Annotated[Literal["up", "down"], Form()]) -> Response:
    """Put one of one's own views a place further up or down."""
    await session.run_sync(_move, view_id, -1 if to == "up" else 1)
    return RedirectResponse("/views", status_code=303)


def _all(session: Session) -> list[dict[str, Any]]:
    actor = actor_of(session)
    return [
        {
            "id": view.id,
            "name": view.name,
            "query": view.query,
            "shared_with": view.shared_with.value,
            "team": view.team.name if view.team else "",
            "owner": view.owner.full_name or view.owner.email,
            "is_own": view.owner_id == actor.user_id,
            "may_change": views.may_change(view, actor),
        }
        for view in views.all_views(session)
    ]


def _move(session: Session, view_id: int, by: int) -> None:
    """Swap a view with its neighbour; at the end it stays where it is."""
    own = [view.id for view in views.all_views(session) if view.owner_id == actor_of(session).user_id]
    if view_id not in own:
        views.order_views(session, [view_id])  # which says that there is no such view
    place = own.index(view_id)
    other = min(max(place + by, 0), len(own) - 1)
    own[place], own[other] = own[other], own[place]
    views.order_views(session, own)


def _form_of(view: SavedView) -> ViewForm:
    return ViewForm(
        name=view.name,
        query=view.query,
        sort=view.sort,
        columns=view.columns,
        shared_with=view.shared_with,
        team_id=view.team_id or "",
    )


async def _form(
    request: Request,
    session: Transaction,
    me: Me,
    form: ViewForm,
    view_id: int | None = None,
    error: InvalidError | ForbiddenError | None = None,
) -> Response:
    context = {
        "form": form,
        "view_id": view_id,
        "problem": _problem(error),
        "columns": all_columns(),
        "chosen": form.columns or USUAL,
        "sorts": {name: label for name, label in SORTS.items() if name != "relevance"},
        "teams": await session.run_sync(_teams),
    }
    return await show(request, session, me, "workspace/view.html", status=error.status if error else 200, **context)


def _problem(error: InvalidError | ForbiddenError | None) -> dict[str, Any] | None:
    """Say beside which field the error belongs; what belongs to none stands above the form."""
    if error is None:
        return None
    field = error.details.get("field") or ("team_id" if isinstance(error, ForbiddenError) else "")
    return {"field": field, "message": worded(error)}


def _teams(session: Session) -> list[dict[str, Any]]:
    """Return the teams with which the actor may share: administrators with all."""
    is_admin = actor_of(session).kind is ActorKind.ADMIN
    return [{"id": team.id, "name": team.name} for team in session.scalars(teams() if is_admin else teams_of(session))]
