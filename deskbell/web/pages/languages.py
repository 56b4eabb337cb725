"""Choosing the language of the pages before anybody is logged in; afterwards the profile does."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from deskbell.web.i18n import languages
from deskbell.web.language import LANGUAGE_COOKIE
from deskbell.web.pages.rendering import inner_path

router = APIRouter(include_in_schema=False)

A_YEAR: Final = 365 * 24 * 3600


@router.post("/language")
async def choose_language(
    request: Request,
    language: Annotated[str, Form(max_length=35)] = "",
    next: Annotated[str, Form(max_length=4000)] = "/",  # noqa: A002 - the name of the field
) -> Response:
    """Remember a language, and go back.

    A form, as nothing that only looks at links should change it. It needs no CSRF token: all that another site could
    do is to change the language in which this browser reads.
    """
    response = RedirectResponse(inner_path(next), status_code=303)
    remember_language(request, response, language)
    return response


def remember_language(request: Request, response: Response, language: str) -> None:
    """Keep the choice in the browser for a year; forget it where that is no language of ours."""
    remember(request, response, LANGUAGE_COOKIE, language if language in languages() else "")


def remember(request: Request, response: Response, name: str, value: str) -> None:
    """Keep a choice in the browser for a year, or forget it."""
    if not value:
        response.delete_cookie(name)
        return
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=A_YEAR, path="/", samesite="lax", secure=secure, httponly=True)
