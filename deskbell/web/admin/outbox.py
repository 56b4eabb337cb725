"""The outbox: every message that was or is to be sent, with how far it is and what the server said."""

from typing import Any, Final, Literal

from fastapi import Request, Response
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.paging import SortKey
from deskbell.kernel.plans import plan_for_values
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.tickets.models import Ticket
from deskbell.web.admin.frame import admin_router, show
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import Paged, Pager

router = admin_router("/outbox")
NEWEST_FIRST: Final = (SortKey(OutboundMessage.id, descending=True),)
STATES: Final = {
    OutboundState.QUEUED: marked("Waiting"),
    OutboundState.SENDING: marked("Being sent"),
    OutboundState.SENT: marked("Sent"),
    OutboundState.BOUNCED: marked("Came back"),
    OutboundState.FAILED: marked("Failed"),
    OutboundState.DROPPED: marked("Not sent"),
}
KINDS: Final = {
    OutboundKind.CONFIRM: marked("Confirm an address"),
    OutboundKind.KNOWN: marked("Account exists already"),
    OutboundKind.RESET: marked("Reset a password"),
    OutboundKind.LOG_IN: marked("Link to log in"),
    OutboundKind.RECEIVED: marked("Request received"),
    OutboundKind.ANSWERED: marked("Answer"),
    OutboundKind.OPENED: marked("To the desk: new ticket"),
    OutboundKind.REPLIED: marked("To the desk: reply"),
    OutboundKind.ASSIGNED: marked("To the desk: assigned"),
    OutboundKind.MENTIONED: marked("To the desk: mention"),
    OutboundKind.UNDELIVERED: marked("To the desk: not delivered"),
}
_COUNTED: Final = 1_000


@router.get("")
async def list_outbox(
    request: Request, session: Transaction, me: Me, pager: Paged, state: OutboundState | Literal[""] = ""
) -> Response:
    """List messages, newest first."""
    context = await session.run_sync(outbox, state or None, pager)
    return await show(request, session, me, "outbox.html", **context)


def outbox(session: Session, state: OutboundState | None, pager: Pager) -> dict[str, Any]:
    """Return a page of the outbox. Its words are not for administrators: they hold links that let somebody in."""
    plan_for_values(session)
    it = OutboundMessage
    about = (it.id, it.kind, it.state, it.reason, it.recipient, it.subject, it.attempts, it.created_at)
    times = (it.next_attempt_at, it.sent_at)
    statement = select(*about, *times, Ticket.ticket_number).outerjoin(Ticket, Ticket.id == it.ticket_id)
    if state is not None:
        statement = statement.where(it.state == state)
    page = pager.read(session, statement, NEWEST_FIRST, _message)
    return {"page": page, "state": state or "", "states": STATES, "kinds": KINDS}


def unsent(session: Session) -> int:
    """Return how many messages could not be sent, counted up to 1,000. One statement."""
    failed = select(OutboundMessage.id).where(OutboundMessage.state == OutboundState.FAILED).limit(_COUNTED)
    return session.scalar(select(func.count()).select_from(failed.subquery())) or 0


def _message(row: Row[Any]) -> dict[str, Any]:
    return {**row._asdict(), "kind": row.kind.value, "state": row.state.value}
