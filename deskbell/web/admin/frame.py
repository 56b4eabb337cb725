"""What surrounds every page of the administrator's desk: its sections, and what is said after something was done."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.accounts.login import Identity
from deskbell.kernel.crypto import sign, unsign
from deskbell.kernel.database import Database, translating
from deskbell.kernel.errors import ConflictError, DeskbellError, ForbiddenError, InvalidError, NotFoundError
from deskbell.web.dependencies import ADMIN_ONLY
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked, speaking
from deskbell.web.language import language_of
from deskbell.web.worded import worded
from deskbell.web.workspace import frame

T = TypeVar("T")
ROOT: Final = "/admin"
_SAID: Final = "deskbell_said"
_PURPOSE: Final = "said/1"
_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Section:
    """A place in the second rail."""

    path: str
    name: str
    icon: str


SECTIONS: Final[Sequence[tuple[str, Sequence[Section]]]] = (
    ("", (Section(ROOT, marked("Overview"), "activity"),)),
    (
        marked("Desk"),
        (
            Section(f"{ROOT}/people", marked("People"), "people"),
            Section(f"{ROOT}/organizations", marked("Organizations"), "organization"),
            Section(f"{ROOT}/teams", marked("Teams"), "team"),
            Section(f"{ROOT}/tags", marked("Tags"), "tag"),
            Section(f"{ROOT}/views", marked("Shared views"), "view"),
            Section(f"{ROOT}/tokens", marked("API tokens"), "key"),
        ),
    ),
    (
        marked("Mail"),
        (
            Section(f"{ROOT}/mailboxes", marked("Mailboxes"), "inbox"),
            Section(f"{ROOT}/mail", marked("Incoming mail"), "mail"),
            Section(f"{ROOT}/outbox", marked("Outgoing mail"), "send"),
            Section(f"{ROOT}/letters", marked("Letters"), "edit"),
        ),
    ),
    (
        marked("Records"),
        (
            Section(f"{ROOT}/audit", marked("Audit log"), "history"),
            Section(f"{ROOT}/access-log", marked("Access log"), "eye"),
            Section(f"{ROOT}/retention", marked("Retention"), "archive"),
        ),
    ),
    (
        marked("Machinery"),
        (
            Section(f"{ROOT}/jobs", marked("Jobs"), "queue"),
            Section(f"{ROOT}/system", marked("System"), "database"),
            Section(f"{ROOT}/slow-queries", marked("Slow queries"), "clock"),
        ),
    ),
)
"""The groups of sections, each with its heading."""


def admin_router(path: str = "") -> APIRouter:
    """Make the router of one section: for administrators alone."""
    return APIRouter(prefix=ROOT + path, include_in_schema=False, dependencies=[ADMIN_ONLY])


async def show(
    request: Request, session: AsyncSession, me: Identity, template: str, *, status: int = 200, **context: object
) -> Response:
    """Render a page of the administrator's desk, with what was said by the page before, once."""
    said = _heard(request)
    context = {"sections": SECTIONS, "section": _section_of(request.url.path), **context}
    if said:
        context["flash"] = {"kind": "success", "text": said}
    response = await frame.show(request, session, me, f"admin/{template}", status=status, **context)
    if _SAID in request.cookies:
        response.delete_cookie(_SAID, path=ROOT)
    return response


def done(request: Request, path: str, text: str, **names: object) -> Response:
    """Lead to a page that says in the reader's language what was done; `text` is marked for translation."""
    with speaking(language_of(request)):
        said = _(text) % names if names else _(text)
    response = RedirectResponse(ROOT + path, status_code=303)
    signed = sign(request.app.state.key, _PURPOSE, json.dumps(said[:500]).encode())
    secure = request.url.scheme == "https"
    response.set_cookie(_SAID, signed, max_age=_SECONDS, path=ROOT, httponly=True, samesite="lax", secure=secure)
    return response


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a use case returned, or by field what it refused, and with which status; the field "" is all of them."""

    value: T | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


async def attempt(
    request: Request, session: AsyncSession, change: Callable[[Session], T], fields: Sequence[str] = ()
) -> Outcome[T]:
    """Make a change; where it is refused nothing of it stays. A refusal stands at its field where `fields` has that.

    A conflict names no field: it is about the first of `fields`, as a taken name is.
    """
    database: Database = request.app.state.database
    try:
        with translating(database.constraint_errors):
            async with session.begin_nested():
                return Outcome(await session.run_sync(change))
    except (InvalidError, ConflictError, ForbiddenError) as error:
        session.expunge_all()  # what the refused change left in memory was rolled back
        return Outcome(None, {_field_of(error, fields): worded(error)}, error.status)


def wanted_or_missing(value: T | None) -> T:
    """Return what a change made that was not refused."""
    if value is None:
        raise NotFoundError
    return value


def _field_of(error: DeskbellError, fields: Sequence[str]) -> str:
    named: Any = error.details.get("field") or (fields[0] if fields and isinstance(error, ConflictError) else "")
    return str(named) if named in fields else ""


def _section_of(path: str) -> str:
    """Return the section that a page belongs to."""
    return "/".join(path.split("/")[:3])


def _heard(request: Request) -> str:
    signed = request.cookies.get(_SAID, "")
    try:
        return str(json.loads(unsign(request.app.state.key, _PURPOSE, signed))) if signed else ""
    except InvalidError:
        return ""
