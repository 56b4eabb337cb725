"""Teams, and who is in them."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from deskbell.accounts import actions
from deskbell.kernel.errors import InvalidError
from deskbell.web.admin import accounts
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.admin.listing import whole
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import Paged
from deskbell.web.schemas.base import PathId, Text

router = admin_router("/teams")
FIELDS = ("name", "description")
MEMBER = ("user_id",)
UserId = Annotated[Text, Form(max_length=30)]


class TeamForm(BaseModel):
    """The fields of the form."""

    name: Annotated[Text, Field(max_length=1000)] = ""
    description: Annotated[Text, Field(max_length=5000)] = ""


@router.get("")
async def list_teams(request: Request, session: Transaction, me: Me, pager: Paged) -> Response:
    """List teams."""
    return await show(request, session, me, "teams.html", **await session.run_sync(accounts.team_list, pager))


@router.get("/new")
async def new_team(request: Request, session: Transaction, me: Me) -> Response:
    """Show the empty form."""
    return await _form(request, session, me, TeamForm(), Outcome())


@router.post("")
async def add_team(request: Request, session: Transaction, me: Me, form: Annotated[TeamForm, Form()]) -> Response:
    """Add a team."""
    outcome = await attempt(request, session, lambda db: actions.create_team(db, **form.model_dump()), FIELDS)
    if outcome.errors:
        return await _form(request, session, me, form, outcome)
    made = wanted_or_missing(outcome.value)
    return done(request, f"/teams/{made.id}", marked("%(name)s was added. Who is in it?"), name=made.name)


@router.get("/{team_id}")
async def show_team(request: Request, session: Transaction, me: Me, team_id: PathId) -> Response:
    """Show a team with its members."""
    return await _page(request, session, me, team_id, Outcome())


@router.post("/{team_id}")
async def save_team(
    request: Request, session: Transaction, me: Me, team_id: PathId, form: Annotated[TeamForm, Form()]
) -> Response:
    """Rename a team, or say anew what it is for."""
    outcome = await attempt(request, session, lambda db: actions.change_team(db, team_id, **form.model_dump()), FIELDS)
    if outcome.errors:
        return await _page(request, session, me, team_id, outcome, form)
    return done(request, f"/teams/{team_id}", marked("Saved."))


@router.post("/{team_id}/members")
async def add_member(request: Request, session: Transaction, me: Me, team_id: PathId, user_id: UserId = "") -> Response:
    """Put an agent into a team."""

    def change(db: Session) -> None:
        number = whole(user_id)
        if number is None:
            raise InvalidError(_("Choose somebody."), field="user_id")
        actions.join_team(db, team_id, number)

    outcome = await attempt(request, session, change, MEMBER)
    if outcome.errors:
        return await _page(request, session, me, team_id, outcome)
    return done(request, f"/teams/{team_id}", marked("They are in the team."))


@router.post("/{team_id}/members/{user_id}/remove")
async def remove_member(request: Request, session: Transaction, team_id: PathId, user_id: PathId) -> Response:
    """Take somebody out of a team."""
    await session.run_sync(actions.leave_team, team_id, user_id)
    return done(request, f"/teams/{team_id}", marked("They are no longer in the team."))


async def _form(request: Request, session: Transaction, me: Me, form: TeamForm, outcome: Outcome[Any]) -> Response:
    return await show(
        request,
        session,
        me,
        "team_new.html",
        status=outcome.status,
        values=form.model_dump(),
        errors=outcome.errors,
    )


async def _page(
    request: Request, session: Transaction, me: Me, team_id: int, outcome: Outcome[Any], form: TeamForm | None = None
) -> Response:
    context = await session.run_sync(accounts.team_page, team_id)
    context |= {"errors": outcome.errors} | ({"values": form.model_dump()} if form else {})
    return await show(request, session, me, "team.html", status=outcome.status, **context)
