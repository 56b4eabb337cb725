"""What a message says once it is read. Every string is fit for PostgreSQL: no NUL, no lone surrogate."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MailKind(StrEnum):
    """Who or what wrote a message, as far as it says so (RFC 3834)."""

    PERSON = "person"
    AUTO_REPLY = "auto_reply"
    """A program's answer to a message of ours: out of office, a vacation notice, an acknowledgement."""
    BOUNCE = "bounce"
    """A mail server's word on what became of a message of ours, `delivery_report` says which as far as it tells."""
    LIST = "list"
    """Passed on by a mailing list or a group. A person may have written it."""
    BULK = "bulk"
    """Sent by a program that nobody asked: newsletters, notifications, monitoring."""


class DeliveryAction(StrEnum):
    """What became of a message on its way to one recipient (RFC 3464 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient of a delivery report.

    `status` is an enhanced status code (RFC 3463: "5.1.1") or empty; `diagnostic` the other server's words on one line,
    at most 500 characters, or empty. `address` as in `Address.email`.
    """

    address: str
    action: DeliveryAction
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a mail server says of a message that it was to deliver (RFC 3464, and the forms that are older than it).

    `recipients` are those it names, at most 1000; it may be empty. `original_message_id` is that of the message
    reported on, without angle brackets, None where the report does not bring its headers along.
    """

    recipients: tuple[ReportedRecipient, ...]
    original_message_id: str | None

    @property
    def failed(self) -> tuple[ReportedRecipient, ...]:
        """Those whom the message will never reach."""
        return tuple(each for each in self.recipients if each.action is DeliveryAction.FAILED)


@dataclass(frozen=True, slots=True)
class Address:
    """`email` as it was written (case kept, not validated, at most 320 characters), `name` on one line or empty."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """A file that came along, decoded.

    `file_name` is safe to show and to save, never empty. `content_id` comes without angle brackets, as in `cid:…`.
    `is_inline` says that the message's HTML shows the file by that id.
    """

    file_name: str
    media_type: str
    content: bytes
    content_id: str | None = None
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One message.

    Message ids come without angle brackets, at most 998 characters each; `references` stand as in the header, oldest
    first. `text` is all that can be read, and where nothing is written what a calendar, an encrypted or a forwarded
    message says of itself; `new_text` is what the person wrote now, `folded_text` the quotes, signature and list footer
    around it: together they lose nothing of `text` but white space. A message that only quotes or forwards is all new.

    `html` is safe to show and loads nothing from outside; `cid:` images stay in it. `html_with_images` is the same with
    the images that lie on other people's servers (`https:` only), for a reader who asks for them; None where there are
    none. `new_html` is the part of `html` that says what `new_text` says, None where that is not certain or there is no
    HTML.

    `kind` says who or what wrote; `automatic_reason` is the field that tells that no person sent this, or empty.
    `delivery_report` is what a bounce says, None for everything else. `recipients_seen` are the addresses, as written,
    each once whatever its case, that Delivered-To, X-Original-To, Envelope-To, To, Cc and Resent-To name, in this
    order. `defects` say what was wrong with the message and what was made of it.
    """

    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: datetime | None
    text: str
    new_text: str
    folded_text: str
    html: str | None
    attachments: tuple[ParsedAttachment, ...]
    automatic_reason: str
    defects: tuple[str, ...]
    new_html: str | None
    html_with_images: str | None
    kind: MailKind
    delivery_report: DeliveryReport | None
    recipients_seen: tuple[str, ...]

    @property
    def automatic(self) -> bool:
        """Whether a program sent this: an automatic reply, a bounce, a list or a bulk mailing."""
        return bool(self.automatic_reason)

    @property
    def remote_images(self) -> bool:
        """Whether the HTML wants to show images from other people's servers."""
        return self.html_with_images is not None
