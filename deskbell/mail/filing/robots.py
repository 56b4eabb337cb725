"""What no person wrote: it is kept beside the ticket that it answers, and never answered (RFC 3834)."""

import re
from typing import Final

from sqlalchemy import exists, select

from deskbell.mail.filing.incoming import Incoming, Verdict
from deskbell.mail.filing.threads import thread_of
from deskbell.mail.inbound.models import MailState
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.mail.parsing import MailKind

WRITTEN_BY_PEOPLE: Final = frozenset({MailKind.PERSON, MailKind.LIST})
"""A desk's own address is often a group: whatever a customer sends through it bears the signs of a list."""
_NOBODY: Final = re.compile(
    r"(?:(?:do[-_.]?)?(?:no|not)[-_.]?reply|(?:mailer|mail)[-_.]?daemon|mdaemon|postmaster|bounces?|auto[-_.]?reply)"
    r"(?:[-_.+=0-9].*)?@.*",
    re.IGNORECASE,
)


def robot(incoming: Incoming) -> Verdict | None:
    """Say that a program sent it, or that it is a message of ours that came back; None for what a person wrote."""
    if incoming.is_released:
        return None
    if is_our_own(incoming):
        reason = "It is our own message, which came back."
    elif incoming.parsed.kind not in WRITTEN_BY_PEOPLE:
        told = incoming.parsed.automatic_reason or incoming.parsed.kind.value.replace("_", " ")
        reason = f"No person sent this: {told}."
    elif incoming.wants_no_answer:
        reason = "No person sent this: its envelope names no sender."
    else:
        return None
    thread = thread_of(incoming)
    return Verdict(MailState.AUTOMATIC, reason, thread.ticket if thread else None)


def is_our_own(incoming: Incoming) -> bool:
    """Whether we sent the message: it has the Message-ID of one in the outbox."""
    name = incoming.message.message_id
    sent = exists().where(OutboundMessage.message_id == f"<{name}>")
    return bool(name and incoming.session.scalar(select(sent)))


def reads_nothing(address: str) -> bool:
    """Whether nobody reads what is sent to an address, as its name (no-reply@, mailer-daemon@, …) tells."""
    return bool(_NOBODY.fullmatch(address))
