"""What the links in mails lead to.

Looking at the page uses nothing up, as programs that check mail look at it too: its button does.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from deskbell.accounts.link_models import LinkPurpose, SignInLink
from deskbell.accounts.links import (
    LinkGoneError,
    confirm_registration,
    find_link,
    reset_password,
    use_login_link,
)
from deskbell.accounts.login import open_session
from deskbell.accounts.passwords import hash_password
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import InvalidError
from deskbell.web.login import client_address
from deskbell.web.pages.login import logged_in
from deskbell.web.pages.visitors import check_visitor, show_form
from deskbell.web.schemas.base import Text

router = APIRouter(include_in_schema=False)

_SYSTEM: Final = Actor.system(Channel.WEB)


class Answer(BaseModel):
    """The fields of the page; which of them there are depends on what the link is for."""

    token: str = Field(max_length=200)
    csrf_token: str = ""
    full_name: Text = Field("", max_length=1000)
    password: Text = Field("", max_length=10_000)


@router.get("/sign-in")
async def show_sign_in(request: Request, token: str = "") -> Response:
    """Show what the link is for."""
    try:
        link = await _find(request, token)
    except LinkGoneError as gone:
        return show_form(request, "portal/link_gone.html", status=gone.status)
    return _page(request, link, Answer.model_construct(token=token, full_name=""))


@router.post("/sign-in")
async def send_sign_in(request: Request, form: Annotated[Answer, Form()]) -> Response:
    """Use the link up, and log in."""
    check_visitor(request, form.csrf_token)
    try:
        link = await _find(request, form.token)
        return await _follow_link(request, link, form)
    except LinkGoneError as gone:
        return show_form(request, "portal/link_gone.html", status=gone.status)


async def _follow_link(request: Request, link: SignInLink, form: Answer) -> Response:
    try:
        hashed = await _hash(form.password) if link.purpose is not LinkPurpose.LOG_IN else ""
    except InvalidError as error:
        return _page(request, link, form, error)
    return logged_in(request, await _use(request, link, form, hashed), "/")


def _page(request: Request, link: SignInLink, form: Answer, error: InvalidError | None = None) -> Response:
    shown = {"purpose": link.purpose.value, "email": link.email, "is_new": link.user_id is None}
    typed = {"token": form.token, "full_name": form.full_name}
    return show_form(request, "portal/sign_in.html", link=shown, typed=typed, error=error)


async def _find(request: Request, token: str) -> SignInLink:
    resources = request.app.state.resources
    database: Database = request.app.state.database
    async with database.async_transaction(_SYSTEM.doing("GET /sign-in")) as session:
        link = await session.run_sync(partial(find_link, secret=token, now=resources.clock.now()))
    if link.purpose is LinkPurpose.REGISTER and not resources.reach.registration:
        raise LinkGoneError
    return link


async def _hash(password: str) -> str:
    return await to_thread.run_sync(hash_password, password)


async def _use(request: Request, link: SignInLink, form: Answer, hashed: str) -> str:
    """Return the secret of the session that the link opens."""
    state = request.app.state
    now, lifetime = state.resources.clock.now(), state.session_lifetime
    browser = {"address": client_address(request), "user_agent": request.headers.get("user-agent", "")}

    def let_in(session: Session) -> str:
        user_id = _follow(session, link.purpose, form, hashed, now)
        return open_session(session, user_id, lifetime=lifetime, now=now, **browser)

    database: Database = state.database
    async with database.async_transaction(_SYSTEM.doing("POST /sign-in")) as session:
        return await session.run_sync(let_in)


def _follow(session: Session, purpose: LinkPurpose, form: Answer, hashed: str, now: datetime) -> int:
    """Do what the link is for; return whom it lets in."""
    if purpose is LinkPurpose.LOG_IN:
        return use_login_link(session, form.token, now=now)
    if purpose is LinkPurpose.RESET:
        return reset_password(session, form.token, password_hash=hashed, now=now)
    return confirm_registration(session, form.token, full_name=form.full_name, password_hash=hashed, now=now)
