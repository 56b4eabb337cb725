"""What stands in the header of a message, by its kind: from whom, to whom, what it answers, and who wrote it."""

from email.headerregistry import Address
from typing import Final

from sqlalchemy.orm import Session

from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.outbound.enclosures import enclosed_with
from deskbell.mail.outbound.mime import Mail, date_header, mailbox_header
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage

_SUPPRESS: Final = "DR, RN, NRN, OOF, AutoReply"
"""What Exchange is not to answer with ([MS-OXCMAIL] 2.2.3.2.14): all but that it could not deliver."""


def mail_of(session: Session, message: OutboundMessage, mailbox: Mailbox | None) -> Mail:
    """Return a message as it is written: the same each time that it is handed over."""
    reach = resources_of(session).reach
    sender = Address(mailbox.name, addr_spec=mailbox.address) if mailbox else mailbox_header(reach.sender)
    to, *others = message.copies or [message.recipient]
    headers: dict[str, str | Address | tuple[Address, ...]] = {
        "From": sender,
        "To": Address(addr_spec=to),
        "Cc": tuple(Address(addr_spec=each) for each in others),
        "Subject": message.subject,
        "Date": date_header(message.created_at),
        "Message-ID": message.message_id or "",
        "In-Reply-To": message.in_reply_to or "",
        "References": " ".join(message.thread),
        "Reply-To": mailbox_header(message.reply_to) if message.reply_to else "",
        **_by_whom(message.kind),
    }
    addresses = (sender.addr_spec, message.recipient, to, *others, message.reply_to)
    return Mail(
        {name: value for name, value in headers.items() if value},
        message.text,
        message.html,
        enclosed_with(session, message).files(message.html),
        is_international=not all(address.isascii() for address in addresses),
    )


def _by_whom(kind: OutboundKind) -> dict[str, str]:
    """Say whether a person wrote it. Programs that answer are to leave all of it alone (RFC 3834, 2 and 5)."""
    if kind is OutboundKind.ANSWERED:
        return {"X-Auto-Response-Suppress": _SUPPRESS}
    what = "auto-replied" if kind is OutboundKind.RECEIVED else "auto-generated"
    bulk = {"Precedence": "bulk"} if kind.is_notice else {}
    return {"Auto-Submitted": what, **bulk, "X-Auto-Response-Suppress": _SUPPRESS}
