"""The web application, put together from values: nothing is global, everything lies on `app.state`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp

import deskbell
from deskbell.audit.recording import AccessRecorder
from deskbell.kernel.database import Database
from deskbell.kernel.resources import Resources
from deskbell.kernel.settings import WebSettings
from deskbell.migrations.runner import Migrator
from deskbell.search.pages import TicketPages
from deskbell.web import documentation, health
from deskbell.web.api import access as access_log
from deskbell.web.api import (
    attachments,
    audit,
    bulk,
    comments,
    history,
    letters,
    mail,
    mailboxes,
    me,
    organizations,
    reports,
    search,
    session,
    statistics,
    system,
    tags,
    teams,
    tickets,
    tokens,
    users,
    views,
)
from deskbell.web.health import Readiness
from deskbell.web.i18n import marked
from deskbell.web.language import Speaking
from deskbell.web.live.hub import Hub
from deskbell.web.login import LoginLimits
from deskbell.web.middleware import BodyLimit, Envelope, Shortcut
from deskbell.web.problems import ErrorPage, answer_error, install_problem_handlers
from deskbell.web.rates import Rates
from deskbell.web.reading import Readers

JSON_BYTES: Final = 4 * 1024 * 1024
FORM_OVERHEAD: Final = 1024 * 1024
API: Final = (
    *(
        search,
        bulk,
        tickets,
        comments,
        attachments,
        tags,
        users,
        organizations,
        teams,
        tokens,
        me,
        session,
        reports,
        statistics,
        audit,
    ),
    *(history, access_log, views, system, mail, mailboxes, letters),
)

TOO_MANY_LINKS: Final = marked("Too many links were asked for. Look into your mailbox, or wait and try again.")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    *,
    database: Database,
    resources: Resources,
    key: bytes,
    settings: WebSettings,
    migrator: Migrator | None = None,
    pages: Sequence[APIRouter] = (),
    error_page: ErrorPage | None = None,
    lifespan: Lifespan | None = None,
    access: AccessRecorder | None = None,
) -> FastAPI:
    """Build the application on an open database.

    `pages` are the routers of the HTML pages, `error_page` shows problems to people, `migrator` lets `/readyz` see
    whether the schema is current, `access` takes down who read what. Whoever made `database` and `access` closes them,
    in `lifespan` for example.
    """
    app = _Application(
        title="Deskbell API",
        version=deskbell.__version__,
        openapi_url=documentation.OPENAPI_URL,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it is looked for at each request
    )
    app.state.database = database
    app.state.access = access
    app.state.readers = Readers(database)
    app.state.ticket_pages = TicketPages(database)
    app.state.live = Hub(database)
    app.state.resources = resources
    app.state.key = key
    app.state.session_lifetime = timedelta(days=settings.session_days)
    app.state.rates = Rates(settings)
    app.state.login_limits = LoginLimits(settings.login_rate, resources.clock)
    app.state.link_limits = LoginLimits(
        settings.link_rate, resources.clock, account_rate=settings.mailbox_rate, message=TOO_MANY_LINKS
    )
    app.state.readiness = Readiness(database, migrator, resources.clock)
    app.openapi = partial(documentation.describe, app)  # type: ignore[method-assign]  # FastAPI's own way to replace it
    install_problem_handlers(app, error_page)
    ours = (tickets.reads, tickets.writes, *(module.router for module in API), health.router, documentation.router)
    for router in (*ours, *pages):
        app.router.routes.extend(router.routes)  # not include_router, whose routes are looked through twice
    limited = partial(
        BodyLimit,
        limit_of=partial(_body_limit, resources.attachment_bytes),
        limits={mail.INBOUND: resources.delivery_bytes},
    )
    app.add_middleware(limited)
    app.add_middleware(Envelope)
    app.add_middleware(Speaking)
    app.shortcuts = (
        partial(Shortcut, routes=tickets.writes.routes, method="POST", within=lambda go: Envelope(limited(go))),
        partial(Shortcut, routes=tickets.reads.routes, within=Envelope),
    )
    return app


class _Application(FastAPI):
    """FastAPI, with shortcuts past its layers, of which there are more than what is asked for all day needs."""

    shortcuts: Sequence[Callable[..., ASGIApp]] = ()

    def build_middleware_stack(self) -> ASGIApp:
        """Put the shortcuts around all layers, the last one outermost."""
        around = super().build_middleware_stack()
        for shortcut in self.shortcuts:
            around = shortcut(around, answer_error=answer_error)
        return around


def _body_limit(attachment_bytes: int, headers: Headers) -> int:
    """Forms may carry an attachment of the largest size; nothing else needs more than a long message."""
    is_upload = headers.get("content-type", "").startswith("multipart/form-data")
    return attachment_bytes + FORM_OVERHEAD if is_upload else JSON_BYTES
