"""The past of a ticket, for the desk alone: what happened to it, and what it was like at some time."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime
from sqlalchemy import Select
from sqlalchemy.orm import Session

from deskbell.audit.queries import NEWEST_CHANGE_FIRST, changes_of_ticket
from deskbell.tickets.as_of import as_of
from deskbell.tickets.history import history_page
from deskbell.tickets.queries import get_ticket
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.routes import api_router
from deskbell.web.schemas.audit import ChangeOut
from deskbell.web.schemas.base import Number
from deskbell.web.schemas.history import ActOut, TicketThenOut

router = api_router("/tickets/{number}", "tickets")


class Shape(StrEnum):
    """For whom the history is told."""

    PEOPLE = "people"
    PROGRAMS = "programs"


Moment = Annotated[
    AwareDatetime,
    Query(description="With an offset; `+` is written `%2B`.", examples=["2026-11-20T14:05:00Z"]),
]


@router.get("/history", summary="What happened to a ticket", dependencies=[STAFF_ONLY])
async def ticket_history(
    session: Transaction,
    pages: Pages,
    number: Number,
    shape: Annotated[Shape, Query(description="Acts in words, or entries of the audit log.")] = Shape.PEOPLE,
) -> PageOf[ActOut] | PageOf[ChangeOut]:
    """Return what happened to a ticket, its comments, attachments and tags, newest first.

    For people, what one act did is told together, in words and with names; a page may then be shorter than `limit`, as
    what an act took back itself is not told. For programs, each changed row is an entry, as in `GET /audit`.
    """
    if shape is Shape.PEOPLE:
        place, scope = pages.place(), pages.scope()
        acts = await session.run_sync(history_page, number, limit=pages.limit, cursor=place, query=scope)
        return pages.answer(acts, ActOut.of)
    return await pages.read(session, lambda plain: _entries(plain, number), NEWEST_CHANGE_FIRST, ChangeOut.of)


def _entries(session: Session, number: str) -> Select[*tuple[Any, ...]]:
    return changes_of_ticket(get_ticket(session, number, deleted=True).id)


@router.get("/as-of", summary="What a ticket was like", dependencies=[STAFF_ONLY])
async def ticket_as_of(session: Transaction, number: Number, at: Moment) -> TicketThenOut:
    """Return the ticket as it was at a time, with its comments, attachments and tags; the future is as it is now.

    Before it was there, it is not found. `version` and `updated_at` are not recorded, so they are left out.
    """
    return TicketThenOut.of(await session.run_sync(as_of, number, at))
