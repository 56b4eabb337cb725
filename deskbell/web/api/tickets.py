"""Tickets: list, open, read, change, delete, restore."""

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from deskbell.accounts.profiles import find_requester
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.paging import MAX_LIMIT
from deskbell.kernel.session_reading import SessionReading
from deskbell.search.pages import USUAL_LIMIT, DocumentPage, TicketPages, Wanted
from deskbell.tickets import actions
from deskbell.tickets.bodies import Body
from deskbell.tickets.changes import change_ticket
from deskbell.tickets.models import TicketStatus
from deskbell.tickets.queries import ORDERS
from deskbell.tickets.thread import opened_in, thread_of
from deskbell.web.bodies import read_body
from deskbell.web.conditional import Expected, tagged_response
from deskbell.web.dependencies import Tools, Transaction
from deskbell.web.paging import PageOf, Paging
from deskbell.web.reading import read
from deskbell.web.routes import PREFIX, WRITING_PROBLEMS, ReadRoute, WriteRoute, api_router
from deskbell.web.schemas.base import Number, Text
from deskbell.web.schemas.tickets import TicketChange, TicketIn, TicketOut, TicketSummary
from deskbell.web.writing import write

router = api_router("/tickets", "tickets")
reads = api_router("/tickets", "tickets", ReadRoute)
writes = api_router("/tickets", "tickets", WriteRoute)
NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not changed"}}


class Sort(StrEnum):
    """How a list of tickets is sorted; by time of creation its pages stay as they are while tickets change."""

    NEWEST_CHANGE = "-updated_at"
    NEWEST = "-created_at"
    OLDEST = "created_at"


class TicketsWanted(BaseModel):
    """Which tickets are asked for, and which page of them."""

    q: Text = Field("", max_length=1000, description="The query language.", examples=["status:open tag:billing refund"])
    status: list[TicketStatus] | None = Field(None, max_length=5, description="Any of these.")
    sort: Sort = Sort.NEWEST_CHANGE
    limit: int = Field(USUAL_LIMIT, ge=1, le=MAX_LIMIT, description="Most items on the page.")
    cursor: str | None = Field(None, max_length=2000, description="`next_cursor` of the page before.")


@reads.get("", response_model=PageOf[TicketSummary], summary="List tickets")
async def list_tickets(request: Request, asked: Annotated[TicketsWanted, Query()]) -> Response:
    """Return the tickets that you may see and the query fits, without their texts."""
    pages: TicketPages = request.app.state.ticket_pages
    paging = Paging(request, None, asked.limit, asked.cursor)

    async def page(reading: Reading) -> DocumentPage:
        wanted = Wanted(
            query=asked.q,
            statuses=tuple(asked.status or ()),
            order=ORDERS[asked.sort],
            limit=asked.limit,
            cursor=paging.place(),
            scope=paging.scope(),
        )
        return await pages.page(reading, wanted)

    found = await read(request, page)
    return paging.send(found.documents, found.shown, found.next_cursor)


@writes.post("", status_code=201, response_model=TicketOut, summary="Open a ticket", responses=WRITING_PROBLEMS)
async def open_ticket(request: Request, wanted: TicketIn) -> Response:
    """Open a ticket for yourself, or, as the desk, for somebody else."""
    body = await read_body(wanted.description, wanted.description_format, field="description")
    is_own = wanted.requester_id is None and wanted.requester_email is None
    return await write(request, partial(_open, request, wanted, body), pipelined=is_own)


def _open(request: Request, wanted: TicketIn, body: Body, session: Session) -> Response:
    requester = find_requester(
        session, user_id=wanted.requester_id, email=wanted.requester_email, full_name=wanted.requester_name
    )
    ticket = actions.open_ticket(session, body=body, requester=requester, title=wanted.title, priority=wanted.priority)
    version, document = opened_in(session, ticket.ticket_number)
    response = tagged_response(request, document, version, status=201)
    response.headers["Location"] = f"{PREFIX}/tickets/{ticket.ticket_number}"
    return response


@reads.get("/{number}", response_model=TicketOut, summary="Read a ticket", responses=NOT_CHANGED)
async def read_ticket(request: Request, number: Number) -> Response:
    """Return a ticket with its thread. The desk sees deleted ones too."""
    version, document = await read(request, partial(thread_of, number=number, last=True))
    return tagged_response(request, document, version)


@router.patch("/{number}", response_model=TicketOut, summary="Change a ticket", responses=WRITING_PROBLEMS)
async def patch_ticket(
    request: Request, session: Transaction, number: Number, changes: TicketChange, expected: Expected
) -> Response:
    """Change what is sent and leave the rest. With If-Match nothing happens where somebody else was faster."""
    await session.run_sync(change_ticket, number, changes.given(), expected=expected)
    return await _ticket(request, session, number)


@router.delete("/{number}", status_code=204, summary="Delete a ticket", responses=WRITING_PROBLEMS)
async def delete_ticket(session: Transaction, tools: Tools, number: Number, expected: Expected) -> None:
    """Put a ticket away; it can be restored. Deleting it twice is no error."""
    await session.run_sync(actions.soft_delete, number, now=tools.clock.now(), expected=expected)


@router.post("/{number}/restore", response_model=TicketOut, summary="Restore a ticket", responses=WRITING_PROBLEMS)
async def restore_ticket(request: Request, session: Transaction, number: Number, expected: Expected) -> Response:
    """Bring a deleted ticket back. Restoring what is not deleted is no error."""
    await session.run_sync(actions.restore, number, expected=expected)
    return await _ticket(request, session, number)


async def _ticket(request: Request, session: Transaction, number: str, *, status: int = 200) -> Response:
    """Answer with the ticket as it is now."""
    version, document = await thread_of(SessionReading(session), number)
    return tagged_response(request, document, version, status=status)
