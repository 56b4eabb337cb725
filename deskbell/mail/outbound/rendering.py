"""From a letter to texts, and from a row of the outbox to the bytes that a server takes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from deskbell.kernel.languages import current, preferred, speaking
from deskbell.mail.outbound.letters import Facts, Letter, letter_of
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage

_TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter as it is read."""

    subject: str
    text: str
    html: str


def render(kind: OutboundKind, facts: Facts, locale: str) -> Rendered:
    """Write a message in the recipient's language, or in English where we have none of theirs."""
    with speaking(preferred("", locale.replace("_", "-"))):
        letter = letter_of(kind, facts)
        return Rendered(letter.subject, _filled("letter.txt", letter).strip() + "\n", _filled("letter.html", letter))


def mime_of(message: OutboundMessage, sender: str, at: datetime) -> bytes:
    """Build the message of RFC 5322, text and HTML. No value can begin another header: `email.policy` refuses it."""
    mail = EmailMessage(SMTPUTF8 if not message.recipient.isascii() else SMTP)
    mail["From"] = _mailbox(sender)
    mail["To"] = Address(addr_spec=message.recipient)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message.message_id
    if message.in_reply_to:
        mail["In-Reply-To"] = message.in_reply_to
        mail["References"] = " ".join(message.thread)
    if message.reply_to:
        mail["Reply-To"] = _mailbox(message.reply_to)
    if message.kind is not OutboundKind.ANSWERED:  # a person wrote that
        is_answer = message.kind is OutboundKind.RECEIVED
        mail["Auto-Submitted"] = "auto-replied" if is_answer else "auto-generated"  # RFC 3834, 5
    mail["X-Auto-Response-Suppress"] = "All"  # what Exchange heeds instead
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    mail.set_boundary(hashlib.sha256(f"boundary {message.message_id}".encode()).hexdigest())  # twice the same message
    return mail.as_bytes()


def address_of(mailbox: str) -> str:
    """Return the bare address of `Help <help@example.org>`: who the envelope says it is from."""
    return parseaddr(mailbox)[1]


def _mailbox(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(name, addr_spec=address)


def _filled(name: str, letter: Letter) -> str:
    return _environment().get_template(name).render(letter=letter, language=current())


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
