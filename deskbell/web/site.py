"""The whole site: the API with the pages, their templates and their static files, on an open desk."""

from typing import Final

from fastapi import FastAPI, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from deskbell.runtime import Desk
from deskbell.web.admin.routes import ADMIN
from deskbell.web.app import create_app
from deskbell.web.live import routes as live
from deskbell.web.pages import asking, doors, languages, login, sign_in
from deskbell.web.pages.rendering import error_page
from deskbell.web.portal import request as portal_request
from deskbell.web.portal import requests as portal_requests
from deskbell.web.templating import HERE, STATIC_PATH, VERSION_MARK, build_environment
from deskbell.web.workspace import (
    bulk,
    composer,
    counts,
    new_ticket,
    palette,
    past,
    profile,
    relations,
    reports,
    suspended,
    ticket,
    tickets,
    views,
)

WORKSPACE: Final = (
    *(bulk, new_ticket, views, tickets, counts, palette, profile, reports, suspended),
    *(composer, past, relations, ticket),
)
"""What has an address of its own comes before what takes any number."""
PORTAL: Final = (login, languages, asking, sign_in, doors, portal_requests, portal_request)
PAGES: Final = (live.router, *(module.router for module in PORTAL), *(module.router for module in WORKSPACE), *ADMIN)


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
