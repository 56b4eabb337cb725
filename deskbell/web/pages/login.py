"""Logging in and out with a browser."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from deskbell.kernel.crypto import new_token
from deskbell.kernel.errors import DeskbellError, TooManyError
from deskbell.web.csrf import COOKIE, CsrfError, csrf_token_for, same_token
from deskbell.web.login import client_address, log_in, log_out, session_cookie
from deskbell.web.pages.rendering import inner_path, render
from deskbell.web.schemas.base import Text

router = APIRouter(include_in_schema=False)

VISITOR_COOKIE = "deskbell_visitor"
"""Before there is a session, the form's token belongs to this: another site cannot log somebody in as somebody else."""
VISITOR_PATH = "/login"


@router.get("/login")
async def show_login(request: Request, next: str = "/tickets") -> Response:  # noqa: A002 - the name in the address
    """Show the form."""
    return _form(request, next)


@router.post("/login")
async def send_login(
    request: Request,
    email: Annotated[Text, Form(max_length=1000)],
    password: Annotated[Text, Form(max_length=10_000)],
    csrf_token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/tickets",  # noqa: A002 - the name of the field
) -> Response:
    """Log in and go where one wanted to go, or show the form again with what is wrong."""
    _check_visitor(request, csrf_token)
    try:
        secret = await _log_in(request, email, password)
    except DeskbellError as error:
        return _form(request, next, email=email, error=error)
    response = RedirectResponse(inner_path(next), status_code=303)
    response.set_cookie(**session_cookie(request, secret, request.app.state.session_lifetime))
    response.delete_cookie(VISITOR_COOKIE, path=VISITOR_PATH)
    return response


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


def _form(request: Request, target: str, *, email: str = "", error: DeskbellError | None = None) -> Response:
    visitor = request.cookies.get(VISITOR_COOKIE) or new_token("dbv_")
    wait = error.retry_after if isinstance(error, TooManyError) else None
    response = render(
        request,
        "login.html",
        status=error.status if error else 200,
        login={"email": email, "error": error.message if error else None, "retry_after": wait},
        csrf_token=csrf_token_for(request.app.state.key, visitor),
        next=inner_path(target),
    )
    secure = request.url.scheme == "https"
    response.set_cookie(VISITOR_COOKIE, visitor, httponly=True, samesite="lax", secure=secure, path=VISITOR_PATH)
    return response


def _check_visitor(request: Request, csrf_token: str) -> None:
    visitor = request.cookies.get(VISITOR_COOKIE, "")
    if not visitor or not same_token(csrf_token, csrf_token_for(request.app.state.key, visitor)):
        raise CsrfError("This form is too old. Load the page again and log in.")
