"""Customers' companies, and whether their members see each other's tickets."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import BaseModel, Field

from deskbell.accounts import actions
from deskbell.web.admin import accounts
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.admin.listing import Words
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import Paged
from deskbell.web.schemas.base import PathId, Text

router = admin_router("/organizations")
FIELDS = ("name",)


class OrganizationForm(BaseModel):
    """The fields of the form."""

    name: Annotated[Text, Field(max_length=1000)] = ""
    shares_tickets: bool = False


@router.get("")
async def list_organizations(request: Request, session: Transaction, me: Me, pager: Paged, q: Words = "") -> Response:
    """List organizations."""
    context = await session.run_sync(accounts.organization_list, q, pager)
    return await show(request, session, me, "organizations.html", **context)


@router.get("/new")
async def new_organization(request: Request, session: Transaction, me: Me) -> Response:
    """Show the empty form."""
    return await _form(request, session, me, OrganizationForm(), Outcome())


@router.post("")
async def add_organization(
    request: Request, session: Transaction, me: Me, form: Annotated[OrganizationForm, Form()]
) -> Response:
    """Add an organization."""
    outcome = await attempt(request, session, lambda db: actions.create_organization(db, **form.model_dump()), FIELDS)
    if outcome.errors:
        return await _form(request, session, me, form, outcome)
    made = wanted_or_missing(outcome.value)
    return done(request, f"/organizations/{made.id}", marked("%(name)s was added."), name=made.name)


@router.get("/{organization_id}")
async def show_organization(request: Request, session: Transaction, me: Me, organization_id: PathId) -> Response:
    """Show an organization with its members."""
    return await _page(request, session, me, organization_id)


@router.post("/{organization_id}")
async def save_organization(
    request: Request,
    session: Transaction,
    me: Me,
    organization_id: PathId,
    form: Annotated[OrganizationForm, Form()],
) -> Response:
    """Rename an organization, or let its members see each other's tickets."""
    outcome = await attempt(
        request,
        session,
        lambda db: actions.change_organization(db, organization_id, **form.model_dump()),
        FIELDS,
    )
    if outcome.errors:
        return await _page(request, session, me, organization_id, outcome, form)
    return done(request, f"/organizations/{organization_id}", marked("Saved."))


async def _form(
    request: Request, session: Transaction, me: Me, form: OrganizationForm, outcome: Outcome[Any]
) -> Response:
    return await show(
        request,
        session,
        me,
        "organization_new.html",
        status=outcome.status,
        values=form.model_dump(),
        errors=outcome.errors,
    )


async def _page(
    request: Request,
    session: Transaction,
    me: Me,
    organization_id: int,
    outcome: Outcome[Any] | None = None,
    form: OrganizationForm | None = None,
) -> Response:
    context = await session.run_sync(accounts.organization_page, organization_id)
    outcome = outcome or Outcome()
    context |= {"errors": outcome.errors} | ({"values": form.model_dump()} if form else {})
    return await show(request, session, me, "organization.html", status=outcome.status, **context)
