"""The API's documentation: the OpenAPI document and Swagger UI, served from here, so that it works offline."""

from pathlib import Path
from typing import Any, Final, Literal

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, Response
from pydantic import BaseModel

from deskbell.web.csrf import COOKIE
from deskbell.web.problems import FieldError, Problem

OPENAPI_URL = "/api/openapi.json"
_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
"""Swagger UI sets styles and draws its icons from data addresses; scripts are ours alone."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Deskbell API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The API is described in <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""

DESCRIPTION = """\
Everything that Deskbell's own pages can do, for programs.

**Who you are.** Send `Authorization: Bearer dbt_…` with an API token (`POST /api/v1/tokens`, or
`deskbell token create`). You see and may do what you may as a person. A browser may log in instead
(`POST /api/v1/session`) and then sends `X-CSRF-Token` with every change.

**Errors** are `application/problem+json` (RFC 9457). `code` is stable, `detail` is for people, and `request_id` is what
the log knows the request by.

**Lists** come in pages: follow `next_cursor`, or the `Link` header. Nothing that stays in its place is repeated or
skipped, whatever arrives meanwhile.

**Lost updates** are prevented by `If-Match` with the ticket's `ETag`: 412 tells that somebody was faster.

**Retries** of a POST are safe with an `Idempotency-Key` of your choice: within a day the same request gets the same
answer, marked `Idempotency-Replayed: true`.
"""
TAGS = [
    {"name": "tickets", "description": "Requests of customers."},
    {"name": "comments", "description": "Replies and internal notes."},
    {"name": "attachments", "description": "Files that came with a ticket or a comment."},
    {"name": "tags", "description": "Labels for the desk's own use."},
    {"name": "search", "description": "Finding tickets, with the place where they were found, and completing queries."},
    {"name": "views", "description": "Saved queries and how many tickets they find."},
    {"name": "users", "description": "Customers, agents and administrators."},
    {"name": "organizations", "description": "Customers' companies."},
    {"name": "teams", "description": "Groups of agents."},
    {"name": "tokens", "description": "Your own API tokens."},
    {"name": "me", "description": "Who you are."},
    {"name": "session", "description": "Logging in with a browser."},
    {"name": "statistics", "description": "Figures about tickets."},
    {"name": "reports", "description": "What came in, what was done and how long it took: for the desk."},
    {"name": "mail", "description": "Delivering mail, and the ledger of all that came in: for the desk."},
    {"name": "mailboxes", "description": "Where mail comes from and how answers leave: for administrators."},
    {"name": "letters", "description": "The words of what is sent: for administrators."},
    {"name": "audit", "description": "Who changed what, when, through what."},
    {"name": "system", "description": "The state of the server, slow statements and jobs: for administrators."},
    {"name": "health", "description": "For load balancers."},
]

SECURITY_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, `dbt_…`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A browser's session. What changes something must bring its CSRF token in `X-CSRF-Token`.",
    },
}

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
async def page() -> HTMLResponse:
    """Show the documentation."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/api/docs/start.js")
async def start() -> Response:
    """Start Swagger UI: a file of its own, as the page may not run scripts that stand within it."""
    return Response(_START, media_type="text/javascript")


@router.get("/api/docs/{name}")
async def asset(name: Literal["swagger-ui-bundle.js", "swagger-ui.css"]) -> FileResponse:
    """Return Swagger UI itself, which comes with a package."""
    return FileResponse(_ASSETS / name, headers={"Cache-Control": "public, max-age=86400"})


def describe(app: FastAPI) -> dict[str, Any]:
    """Make the OpenAPI document, once: every error is a Problem, not what FastAPI would send."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=DESCRIPTION, tags=TAGS, routes=app.routes
        )
        schemas = schema["components"]["schemas"]
        schemas |= {"Problem": _schema(Problem), "FieldError": _schema(FieldError)}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schema["components"]["securitySchemes"] = SECURITY_SCHEMES
        app.openapi_schema = schema
    return app.openapi_schema


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schema.pop("$defs", None)
    return schema
