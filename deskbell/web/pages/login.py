"""Logging in with a password, and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from deskbell.accounts.errors import WrongCredentialsError
from deskbell.kernel.errors import DeskbellError
from deskbell.web.csrf import COOKIE, CsrfError, csrf_token_for, same_token
from deskbell.web.i18n import gettext as _
from deskbell.web.login import client_address, log_in, log_out, session_cookie
from deskbell.web.pages.rendering import inner_path
from deskbell.web.pages.visitors import check_visitor, forget_visitor, show_form
from deskbell.web.schemas.base import Text

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def show_login(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Show the form."""
    return show_form(request, "login.html", email="", next=inner_path(next))


@router.post("/login")
async def send_login(
    request: Request,
    email: Annotated[Text, Form(max_length=1000)],
    password: Annotated[Text, Form(max_length=10_000)],
    csrf_token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the name of the field
) -> Response:
    """Log in and go where one wanted to go, or show the form again with what is wrong."""
    check_visitor(request, csrf_token)
    try:
        secret = await _log_in(request, email, password)
    except WrongCredentialsError:
        error = WrongCredentialsError(_("E-mail address or password is wrong."))
        return show_form(request, "login.html", email=email, next=inner_path(next), error=error)
    except DeskbellError as error:
        return show_form(request, "login.html", email=email, next=inner_path(next), error=error)
    return logged_in(request, secret, inner_path(next))


@router.post("/logout")
async def send_logout(request: Request, csrf_token: Annotated[str, Form()] = "") -> Response:
    """Log out, and back to the form."""
    secret = request.cookies.get(COOKIE, "")
    if not same_token(csrf_token, csrf_token_for(request.app.state.key, secret)):
        raise CsrfError
    await log_out(request.app.state.database, secret)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE)
    return response


def logged_in(request: Request, secret: str, target: str) -> Response:
    """Give a browser its session and lead it on."""
    response = RedirectResponse(target, status_code=303)
    response.set_cookie(**session_cookie(request, secret, request.app.state.session_lifetime))
    forget_visitor(response)
    return response


async def _log_in(request: Request, email: str, password: str) -> str:
    state = request.app.state
    return await log_in(
        state.database,
        state.login_limits,
        email=email,
        password=password,
        lifetime=state.session_lifetime,
        now=state.resources.clock.now(),
        address=client_address(request),
        user_agent=request.headers.get("user-agent", ""),
    )
