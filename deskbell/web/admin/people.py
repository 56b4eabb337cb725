"""People: finding, inviting and changing them, who may log in, and with which password."""

import secrets
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import Form, Request, Response
from pydantic import BaseModel, Field

from deskbell.accounts import actions, login, profiles
from deskbell.accounts.models import Role
from deskbell.accounts.passwords import hash_password
from deskbell.accounts.queries import get_user
from deskbell.web.admin import accounts
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.admin.listing import Words, flag, whole
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import Paged
from deskbell.web.schemas.base import PathId, Text

router = admin_router("/people")
FIELDS = ("email", "full_name", "role", "organization", "time_zone")
_PASSWORD_BYTES = 15
Short = Annotated[Text, Field(max_length=1000)]


class PersonForm(BaseModel):
    """What is known of a person; the organization by name."""

    email: Short = ""
    full_name: Short = ""
    role: Role = Role.CUSTOMER
    organization: Short = ""
    time_zone: Short = "UTC"


class NewPersonForm(PersonForm):
    """The same of somebody new, who can log in at once or not at all."""

    with_password: bool = False


@router.get("")
async def list_people(
    request: Request,
    session: Transaction,
    me: Me,
    pager: Paged,
    q: Words = "",
    role: Role | Literal[""] = "",
    active: Words = "",
    organization: Words = "",
) -> Response:
    """List people, newest first."""
    wanted = accounts.Wanted(q, role or None, flag(active), whole(organization))
    context = await session.run_sync(accounts.people, wanted, pager)
    return await show(request, session, me, "people.html", **context)


@router.get("/new")
async def new_person(request: Request, session: Transaction, me: Me) -> Response:
    """Show the empty form."""
    return await _form(request, session, me, NewPersonForm())


@router.post("")
async def add_person(
    request: Request, session: Transaction, me: Me, form: Annotated[NewPersonForm, Form()]
) -> Response:
    """Add somebody, with a password that is shown this once if one is wanted."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES) if form.with_password else None
    hashed = await to_thread.run_sync(hash_password, password) if password else None
    outcome = await attempt(request, session, lambda db: accounts.add_person(db, _facts(form), hashed), FIELDS)
    if outcome.errors:
        return await _form(request, session, me, form, outcome)
    user = wanted_or_missing(outcome.value)
    if password:
        return await _person(
            request, session, me, user.id, secret={"password": password, "email": user.email, "tokens": 0}
        )
    return done(request, f"/people/{user.id}", marked("%(email)s was added."), email=user.email)


@router.get("/{user_id}")
async def show_person(request: Request, session: Transaction, me: Me, user_id: PathId) -> Response:
    """Show a person with what can be changed."""
    return await _person(request, session, me, user_id)


@router.post("/{user_id}")
async def save_person(
    request: Request, session: Transaction, me: Me, user_id: PathId, form: Annotated[PersonForm, Form()]
) -> Response:
    """Change what is known of a person."""
    outcome = await attempt(request, session, lambda db: accounts.change_person(db, user_id, _facts(form)), FIELDS)
    if outcome.errors:
        return await _person(request, session, me, user_id, outcome=outcome, typed=form.model_dump(mode="json"))
    return done(request, f"/people/{user_id}", marked("Saved."))


@router.post("/{user_id}/deactivate")
async def deactivate_person(request: Request, session: Transaction, me: Me, user_id: PathId) -> Response:
    """Let somebody log in no longer."""
    said = marked("They can no longer log in. Their unresolved tickets are unassigned.")
    return await _set_active(request, session, me, user_id, active=False, said=said)


@router.post("/{user_id}/activate")
async def activate_person(request: Request, session: Transaction, me: Me, user_id: PathId) -> Response:
    """Let somebody log in again."""
    return await _set_active(request, session, me, user_id, active=True, said=marked("They can log in again."))


@router.post("/{user_id}/password")
async def give_password(
    request: Request,
    session: Transaction,
    me: Me,
    user_id: PathId,
    end_tokens: Annotated[bool, Form()] = False,  # noqa: FBT002 - a checkbox
) -> Response:
    """Give somebody a new password, shown this once."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    hashed = await to_thread.run_sync(hash_password, password)
    alive = await session.run_sync(actions.set_password, user_id, hashed, end_tokens=end_tokens)
    secret = {"password": password, "email": (await session.run_sync(get_user, user_id)).email, "tokens": alive}
    return await _person(request, session, me, user_id, secret=secret)


@router.post("/{user_id}/log-out")
async def end_sessions(request: Request, session: Transaction, user_id: PathId) -> Response:
    """Log somebody out everywhere."""
    await session.run_sync(get_user, user_id)
    await session.run_sync(login.close_all_sessions, user_id)
    return done(request, f"/people/{user_id}", marked("They are logged out everywhere."))


async def _set_active(
    request: Request, session: Transaction, me: Me, user_id: int, *, active: bool, said: str
) -> Response:
    outcome = await attempt(request, session, lambda db: profiles.change_user(db, user_id, {"is_active": active}))
    if outcome.errors:
        return await _person(request, session, me, user_id, outcome=outcome)
    return done(request, f"/people/{user_id}", said)


async def _person(
    request: Request,
    session: Transaction,
    me: Me,
    user_id: int,
    *,
    outcome: Outcome[Any] | None = None,
    typed: dict[str, Any] | None = None,
    secret: dict[str, Any] | None = None,
) -> Response:
    context = await session.run_sync(accounts.person_page, user_id)
    outcome = outcome or Outcome()
    context |= {"values": typed or context["values"], "errors": outcome.errors, "once": secret}
    return await show(request, session, me, "person.html", status=outcome.status, **context)


async def _form(
    request: Request, session: Transaction, me: Me, form: NewPersonForm, outcome: Outcome[Any] | None = None
) -> Response:
    outcome = outcome or Outcome()
    context = await session.run_sync(accounts.choices_for_person)
    values = form.model_dump(mode="json")
    return await show(
        request, session, me, "person_new.html", status=outcome.status, values=values, errors=outcome.errors, **context
    )


def _facts(form: PersonForm) -> dict[str, Any]:
    return form.model_dump(include=set(FIELDS))
