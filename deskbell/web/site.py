"""The whole site: the API with the pages, their templates and their static files, on an open desk."""

from typing import Final

from fastapi import FastAPI, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from deskbell.runtime import Desk
from deskbell.web.app import create_app
from deskbell.web.pages import login
from deskbell.web.pages.rendering import error_page
from deskbell.web.templating import HERE, STATIC_PATH, VERSION_MARK, build_environment
from deskbell.web.workspace import ticket, tickets

PAGES: Final = (login.router, tickets.router, ticket.router)


class Lasting(StaticFiles):
    """Static files whose address names their version, so that a browser need not ask again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file; with the version in the address it may be kept for a year."""
        version, _, rest = path.partition("/")
        if not version.startswith(VERSION_MARK):
            return await super().get_response(path, scope)
        response = await super().get_response(rest, scope)
        if response.status_code == 200:  # noqa: PLR2004 - HTTP's number
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_site(desk: Desk) -> FastAPI:
    """Build the application that `deskbell serve` serves. Whoever opened the desk closes it."""
    app = create_app(
        database=desk.database,
        resources=desk.resources,
        key=desk.key,
        settings=desk.settings.web,
        migrator=desk.migrator,
        access=desk.access,
        pages=PAGES,
        error_page=error_page,
    )
    app.state.templates = build_environment()
    app.mount(STATIC_PATH, Lasting(directory=HERE / "static"), name="static")
    return app
