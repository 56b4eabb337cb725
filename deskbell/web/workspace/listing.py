"""What the list of tickets shows, as functions over a session."""

from typing import Any

from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.paging import Cursor, Page
from deskbell.search.finding import find_tickets
from deskbell.search.language import QueryError
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.web.pages import present

ROWS = 50


def ticket_list(session: Session, text: str, cursor: str | None, key: bytes) -> dict[str, Any]:
    """Return one page of the tickets that a query finds; where it cannot be read, where and why."""
    error, found = None, None
    try:
        found = _find(session, text, cursor, key)
    except QueryError as wrong:
        error = {"message": wrong.message, "position": wrong.position}
    staff = actor_of(session).is_staff
    items = [present.ticket_row(ticket, staff=staff) for ticket in found.items] if found else []
    following = found.next_cursor.seal(key) if found and found.next_cursor else None
    return {
        "page": {"items": items, "next_cursor": following, "has_more": following is not None},
        "query": {"text": text, "error": error},
        "statuses": present.choices(TicketStatus),
    }


def _find(session: Session, text: str, cursor: str | None, key: bytes) -> Page[Ticket]:
    after = Cursor.unseal(cursor, key) if cursor else None
    return find_tickets(session, text, limit=ROWS, cursor=after, scope=str(actor_of(session).user_id))
