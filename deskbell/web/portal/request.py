"""One request: reading it, answering, closing and opening it again, with or without an account."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from deskbell.kernel.errors import ConflictError, ForbiddenError, InvalidError
from deskbell.tickets.models import TicketStatus
from deskbell.tickets.queries import get_ticket
from deskbell.web.dependencies import Tools
from deskbell.web.downloads import download
from deskbell.web.pages.rendering import render
from deskbell.web.pages.visitors import NO_REFERRER
from deskbell.web.portal import thread
from deskbell.web.portal.once import new_key
from deskbell.web.portal.sending import Message, read_message, send_once
from deskbell.web.portal.visiting import Visit, address_of, follow_link, visiting
from deskbell.web.schemas.base import PathId
from deskbell.web.uploads import Inbox
from deskbell.web.worded import worded

router = APIRouter(include_in_schema=False)


@router.get("/requests/{number}")
async def show_request(request: Request, number: str, key: Annotated[str, Query(max_length=1000)] = "") -> Response:
    """Show a request. With a link's key in the address, take it out of there first."""
    if key:
        return await follow_link(request, number, key)
    async with visiting(request, number) as visit:
        return await _page(request, visit, number)


@router.post("/requests/{number}/reply")
async def send_reply(request: Request, number: str, inbox: Inbox, form: Annotated[Message, Form()]) -> Response:
    """Reply, and see it in the conversation."""
    async with visiting(request, number) as visit:
        await visit.session.run_sync(get_ticket, number)  # who may not see it stores no files
        try:
            message = await read_message(form, inbox)
        except InvalidError as error:
            return await _page(request, visit, number, typed=form.content, error=error)

        def answer(session: Session) -> str:
            thread.answer(session, number, message.body, message.files)
            return f"{address_of(number)}#last"

        return await send_once(request, visit.session, form.once, answer)


@router.post("/requests/{number}/close")
async def send_close(request: Request, number: str) -> Response:
    """Say that it is solved."""
    return await _settle(request, number, TicketStatus.RESOLVED)


@router.post("/requests/{number}/reopen")
async def send_reopen(request: Request, number: str) -> Response:
    """Say that it is not."""
    return await _settle(request, number, TicketStatus.OPEN)


@router.get("/requests/{number}/files/{attachment_id}")
async def show_file(request: Request, number: str, tools: Tools, attachment_id: PathId) -> Response:
    """Send a file of this request."""
    async with visiting(request, number) as visit:
        file = await visit.session.run_sync(thread.file_of, number, attachment_id)
    return await download(request, file, tools)


async def _settle(request: Request, number: str, status: TicketStatus) -> Response:
    def settle(session: Session) -> str:
        thread.settle(session, number, status)
        return address_of(number)

    async with visiting(request, number) as visit:
        try:
            return await send_once(request, visit.session, "", settle)
        except (ConflictError, ForbiddenError) as error:
            return await _page(request, visit, number, error=InvalidError(error.message, field="standing"))


async def _page(
    request: Request, visit: Visit, number: str, *, typed: str = "", error: InvalidError | None = None
) -> Response:
    visit.session.expunge_all()  # what a refused change left in memory was rolled back
    page = await visit.session.run_sync(partial(thread.request_page, number=number))
    wrong = {"field": error.field or "content", "message": worded(error)} if error else None
    status = error.status if error else 200
    largest = request.app.state.resources.attachment_bytes
    form = {"typed": typed, "wrong": wrong, "once": new_key(), "largest": largest, "is_guest": visit.is_guest}
    response = render(request, "portal/request.html", status=status, me=visit.me, **form, **page)
    response.headers.update(NO_REFERRER if visit.is_guest else {})
    return response
