"""The audit log: who changed what, when and through what; one operation with all its changes; both as files."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from deskbell.audit.browsing import get_operation
from deskbell.audit.models import AuditAction
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import ACTOR_KEY
from deskbell.web.admin import changes, export
from deskbell.web.admin.frame import ROOT, admin_router, show
from deskbell.web.admin.listing import Words, whole
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.downloads import content_disposition
from deskbell.web.pages.pager import Paged
from deskbell.web.schemas.base import PathId

router = admin_router("/audit")
Id = Annotated[str, Query(max_length=30)]


def asked(  # noqa: PLR0917 - FastAPI calls it by names
    who: Words = "",
    table: Annotated[str, Query(pattern="^[a-z_]{0,63}$")] = "",
    record: Id = "",
    ticket: Words = "",
    action: AuditAction | Literal[""] = "",
    channel: Channel | Literal[""] = "",
    since: Words = "",
    until: Words = "",
    operation: Id = "",
) -> changes.Asked:
    """Return the filters as they were typed."""
    return changes.Asked(who, table, record, ticket, action, channel, since, until, operation)


Filters = Annotated[changes.Asked, Depends(asked)]


@router.get("")
async def audit_log(request: Request, session: Transaction, me: Me, pager: Paged, filters: Filters) -> Response:
    """Show changes, newest first."""
    if operation := whole(filters.operation):
        return RedirectResponse(f"{ROOT}/audit/operations/{operation}", status_code=303)
    context = await session.run_sync(changes.change_list, filters, me.time_zone, pager)
    download = f"{ROOT}/audit/export?{urlencode(filters.given())}"
    status = 422 if context["errors"] else 200
    return await show(request, session, me, "audit.html", status=status, download=download, **context)


@router.get("/export")
async def download_log(
    request: Request,
    session: Transaction,
    me: Me,
    filters: Filters,
    as_: Annotated[Literal["csv", "jsonl"], Query(alias="as")] = "csv",
) -> Response:
    """Send all changes that fit, newest first (of an operation oldest first), as they are read."""
    wanted = await session.run_sync(changes.understood, filters, me.time_zone)
    if operation := whole(filters.operation):
        await session.run_sync(get_operation, operation)
    begun = export.Export(request.app.state.database, session.info[ACTOR_KEY], wanted, operation, request.state)
    media_type = "text/csv; charset=utf-8" if as_ == "csv" else "application/jsonl"
    headers = {"Content-Disposition": content_disposition("attachment", f"audit-log.{as_}")}
    return StreamingResponse(begun.pieces(as_), media_type=media_type, headers=headers)


@router.get("/operations/{operation_id}")
async def show_operation(
    request: Request, session: Transaction, me: Me, pager: Paged, operation_id: PathId
) -> Response:
    """Show everything that was changed in one act, in its order."""
    context: dict[str, Any] = await session.run_sync(changes.operation_page, operation_id, pager)
    return await show(request, session, me, "operation.html", **context)
