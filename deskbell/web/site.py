"""The whole site: the API with the pages, their templates and their static files, on an open desk."""

from fastapi import FastAPI, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from deskbell.runtime import Desk
from deskbell.web.app import create_app
from deskbell.web.pages import login, tickets
from deskbell.web.pages.rendering import error_page
from deskbell.web.templating import HERE, build_environment


class Lasting(StaticFiles):
    """Static files whose address names their content, so that a browser need not ask again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file; with its version in the address it may be kept for a year."""
        response = await super().get_response(path, scope)
        if b"v=" in scope["query_string"] and response.status_code == 200:  # noqa: PLR2004 - HTTP's number
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
        pages=(login.router, tickets.router),
        error_page=error_page,
    )
    app.state.templates = build_environment()
    app.mount("/static", Lasting(directory=HERE / "static"), name="static")
    return app
