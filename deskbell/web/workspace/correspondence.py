"""What of a ticket's mail its page shows: how answers went out, what came by mail, what waits, who gets copies, links.

Functions over a session, for the desk alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from deskbell.kernel.arrays import in_array
from deskbell.kernel.errors import NotFoundError
from deskbell.mail.inbound.decisions import LET_IN, TURNED_AWAY
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.inbound.queries import FILED
from deskbell.mail.outbound.actions import resend
from deskbell.mail.outbound.models import OutboundMessage, OutboundState
from deskbell.mail.outbound.queries import Delivery, acknowledgement_of, deliveries_of
from deskbell.tickets.copies import copies_of
from deskbell.tickets.queries import get_ticket
from deskbell.tickets.relation_models import TicketLinkKind
from deskbell.tickets.ticket_links import Linked, links_of
from deskbell.web.i18n import gettext as _

WAITING_SHOWN: Final = 20
PENDING: Final = frozenset({OutboundState.QUEUED, OutboundState.SENDING})
BAD: Final = frozenset({OutboundState.BOUNCED, OutboundState.FAILED})


def correspondence(session: Session, ticket_id: int, comment_ids: Sequence[int]) -> dict[str, Any]:
    """Return the mail of a ticket, of these comments, and its acknowledgement if it did not arrive. Five statements."""
    came = _came(session, ticket_id, comment_ids)
    sent = deliveries_of(session, comment_ids)
    told = acknowledgement_of(session, ticket_id)
    return {
        "deliveries": {comment_id: shown_deliveries(found) for comment_id, found in sent.items()},
        "acknowledgement": shown_deliveries([told]) if told is not None and told.state in BAD else None,
        "originals": {row.comment_id: row.id for row in came if row.state in FILED},
        "suspended": [_waits(row) for row in came if row.state is MailState.SUSPENDED][:WAITING_SHOWN],
        "copies": [{"id": one.id, "email": one.email, "name": one.name} for one in copies_of(session, ticket_id)],
        "links": [_link(one) for one in links_of(session, ticket_id)],
    }


def deliveries_to_show(session: Session, number: str, comment_id: int) -> dict[str, Any]:
    """Return how one answer went out, for the part of the page that is fetched again."""
    ticket = get_ticket(session, number, deleted=True)
    found = deliveries_of(session, [comment_id]).get(comment_id, [])
    return {"number": ticket.ticket_number, "comment_id": comment_id, "delivery": shown_deliveries(found)}


def shown_deliveries(found: Sequence[Delivery]) -> dict[str, Any]:
    """Show how an answer went out: to whom, and all in all. `state` is sent, bad, pending or dropped.

    Whoever fared alike is in one entry of `to`, unless something can be done about each.
    """
    states = {one.state for one in found}
    state = "bad" if states & BAD else "pending" if states & PENDING else "sent" if OutboundState.SENT in states else ""
    return {
        "state": state or "dropped",
        "at": max((one.at for one in found), default=None),
        "people": len(found),
        "to": _alike(found, all_well=states == {OutboundState.SENT}),
    }


def send_again(session: Session, number: str, message_id: int) -> None:
    """Send an answer of a ticket to somebody once more. Raises NotFoundError for one of another ticket."""
    ticket = get_ticket(session, number)
    its = select(OutboundMessage.id).where(OutboundMessage.id == message_id, OutboundMessage.ticket_id == ticket.id)
    if session.scalar(its) is None:
        raise NotFoundError(_("This ticket has no such message."))
    resend(session, message_id)


def message_of(session: Session, number: str, inbound_id: int) -> InboundMessage:
    """Load a message that has to do with a ticket. Raises NotFoundError."""
    ticket = get_ticket(session, number, deleted=True)
    wanted = select(InboundMessage).where(InboundMessage.id == inbound_id, InboundMessage.ticket_id == ticket.id)
    found = session.scalar(wanted)
    if found is None:
        raise NotFoundError(_("This ticket has no such message."))
    return found


def shown_message(message: InboundMessage, number: str | None) -> dict[str, Any]:
    """Show a message of the ledger to an agent, with what can be decided about it."""
    return {
        "id": message.id,
        "state": message.state.value,
        "reason": message.reason,
        "sender": message.sender,
        "subject": message.subject,
        "size": message.size,
        "created_at": message.created_at,
        "ticket": number,
        "can_release": message.state in LET_IN,
        "can_reject": message.state in TURNED_AWAY,
    }


def _alike(found: Sequence[Delivery], *, all_well: bool) -> list[dict[str, Any]]:
    entries: dict[object, list[Delivery]] = {}
    resendable = {one.id for one in found if one.can_be_resent and (all_well or one.state is not OutboundState.SENT)}
    for one in found:
        entries.setdefault(one.id if one.id in resendable else (one.state, one.words), []).append(one)
    return [
        {
            "id": first.id,
            "recipients": [one.recipient for one in (first, *others)],
            "state": first.state.value,
            "words": first.words,
            "at": max(one.at for one in (first, *others)),
            "can_resend": first.id in resendable,
        }
        for first, *others in entries.values()
    ]


def _came(session: Session, ticket_id: int, comment_ids: Sequence[int]) -> Sequence[Any]:
    """Return what came for a ticket: what waits, and what became its first message or one of these comments."""
    it = InboundMessage
    about = it.id, it.comment_id, it.state, it.sender, it.subject, it.reason, it.created_at
    is_shown = or_(it.comment_id.is_(None), in_array(it.__table__.c.comment_id, comment_ids))
    wanted = or_(it.state == MailState.SUSPENDED, it.state.in_(FILED) & is_shown)
    return session.execute(select(*about).where(it.ticket_id == ticket_id, wanted).order_by(it.id)).all()


def _waits(row: Any) -> Mapping[str, Any]:  # noqa: ANN401 - of `_came`
    names = "id", "sender", "subject", "reason", "created_at"
    return {name: getattr(row, name) for name in names}


def _link(one: Linked) -> dict[str, Any]:
    is_follow_up = one.kind is TicketLinkKind.FOLLOW_UP
    return {
        "number": one.ticket.ticket_number,
        "title": one.ticket.title,
        "status": one.ticket.status.value,
        "is_deleted": one.ticket.deleted_at is not None,
        "kind": "related" if not is_follow_up else "followed_by" if one.follows else "follows",
    }
