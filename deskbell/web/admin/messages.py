"""What the pages of the inbound ledger show, as functions over a session."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User, display_name
from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.paging import SortKey
from deskbell.kernel.plans import plan_for_values
from deskbell.mail.inbound.decisions import LET_IN, TURNED_AWAY
from deskbell.mail.inbound.errors import NoSuchMailError
from deskbell.mail.inbound.models import Arrival, InboundMessage, MailState
from deskbell.mail.inbound.queries import COUNTED, FILED, counts_by_state, messages
from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder
from deskbell.mail.mailboxes.queries import mailboxes
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import get_ticket
from deskbell.web.admin.listing import days, whole
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked, number
from deskbell.web.pages import originals
from deskbell.web.pages.pager import Pager
from deskbell.web.worded import worded

NEWEST_FIRST: Final = (SortKey(InboundMessage.id, descending=True),)
ARRIVALS_SHOWN: Final = 20
STATES: Final = {
    MailState.RECEIVED: marked("Not read yet"),
    MailState.TICKET: marked("New ticket"),
    MailState.COMMENT: marked("Reply"),
    MailState.AUTOMATIC: marked("Automatic"),
    MailState.BOUNCE: marked("Bounce"),
    MailState.DUPLICATE: marked("Duplicate"),
    MailState.SUSPENDED: marked("Suspended"),
    MailState.REJECTED: marked("Turned away"),
    MailState.FAILED: marked("Failed"),
}
REPLAYED: Final = frozenset({MailState.FAILED, MailState.SUSPENDED})
"""States of which all messages can be read again at once."""
_STUCK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages, as it was typed."""

    state: MailState | None
    mailbox: str
    words: str
    ticket: str
    since: date | None
    until: date | None


def message_list(session: Session, wanted: Filters, pager: Pager, zone: str) -> dict[str, Any]:
    """Return a page of the ledger, with how many there are in each state; where a filter cannot be read, why not."""
    plan_for_values(session)
    context: dict[str, Any] = {
        "filters": {
            "state": wanted.state or "",
            "mailbox": wanted.mailbox,
            "words": wanted.words,
            "ticket": wanted.ticket,
            "since": wanted.since or "",
            "until": wanted.until or "",
        },
        "states": STATES,
        "counts": {state: _counted(count) for state, count in counts_by_state(session).items()},
        "mailboxes": [{"value": str(one.id), "label": one.name} for one in session.scalars(mailboxes())],
        "is_filtered": pager.is_filtered,
        "errors": {},
    }
    try:
        ticket_id = get_ticket(session, wanted.ticket, deleted=True).id if wanted.ticket.strip() else None
    except DeskbellError as error:
        return context | {"errors": {"ticket": worded(error)}, "page": pager.rows([], None)}
    since, until = days(wanted.since, wanted.until, zone)
    statement = messages(
        wanted.state, mailbox_id=whole(wanted.mailbox), since=since, until=until, words=wanted.words
    ).order_by(None)
    if ticket_id is not None:
        statement = statement.where(InboundMessage.ticket_id == ticket_id)
    return context | {"page": pager.read(session, _joined(statement), NEWEST_FIRST, _row)}


def message_page(session: Session, message_id: int) -> dict[str, Any]:
    """Return a message with its headers and how it came, and all of it as `raw` where it can be read."""
    row = session.execute(_joined(select(InboundMessage)).where(InboundMessage.id == message_id)).one_or_none()
    if row is None:
        raise NoSuchMailError(_("There is no message %(number)s.") % {"number": message_id})
    message: InboundMessage = row.InboundMessage
    decider = session.get(User, message.released_by_id) if message.released_by_id else None
    return {
        "message": _row(row)
        | {
            "source": message.source,
            "sha256": message.sha256,
            "decider": decider and {"id": decider.id, "name": display_name(decider)},
            "can_release": message.state in LET_IN,
            "can_reject": message.state in TURNED_AWAY,
            "can_replay": message.state not in {*FILED, MailState.RECEIVED},
        },
        "headers": originals.headers_of(session, message_id),
        "arrivals": _arrivals(session, message_id),
        "raw": originals.raw_of(session, message_id) if message.size <= originals.SHOWN_BYTES else b"",
        "states": STATES,
    }


def stuck(session: Session) -> dict[MailState, int]:
    """Return how many messages are suspended and failed, counted up to 1,000. One statement."""
    states = (MailState.SUSPENDED, MailState.FAILED)
    some = (select(InboundMessage.id).where(InboundMessage.state == state).limit(_STUCK).subquery() for state in states)
    counts = session.execute(select(*(select(func.count()).select_from(one).scalar_subquery() for one in some))).one()
    return dict(zip(states, counts, strict=True))


def _counted(count: int) -> str:
    return _("%(number)s+") % {"number": number(COUNTED)} if count > COUNTED else number(count)


def _joined(statement: Select[InboundMessage]) -> Select[InboundMessage, str, str, int]:
    """Add the ticket's number, the mailbox's name, and the id that pages are cut by."""
    columns = InboundMessage, Ticket.ticket_number, Mailbox.name.label("mailbox"), InboundMessage.id
    with_ticket = statement.outerjoin(Ticket, Ticket.id == InboundMessage.ticket_id)
    return with_ticket.outerjoin(Mailbox, Mailbox.id == InboundMessage.mailbox_id).with_only_columns(
        *columns, maintain_column_froms=True
    )


def _arrivals(session: Session, message_id: int) -> list[dict[str, Any]]:
    joined = select(Arrival, Mailbox.name.label("mailbox"), MailboxFolder.name.label("folder")).outerjoin(
        Mailbox, Mailbox.id == Arrival.mailbox_id
    )
    its = joined.outerjoin(MailboxFolder, MailboxFolder.id == Arrival.folder_id).where(Arrival.inbound_id == message_id)
    return [
        {
            "at": arrival.created_at,
            "source": arrival.source,
            "mailbox": mailbox,
            "folder": folder,
            "uid": arrival.uid,
            "envelope_from": arrival.envelope_from,
            "envelope_to": arrival.envelope_to,
        }
        for arrival, mailbox, folder in session.execute(its.order_by(Arrival.id).limit(ARRIVALS_SHOWN))
    ]


def _row(row: Any) -> dict[str, Any]:  # noqa: ANN401 - of `_joined`
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
        "mailbox": row.mailbox,
        "mailbox_id": message.mailbox_id,
        "created_at": message.created_at,
        "sent_at": message.sent_at,
        "filed_at": message.filed_at,
    }
