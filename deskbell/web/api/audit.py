"""Who changed what, when, through what. For the desk alone."""

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Select
from sqlalchemy.orm import Session

from deskbell.audit.queries import NEWEST_CHANGE_FIRST, changes_of_ticket, changes_where
from deskbell.tickets.queries import get_ticket
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.routes import api_router
from deskbell.web.schemas.audit import ChangeOut
from deskbell.web.schemas.base import BIGGEST, Number

router = api_router("", "audit")


@router.get("/tickets/{number}/audit", summary="A ticket's history", dependencies=[STAFF_ONLY])
async def ticket_history(session: Transaction, pages: Pages, number: Number) -> PageOf[ChangeOut]:
    """Return all changes of a ticket, its comments, attachments and tags, newest first."""

    def wanted(session: Session) -> Select[*tuple[Any, ...]]:
        return changes_of_ticket(get_ticket(session, number, deleted=True).id)

    return await pages.read(session, wanted, NEWEST_CHANGE_FIRST, ChangeOut.of)


@router.get("/audit", summary="The audit log", dependencies=[STAFF_ONLY])
async def audit_log(
    session: Transaction,
    pages: Pages,
    table: Annotated[str | None, Query(pattern="^[a-z_]{1,63}$", examples=["tickets"])] = None,
    record_id: Annotated[int | None, Query(ge=1, le=BIGGEST, description="Needs a table too.")] = None,
) -> PageOf[ChangeOut]:
    """Return changes of everything, of a table or of one row, newest first."""
    return await pages.read(session, changes_where(table, record_id), NEWEST_CHANGE_FIRST, ChangeOut.of)
