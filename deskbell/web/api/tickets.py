"""Tickets: list, open, read, change, delete, restore."""

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Query, Request, Response
from sqlalchemy import Select
from sqlalchemy.orm import Session

from deskbell.accounts.profiles import find_requester
from deskbell.kernel.database import actor_of
from deskbell.search.queries import compile_query
from deskbell.tickets import actions
from deskbell.tickets.bodies import Body, body_of
from deskbell.tickets.changes import change_ticket
from deskbell.tickets.models import BodyFormat, Ticket, TicketStatus
from deskbell.tickets.queries import ORDERS, get_thread, listed
from deskbell.web.conditional import Expected, tagged_response
from deskbell.web.dependencies import Tools, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.routes import PREFIX, WRITING_PROBLEMS, api_router
from deskbell.web.schemas.base import Number, Text
from deskbell.web.schemas.tickets import TicketChange, TicketIn, TicketOut, TicketSummary

router = api_router("/tickets", "tickets")
NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not changed"}}


class Sort(StrEnum):
    """How a list of tickets is sorted; by time of creation its pages stay as they are while tickets change."""

    NEWEST_CHANGE = "-updated_at"
    NEWEST = "-created_at"
    OLDEST = "created_at"


SearchText = Annotated[
    Text, Query(max_length=1000, description="The query language.", examples=["status:open tag:billing refund"])
]


@router.get("", summary="List tickets")
async def list_tickets(
    session: Transaction,
    pages: Pages,
    q: SearchText = "",
    status: Annotated[list[TicketStatus] | None, Query(max_length=5, description="Any of these.")] = None,
    sort: Sort = Sort.NEWEST_CHANGE,
) -> PageOf[TicketSummary]:
    """Return the tickets that you may see and the query fits, without their texts."""

    def wanted(session: Session) -> Select[Ticket]:
        actor = actor_of(session)
        found = compile_query(q, actor=actor)
        return listed(found.where(Ticket.status.in_(status)) if status else found, actor)

    return await pages.read(session, wanted, ORDERS[sort.value], TicketSummary.of)


@router.post("", status_code=201, response_model=TicketOut, summary="Open a ticket", responses=WRITING_PROBLEMS)
async def open_ticket(request: Request, session: Transaction, wanted: TicketIn) -> Response:
    """Open a ticket for yourself, or, as the desk, for somebody else."""
    read = partial(body_of, wanted.description, BodyFormat(wanted.description_format), field="description")
    body = await to_thread.run_sync(read)
    ticket = await session.run_sync(_open, wanted, body)
    response = tagged_response(request, TicketOut.of(ticket), ticket.version, status=201)
    response.headers["Location"] = f"{PREFIX}/tickets/{ticket.ticket_number}"
    return response


def _open(session: Session, wanted: TicketIn, body: Body) -> Ticket:
    requester = find_requester(
        session, user_id=wanted.requester_id, email=wanted.requester_email, full_name=wanted.requester_name
    )
    ticket = actions.open_ticket(session, body=body, requester=requester, title=wanted.title, priority=wanted.priority)
    return get_thread(session, ticket.ticket_number)


@router.get("/{number}", response_model=TicketOut, summary="Read a ticket", responses=NOT_CHANGED)
async def read_ticket(request: Request, session: Transaction, number: Number) -> Response:
    """Return a ticket with its thread. The desk sees deleted ones too."""
    ticket = await session.run_sync(get_thread, number)
    return tagged_response(request, TicketOut.of(ticket), ticket.version)


@router.patch("/{number}", response_model=TicketOut, summary="Change a ticket", responses=WRITING_PROBLEMS)
async def patch_ticket(
    request: Request, session: Transaction, number: Number, changes: TicketChange, expected: Expected
) -> Response:
    """Change what is sent and leave the rest. With If-Match nothing happens where somebody else was faster."""
    ticket = await session.run_sync(change_ticket, number, changes.given(), expected=expected)
    return tagged_response(request, TicketOut.of(ticket), ticket.version)


@router.delete("/{number}", status_code=204, summary="Delete a ticket", responses=WRITING_PROBLEMS)
async def delete_ticket(session: Transaction, tools: Tools, number: Number, expected: Expected) -> None:
    """Put a ticket away; it can be restored. Deleting it twice is no error."""
    await session.run_sync(actions.soft_delete, number, now=tools.clock.now(), expected=expected)


@router.post("/{number}/restore", response_model=TicketOut, summary="Restore a ticket", responses=WRITING_PROBLEMS)
async def restore_ticket(request: Request, session: Transaction, number: Number, expected: Expected) -> Response:
    """Bring a deleted ticket back. Restoring what is not deleted is no error."""
    await session.run_sync(actions.restore, number, expected=expected)
    ticket = await session.run_sync(get_thread, number)
    return tagged_response(request, TicketOut.of(ticket), ticket.version)
