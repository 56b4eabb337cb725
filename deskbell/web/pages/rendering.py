"""How a page becomes a response: the template, who looks at it and in which language, and the problem page."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.kernel.resources import Resources
from deskbell.web.csrf import COOKIE, csrf_token_for
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import speaking
from deskbell.web.language import language_of
from deskbell.web.pages.present import Viewer
from deskbell.web.problems import FieldError, Problem

THEME_COOKIE: Final = "deskbell_theme"
WAY_IN: Final = "way_in"
"""Of a request's state: the secret of a link, where somebody came in by that and not by a session."""
THEMES: Final = ("light", "dark")
"""Any other theme is the one that the reader's system has."""


def render(
    request: Request, template: str, *, status: int = 200, me: Identity | None = None, **context: object
) -> Response:
    """Render a template for whoever is logged in, in their language.

    Forms get the token of their session, or of what else they came in with, which then is the request's state.
    """
    environment = cast("Environment", request.app.state.templates)
    resources = cast("Resources", request.app.state.resources)
    if me is not None:
        context |= {
            "viewer": Viewer.of(me),
            "csrf_token": csrf_token_for(request.app.state.key, way_in_of(request)),
        }
        if me.role is not Role.CUSTOMER:
            context["live"] = getattr(request.state, "live", None) or ""
    theme = request.cookies.get(THEME_COOKIE, "")
    context |= {"path": request.url.path, "here": path_of(request), "theme": theme if theme in THEMES else ""}
    reader = language_of(request)
    with speaking(reader):
        html = environment.get_template(template).render(now=resources.clock.now(), **context)
    headers = {"Cache-Control": "private, no-store", "Content-Language": reader.code}
    return HTMLResponse(html, status_code=status, headers=headers)


def way_in_of(request: Request) -> str:
    """Return the secret that a page was asked for with."""
    other: str = getattr(request.state, WAY_IN, "")
    return other or request.cookies[COOKIE]


async def error_page(request: Request, problem: Problem) -> Response:
    """Show a problem to a person; who is not logged in is asked to, and comes back to where they wanted to go."""
    if HTTPStatus.MULTIPLE_CHOICES <= problem.status < HTTPStatus.BAD_REQUEST:  # whoever raised that says where to
        return Response(status_code=problem.status)
    if problem.status == 401 and request.method == "GET":  # noqa: PLR2004 - HTTP's number
        return RedirectResponse(f"/login?next={quote(path_of(request), safe='')}", status_code=303)
    extra = problem.model_extra or {}
    error = {
        "status": problem.status,
        "message": _malformed(problem.errors) if problem.errors else problem.detail,
        "retry_after": extra.get("retry_after"),
        "reference": problem.request_id,
    }
    return render(request, "error.html", status=problem.status, error=error)


def _malformed(errors: Sequence[FieldError]) -> str:
    """Say of what was sent which parts cannot be read. What exactly is wrong is said in English, to programs."""
    names = ", ".join(dict.fromkeys(found.field for found in errors[:3]))
    return _("This cannot be read, or is missing: %(names)s.") % {"names": names}


def path_of(request: Request) -> str:
    """Return the path and query that were asked for."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def inner_path(value: str) -> str:
    """Return `value` where it is a path of this site, else where everybody begins: no open redirect."""
    harmless = value.startswith("/") and not value.startswith(("//", "/\\")) and value.isprintable()
    return value if harmless else "/"
