"""The inbound ledger: every message that arrived, with what became of it and why, and as it came."""

from typing import Literal

from anyio import to_thread
from fastapi import Request, Response

from deskbell.mail.models import MailState
from deskbell.web.admin import messages
from deskbell.web.admin.frame import admin_router, show
from deskbell.web.admin.listing import Paged, Words
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.downloads import content_disposition
from deskbell.web.schemas.base import PathId

router = admin_router("/mail")


@router.get("")
async def list_mail(
    request: Request,
    session: Transaction,
    me: Me,
    pager: Paged,
    state: MailState | Literal[""] = "",
    ticket: Words = "",
    message_id: Words = "",
) -> Response:
    """List messages, newest first."""
    wanted = messages.Wanted(state or None, ticket, message_id)
    context = await session.run_sync(messages.message_list, wanted, pager)
    return await show(request, session, me, "mail.html", status=422 if context["errors"] else 200, **context)


@router.get("/{message_id}")
async def show_message(request: Request, session: Transaction, me: Me, message_id: PathId) -> Response:
    """Show a message: what became of it, its headers, and its text where it is not too large to be read here."""
    context = await session.run_sync(messages.message_page, message_id)
    raw = context.pop("raw")
    context["text"] = await to_thread.run_sync(messages.text_of, raw) if raw else None
    return await show(request, session, me, "message.html", **context)


@router.get("/{message_id}/raw")
async def download_message(session: Transaction, message_id: PathId) -> Response:
    """Send a message as it came, to be kept as a file: no browser shows it."""
    raw = await session.run_sync(messages.raw_of, message_id)
    headers = {"Content-Disposition": content_disposition("attachment", f"message-{message_id}.eml")}
    return Response(raw, media_type="message/rfc822", headers=headers)
