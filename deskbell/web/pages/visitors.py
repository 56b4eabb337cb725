"""Forms for somebody who has not said who they are: their tokens belong to a cookie of the visit.

So another site can neither log somebody in as somebody else nor have links sent in their name.
"""

from typing import Final

from fastapi import Request, Response

from deskbell.kernel.crypto import new_token
from deskbell.kernel.errors import DeskbellError, TooManyError
from deskbell.web.csrf import CsrfError, csrf_token_for, same_token
from deskbell.web.i18n import gettext as _
from deskbell.web.pages.rendering import render
from deskbell.web.worded import worded

VISITOR_COOKIE: Final = "deskbell_visitor"
NO_REFERRER: Final = {"Referrer-Policy": "no-referrer"}
"""For pages whose address holds a secret."""


def show_form(
    request: Request, template: str, *, error: DeskbellError | None = None, status: int | None = None, **context: object
) -> Response:
    """Render a form, refused or not; `error` in the template is {message, retry_after: seconds | None}, or None."""
    visitor = request.cookies.get(VISITOR_COOKIE) or new_token("dbv")
    wait = error.retry_after if isinstance(error, TooManyError) else None
    response = render(
        request,
        template,
        me=None,
        status=status or (error.status if error else 200),
        error={"message": worded(error), "retry_after": wait} if error else None,
        csrf_token=csrf_token_for(request.app.state.key, visitor),
        registration=request.app.state.resources.reach.registration,
        **context,
    )
    response.headers.update(NO_REFERRER)
    secure = request.url.scheme == "https"
    response.set_cookie(VISITOR_COOKIE, visitor, httponly=True, samesite="lax", secure=secure, path="/")
    return response


def check_visitor(request: Request, csrf_token: str) -> None:
    """Refuse a form that was not shown to this browser. Raises CsrfError."""
    visitor = request.cookies.get(VISITOR_COOKIE, "")
    if not visitor or not same_token(csrf_token, csrf_token_for(request.app.state.key, visitor)):
        raise CsrfError(_("This form is too old. Load the page again and repeat this."))


def forget_visitor(response: Response) -> None:
    """End the visit: from now on it is a session."""
    response.delete_cookie(VISITOR_COOKIE, path="/")
