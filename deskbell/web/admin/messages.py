"""What the pages of the inbound ledger show, as functions over a session."""

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, undefer

from deskbell.kernel.errors import DeskbellError, NotFoundError
from deskbell.kernel.paging import SortKey
from deskbell.kernel.plans import plan_for_values
from deskbell.kernel.text import clean
from deskbell.mail.models import InboundMessage, MailState
from deskbell.mail.parsing import parse
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import get_ticket
from deskbell.web.admin.listing import Pager
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked

NEWEST_FIRST: Final = (SortKey(InboundMessage.id, descending=True),)
SHOWN_BYTES: Final = 200_000
"""A larger message is not read here: that would take longer than a page may."""
HEADER_BYTES: Final = 64 * 1024
STATES: Final = {
    MailState.RECEIVED: marked("Not read yet"),
    MailState.TICKET: marked("New ticket"),
    MailState.COMMENT: marked("Reply"),
    MailState.DUPLICATE: marked("Duplicate"),
    MailState.AUTOMATIC: marked("Automatic"),
    MailState.SUSPENDED: marked("Suspended"),
    MailState.FAILED: marked("Failed"),
}
_COUNTED: Final = 1_000
_END_OF_HEADERS: Final = re.compile(rb"\r?\n\r?\n|\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages."""

    state: MailState | None
    ticket: str
    message_id: str


def message_list(session: Session, wanted: Wanted, pager: Pager) -> dict[str, Any]:
    """Return a page of the ledger; where a filter cannot be read, why not."""
    plan_for_values(session)
    context: dict[str, Any] = {
        "filters": {"state": wanted.state or "", "ticket": wanted.ticket, "message_id": wanted.message_id},
        "states": STATES,
        "is_filtered": pager.is_filtered,
        "errors": {},
    }
    try:
        ticket_id = get_ticket(session, wanted.ticket, deleted=True).id if wanted.ticket.strip() else None
    except DeskbellError as error:
        return context | {"errors": {"ticket": error.message}, "page": pager.rows([], None)}
    asked = (
        (InboundMessage.state, wanted.state),
        (InboundMessage.ticket_id, ticket_id),
        (InboundMessage.message_id, wanted.message_id.strip().strip("<>") or None),
    )
    conditions = [column == value for column, value in asked if value is not None]
    return context | {"page": pager.read(session, _listed().where(*conditions), NEWEST_FIRST, _row)}


def message_page(session: Session, message_id: int) -> dict[str, Any]:
    """Return a message with its headers, and all of it as `raw` where that is small. Two statements."""
    row = session.execute(_listed().where(InboundMessage.id == message_id)).one_or_none()
    if row is None:
        raise NotFoundError(_("There is no message %(number)s.") % {"number": message_id})
    size = row.InboundMessage.size
    is_small = size <= SHOWN_BYTES
    piece = InboundMessage.raw if is_small else func.substring(InboundMessage.raw, 1, HEADER_BYTES)
    raw: bytes = session.scalar(select(piece).where(InboundMessage.id == message_id)) or b""
    headers = raw[: _first(raw)][:HEADER_BYTES]
    return {
        "message": _row(row) | {"source": row.InboundMessage.source, "sha256": row.InboundMessage.sha256},
        "headers": clean(headers.decode("utf-8", errors="replace")),
        "raw": raw if is_small else b"",
        "states": STATES,
    }


def text_of(raw: bytes) -> str:
    """Return what can be read in a message."""
    return parse(raw).text


def raw_of(session: Session, message_id: int) -> bytes:
    """Return a message as it came. Raises NotFoundError."""
    wanted = select(InboundMessage).where(InboundMessage.id == message_id).options(undefer(InboundMessage.raw))
    found = session.scalar(wanted)
    if found is None:
        raise NotFoundError(_("There is no message %(number)s.") % {"number": message_id})
    return found.raw


def stuck(session: Session) -> dict[MailState, int]:
    """Return how many messages are suspended and failed, counted up to 1,000. One statement."""
    states = (MailState.SUSPENDED, MailState.FAILED)
    some = (
        select(InboundMessage.id).where(InboundMessage.state == state).limit(_COUNTED).subquery() for state in states
    )
    counts = session.execute(select(*(select(func.count()).select_from(one).scalar_subquery() for one in some))).one()
    return dict(zip(states, counts, strict=True))


def _listed() -> Select[InboundMessage, str, int]:
    return select(InboundMessage, Ticket.ticket_number, InboundMessage.id).outerjoin(
        Ticket, Ticket.id == InboundMessage.ticket_id
    )


def _first(raw: bytes) -> int:
    end = _END_OF_HEADERS.search(raw)
    return end.start() if end else len(raw)


def _row(row: Any) -> dict[str, Any]:  # noqa: ANN401 - of `_listed`
    message: InboundMessage = row.InboundMessage
    return {
        "id": message.id,
        "state": message.state.value,
        "reason": message.reason,
        "sender": message.sender,
        "subject": message.subject,
        "message_id": message.message_id,
        "size": message.size,
        "defects": message.defects,
        "ticket": row.ticket_number,
        "created_at": message.created_at,
        "sent_at": message.sent_at,
        "filed_at": message.filed_at,
    }
