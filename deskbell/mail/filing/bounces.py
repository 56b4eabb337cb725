"""Delivery reports (RFC 3464): what other servers say became of messages of ours."""

from typing import Final

from sqlalchemy import select

from deskbell.kernel.text import one_line
from deskbell.mail.filing.incoming import Incoming, Verdict
from deskbell.mail.inbound.models import MailState
from deskbell.mail.inbound.threading import reference_chain
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.mail.outbound.undelivered import note_bounce
from deskbell.mail.parsing import DeliveryAction, DeliveryReport, MailKind, ReportedRecipient
from deskbell.tickets.models import Ticket

LONGEST_WORDS: Final = 1_000


def bounce(incoming: Incoming) -> Verdict | None:
    """Mark the message that a report is about as bounced and tell the desk; None for what is no report."""
    report = incoming.parsed.delivery_report
    if incoming.parsed.kind is not MailKind.BOUNCE or report is None or incoming.is_released:
        return None
    message, lost = _reported(incoming, report), _lost(report)
    words = one_line(_words(incoming, lost), LONGEST_WORDS)
    if message is None:
        return Verdict(MailState.BOUNCE, f"It is about a message that we did not send: {words}")
    ticket = incoming.session.get(Ticket, message.ticket_id) if message.ticket_id else None
    if not lost and report.recipients:
        return Verdict(MailState.AUTOMATIC, f"Our message is on its way: {words}", ticket, None, message.id)
    note_bounce(incoming.session, message.id, words, incoming.resources.clock.now())
    return Verdict(MailState.BOUNCE, f"Our message to {message.recipient} came back: {words}", ticket, None, message.id)


def _reported(incoming: Incoming, report: DeliveryReport) -> OutboundMessage | None:
    """Return the message that the report is about: by the Message-ID in it, else by what it answers."""
    named = (report.original_message_id,) if report.original_message_id else ()
    for name in (*named, *reference_chain(incoming.parsed)):
        known = select(OutboundMessage).where(OutboundMessage.message_id == f"<{name}>")
        message = incoming.session.scalars(known).first()
        if message is not None:
            return message
    return None


def _lost(report: DeliveryReport) -> tuple[ReportedRecipient, ...]:
    return tuple(each for each in report.recipients if each.action is DeliveryAction.FAILED)


def _words(incoming: Incoming, lost: tuple[ReportedRecipient, ...]) -> str:
    """Say it as the server does, of the first recipient; where it says nothing, the subject must do."""
    report = incoming.parsed.delivery_report
    told = lost or (report.recipients if report else ())
    words = f"{told[0].status} {told[0].diagnostic}".strip() if told else ""
    action = f"{told[0].action.value}" if told and not lost else ""
    return ": ".join(each for each in (action, words or incoming.parsed.subject or "no words") if each)
