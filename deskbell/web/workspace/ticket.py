"""One ticket with its thread, and the forms that change its properties."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from deskbell.tickets import labels
from deskbell.tickets.actions import restore, soft_delete
from deskbell.tickets.glance import NEWEST
from deskbell.tickets.queries import get_attachment
from deskbell.web.dependencies import STAFF_ONLY, Me, Tools, Transaction
from deskbell.web.downloads import download
from deskbell.web.live.seeing import see_afterwards
from deskbell.web.pages.doors import STAFF_PAGE
from deskbell.web.schemas.base import Text
from deskbell.web.workspace import properties, thread
from deskbell.web.workspace.forms import Target, changed, is_script
from deskbell.web.workspace.frame import show
from deskbell.web.workspace.past import past

router = APIRouter(include_in_schema=False)
TagName = Annotated[Text, Form(max_length=1000)]
LONGEST_FIELD = 2000


@router.get("/tickets/{number}", dependencies=[STAFF_PAGE])
async def show_ticket(
    request: Request,
    session: Transaction,
    me: Me,
    number: str,
    messages: Annotated[int, Query(ge=1, le=1_000_000)] = NEWEST,
    at: datetime | None = None,
) -> Response:
    """Show one ticket with the newest `messages` of its thread: as it is, or as it was `at` a time."""
    look = partial(thread.ticket, shown=messages) if at is None else partial(past, at=at, shown=messages)
    context = await session.run_sync(look, number)
    response = await show(request, session, me, "workspace/ticket.html", **context)
    if at is None:
        see_afterwards(request, response, me, context["ticket"])
    return response


@router.get("/attachments/{attachment_id}")
async def show_attachment(
    request: Request, session: Transaction, tools: Tools, attachment_id: Annotated[int, Path(ge=1, lt=2**63)]
) -> Response:
    """Send a file: shown in place where that is safe, downloaded otherwise."""
    return await download(request, await session.run_sync(get_attachment, attachment_id), tools)


@router.post("/tickets/{number}/properties")
async def save_properties(request: Request, session: Transaction, me: Me, number: str) -> Response:
    """Save what was changed beside the ticket: one field, as a script does, or several."""
    form = await request.form()
    sent = {name: value[:LONGEST_FIELD] for name, value in form.items() if isinstance(value, str)}
    change = partial(session.run_sync, properties.save, number, sent)
    if is_script(request):
        return JSONResponse(await change())
    return await changed(request, session, me, Target(number, "properties"), change)


@router.post("/tickets/{number}/tags")
async def add_tag(request: Request, session: Transaction, me: Me, number: str, name: TagName = "") -> Response:
    """Put a tag on the ticket."""
    change = partial(session.run_sync, labels.tag, number, name)
    return await changed(request, session, me, Target(number, "tags", anchor="#tag"), change)


@router.post("/tickets/{number}/tags/remove")
async def remove_tag(request: Request, session: Transaction, me: Me, number: str, name: TagName = "") -> Response:
    """Take a tag off the ticket."""
    change = partial(session.run_sync, labels.untag, number, name)
    return await changed(request, session, me, Target(number, "tags", anchor="#tag"), change)


@router.post("/tickets/{number}/delete", dependencies=[STAFF_ONLY])
async def delete_ticket(request: Request, session: Transaction, me: Me, tools: Tools, number: str) -> Response:
    """Put the ticket away."""
    change = partial(session.run_sync, partial(soft_delete, number=number, now=tools.clock.now()))
    return await changed(request, session, me, Target(number, "properties"), change)


@router.post("/tickets/{number}/restore", dependencies=[STAFF_ONLY])
async def restore_ticket(request: Request, session: Transaction, me: Me, number: str) -> Response:
    """Bring the ticket back."""
    change = partial(session.run_sync, restore, number)
    return await changed(request, session, me, Target(number, "properties"), change)
