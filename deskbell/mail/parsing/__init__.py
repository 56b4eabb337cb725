"""Reading mail: raw bytes in, a frozen `ParsedMail` out, whatever the bytes are. No database, no clock, no network."""

from deskbell.mail.parsing.model import (
    Address,
    DeliveryAction,
    DeliveryReport,
    MailKind,
    ParsedAttachment,
    ParsedMail,
    ReportedRecipient,
)
from deskbell.mail.parsing.parser import parse
from deskbell.mail.parsing.quotes import Split, split_reply
from deskbell.mail.parsing.signatures import split_signature

__all__ = [
    "Address",
    "DeliveryAction",
    "DeliveryReport",
    "MailKind",
    "ParsedAttachment",
    "ParsedMail",
    "ReportedRecipient",
    "Split",
    "parse",
    "split_reply",
    "split_signature",
]
