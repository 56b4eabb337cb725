"""The language of a request: pages speak the reader's, the API answers programs in English."""

from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from deskbell.web.i18n import Language, preferred, speaking
from deskbell.web.routes import PREFIX

LANGUAGE_COOKIE: Final = "deskbell_language"


def language_of(request: Request) -> Language:
    """Return the language in which somebody reads: what they chose, else what their browser asks for."""
    return preferred(request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))


class Speaking:
    """Lets all that answers a page speak its reader's language: what it refuses, too, not the template alone."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` is what speaks."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].removeprefix(scope.get("root_path", "")).startswith(f"{PREFIX}/"):
            await self.app(scope, receive, send)
            return
        with speaking(language_of(Request(scope))):
            await self.app(scope, receive, send)
