"""Who read what. For administrators alone, and itself recorded."""

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from deskbell.audit.access_queries import NEWEST_ACCESS_FIRST, AccessFilter, Entries, accesses
from deskbell.audit.models import AccessKind
from deskbell.tickets.queries import get_ticket
from deskbell.web.dependencies import ADMIN_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.routes import api_router
from deskbell.web.schemas.access import AccessOut
from deskbell.web.schemas.base import BIGGEST, Text

router = api_router("/access-log", "audit")

Moment = AwareDatetime | None


@router.get("", summary="The access log", dependencies=[ADMIN_ONLY])
async def access_log(
    session: Transaction,
    pages: Pages,
    user_id: Annotated[int | None, Query(ge=1, le=BIGGEST, description="Who read.")] = None,
    ticket: Annotated[Text | None, Query(max_length=50, description="Which ticket.", examples=["DB-1042"])] = None,
    kind: Annotated[AccessKind | None, Query(description="What was read.")] = None,
    since: Annotated[Moment, Query(description="The first that counts.", examples=["2026-11-20T00:00:00Z"])] = None,
    until: Annotated[Moment, Query(description="The first that no longer counts.")] = None,
) -> PageOf[AccessOut]:
    """Return who read what, newest first. An entry is there about a second after the reading."""

    def wanted(session: Session) -> Entries:
        ticket_id = None if ticket is None else get_ticket(session, ticket, deleted=True).id
        return accesses(AccessFilter(user_id, ticket_id, kind, since, until))

    return await pages.read(session, wanted, NEWEST_ACCESS_FIRST, AccessOut.of)
