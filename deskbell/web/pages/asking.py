"""Asking for a link by mail: to register, for a new password, to log in without one.

Whether an address is known is told to nobody but its mailbox: the answer is the same, and as quick, as nothing is
looked up before it is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from deskbell.accounts.link_models import LinkPurpose
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, InvalidError, NotFoundError
from deskbell.kernel.reach import Reach
from deskbell.kernel.text import clean_email
from deskbell.mail.outbound.jobs import ask_for_link
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked
from deskbell.web.language import language_of
from deskbell.web.login import client_address
from deskbell.web.pages.visitors import check_visitor, show_form
from deskbell.web.schemas.base import Text

router = APIRouter(include_in_schema=False)

Address = Annotated[Text, Form(max_length=1000)]
Token = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Question:
    """One of the forms: where it is, what stands above and below the field, and on the button."""

    path: str
    title: str
    text: str
    button: str


QUESTIONS: Final[Mapping[LinkPurpose, Question]] = {
    LinkPurpose.REGISTER: Question(
        "/register",
        marked("Register"),
        marked("We send you a mail with a link. Follow it to choose a password."),
        marked("Send me the link"),
    ),
    LinkPurpose.RESET: Question(
        "/password",
        marked("Choose a new password"),
        marked("We send you a mail with a link. Follow it to choose a new password."),
        marked("Send me the link"),
    ),
    LinkPurpose.LOG_IN: Question(
        "/login/link",
        marked("Log in without a password"),
        marked("We send you a mail with a link that logs you in. It works for 15 minutes."),
        marked("Send me the link"),
    ),
}


@router.get("/register")
async def show_register(request: Request) -> Response:
    """Show the form to register."""
    return _form(request, LinkPurpose.REGISTER)


@router.post("/register")
async def send_register(request: Request, email: Address, csrf_token: Token = "") -> Response:
    """Have the link sent that confirms an address."""
    return await _ask(request, LinkPurpose.REGISTER, email, csrf_token)


@router.get("/password")
async def show_password(request: Request) -> Response:
    """Show the form to ask for a new password."""
    return _form(request, LinkPurpose.RESET)


@router.post("/password")
async def send_password(request: Request, email: Address, csrf_token: Token = "") -> Response:
    """Have the link sent by which somebody sets a new password."""
    return await _ask(request, LinkPurpose.RESET, email, csrf_token)


@router.get("/login/link")
async def show_link(request: Request) -> Response:
    """Show the form to ask for a link to log in."""
    return _form(request, LinkPurpose.LOG_IN)


@router.post("/login/link")
async def send_link(request: Request, email: Address, csrf_token: Token = "") -> Response:
    """Have the link sent that logs somebody in."""
    return await _ask(request, LinkPurpose.LOG_IN, email, csrf_token)


@router.get("/check-mail")
async def show_check_mail(request: Request) -> Response:
    """Say where to look, whoever asked for what."""
    return show_form(request, "portal/check_mail.html")


async def _ask(request: Request, purpose: LinkPurpose, email: str, csrf_token: str) -> Response:
    check_visitor(request, csrf_token)
    try:
        address = clean_email(email)
        _check_open(request, purpose, address)
        request.app.state.link_limits.count(client_address(request), address)
    except NotFoundError:
        raise
    except DeskbellError as error:
        return _form(request, purpose, email=email, error=error)
    database: Database = request.app.state.database
    actor = Actor.system(Channel.WEB, act=f"POST {QUESTIONS[purpose].path}")
    async with database.async_transaction(actor) as session:
        await session.run_sync(ask_for_link, purpose, address, language_of(request).code)
    return RedirectResponse("/check-mail", status_code=303)


def _form(request: Request, purpose: LinkPurpose, *, email: str = "", error: DeskbellError | None = None) -> Response:
    _check_open(request, purpose)
    return show_form(request, "portal/ask_for_link.html", question=QUESTIONS[purpose], email=email, error=error)


def _check_open(request: Request, purpose: LinkPurpose, address: str = "") -> None:
    """Refuse to register where that is off, or not for this domain. Raises NotFoundError, InvalidError."""
    reach: Reach = request.app.state.resources.reach
    if purpose is not LinkPurpose.REGISTER:
        return
    if not reach.registration:
        raise NotFoundError(_("Nobody can register here. Ask the desk to let you in."))
    domain = address.rpartition("@")[2].lower()
    if address and reach.domains and domain not in reach.domains:
        wrong = _("Only addresses at %(domains)s can register here.") % {"domains": ", ".join(reach.domains)}
        raise InvalidError(wrong, field="email")
