"""The access log: who read what; and how long this log and the audit log are kept."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import Request, Response
from sqlalchemy import Row
from sqlalchemy.orm import Session

from deskbell.audit.access_queries import NEWEST_ACCESS_FIRST, AccessFilter, accesses
from deskbell.audit.models import AccessKind
from deskbell.audit.retention import ACCESS, AUDIT, Part, parts
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.plans import plan_for_values
from deskbell.kernel.resources import Resources
from deskbell.web.admin import changes
from deskbell.web.admin.frame import admin_router, show
from deskbell.web.admin.listing import Words, choices
from deskbell.web.dependencies import Me, Tools, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.pages.pager import Paged, Pager
from deskbell.web.worded import worded

router = admin_router()


@router.get("/access-log")
async def access_log(  # noqa: PLR0917 - FastAPI calls it by names
    request: Request,
    session: Transaction,
    me: Me,
    pager: Paged,
    who: Words = "",
    ticket: Words = "",
    kind: AccessKind | Literal[""] = "",
    since: Words = "",
    until: Words = "",
) -> Response:
    """Show who read what, newest first."""
    asked = changes.Asked(who, "", "", ticket, "", "", since, until, "")
    context = await session.run_sync(access_list, asked, kind or None, me.time_zone, pager)
    return await show(request, session, me, "access.html", status=422 if context["errors"] else 200, **context)


@router.get("/retention")
async def retention(request: Request, session: Transaction, me: Me, tools: Tools) -> Response:
    """Show the months of both logs, and how long they are kept."""
    return await show(request, session, me, "retention.html", logs=await session.run_sync(months, tools))


def access_list(
    session: Session, asked: changes.Asked, kind: AccessKind | None, zone: str, pager: Pager
) -> dict[str, Any]:
    """Return a page of the log; where a filter cannot be read, why not."""
    plan_for_values(session)
    context: dict[str, Any] = {
        "filters": asdict(asked) | {"kind": kind or ""},
        "is_filtered": bool(asked.given() or kind),
        "kinds": choices([one.value for one in AccessKind], _("Everything")),
        "errors": {},
    }
    try:
        read = changes.understood(session, asked, zone)
    except InvalidError as error:
        return context | {"errors": {error.field or "": worded(error)}, "page": pager.rows([], None)}
    wanted = AccessFilter(read.user_id, read.ticket_id, kind, read.since, read.until)
    return context | {"page": pager.read(session, accesses(wanted), NEWEST_ACCESS_FIRST, _entry)}


def months(session: Session, tools: Resources) -> list[dict[str, Any]]:
    """Return both logs with their months, newest first. One statement."""
    found = parts(session)
    kept = ((AUDIT, _("Audit log"), tools.audit_months), (ACCESS, _("Access log"), tools.access_months))
    return [
        {"name": name, "months": number, "parts": [_part(part) for part in reversed(found) if part.log == log]}
        for log, name, number in kept
    ]


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "first": part.first,
        "last": part.last,
        "bytes": part.bytes,
        "entries": part.entries,
        "is_exact": part.is_exact,
    }


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "user_id": row.user_id,
        "user_name": row.user_name or (f"#{row.user_id}" if row.user_id else None),
        "kind": row.kind,
        "ticket": row.ticket_number,
        "record_id": row.record_id,
        "query": row.query,
        "shown": row.shown,
        "channel": row.channel,
        "act": row.act,
        "address": row.address,
    }
