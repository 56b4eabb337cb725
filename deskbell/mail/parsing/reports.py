"""What a mail server says became of a message of ours: RFC 3464, and the forms that qmail, Exim and Exchange write."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from deskbell.kernel.text import one_line
from deskbell.mail.parsing.charsets import decode
from deskbell.mail.parsing.headers import Headers, addresses_in, decoded, field, message_id, message_ids
from deskbell.mail.parsing.model import DeliveryAction, DeliveryReport, ParsedAttachment, ReportedRecipient
from deskbell.mail.parsing.structure import read_headers

_MAX_READ: Final = 200_000  # bytes or characters of a report
_MAX_RECIPIENTS: Final = 1_000
_MAX_STATUS_PARTS: Final = 3
_MAX_DIAGNOSTIC: Final = 500
_STATUS_PARTS: Final = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED: Final = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}

_BLANK: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]*(?:\r\n|\n|\r)")
_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REFUSED: Final = re.compile(r"(?<![\d.])5\d\d(?![\d.])")
_COPY: Final = re.compile(  # above what comes back
    r"^[- ]*(?:-{2,} ?(?:Below this line is a copy of|This is a copy of|Original message|Message header|"
    r"Returned message|The body of the message|Forwarded message|Unsent message|Ursprüngliche)|"
    r"Received: |Return-Path: )",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_ID: Final = re.compile(r"^[> \t]*Message-ID:\s*(<[^<>\s]{1,998}>)", re.IGNORECASE | re.MULTILINE)
_NAMED: Final = re.compile(
    r"^[ \t>*]*<?([^\s<>@:;,]{1,64}@[^\s<>:;,]{1,255})>?(?:[ \t]*\([^)\n]*\))?:?[ \t]*(.*)$", re.MULTILINE
)
_DELAYED: Final = re.compile(
    r"delay|verzöger|retard|warning: (?:message|could not send)|still being retried", re.IGNORECASE
)


def delivery_report(headers: Headers, text: str, files: Sequence[ParsedAttachment]) -> DeliveryReport:
    """Read the report of a message that is one; what it does not say in any known form stays empty."""
    recipients = list(_from_status_parts(files)) or list(_from_words(headers, text[:_MAX_READ]))
    seen: dict[str, ReportedRecipient] = {}
    for each in recipients:
        seen.setdefault(each.address.lower(), each)
    return DeliveryReport(tuple(seen.values())[:_MAX_RECIPIENTS], _original_id(headers, text, files))


# --- RFC 3464


def _from_status_parts(files: Iterable[ParsedAttachment]) -> Iterator[ReportedRecipient]:
    status_parts = (file for file in files if file.media_type in _STATUS_PARTS)
    for file in islice(status_parts, _MAX_STATUS_PARTS):
        for block in _BLANK.split(file.content[:_MAX_READ], _MAX_RECIPIENTS + 1):
            fields, _ = read_headers(block.lstrip(), 0, len(block))
            yield from _recipient(fields)


def _recipient(fields: Headers) -> Iterator[ReportedRecipient]:
    """Read the fields about one recipient (2.3); those about the message as a whole name no recipient."""
    address = _typed_address(fields, "Original-Recipient") or _typed_address(fields, "Final-Recipient")
    action = one_line(field(fields, "Action"), 40).partition(" ")[0].lower()
    if address and action in set(DeliveryAction):
        status = _STATUS.search(field(fields, "Status"))
        words = decoded(field(fields, "Diagnostic-Code")).partition(";")
        diagnostic = one_line(words[2] or words[0], _MAX_DIAGNOSTIC)
        yield ReportedRecipient(address, DeliveryAction(action), status[1] if status else "", diagnostic)


def _typed_address(fields: Headers, name: str) -> str:
    """Return the address of a field like `rfc822; anna@example.com`."""
    kind, _, value = field(fields, name)[:_MAX_DIAGNOSTIC].rpartition(";")
    found = addresses_in(value) if kind.strip().lower() in {"", "rfc822", "utf-8"} else ()
    return found[0].email if found else ""


# --- words


def _from_words(headers: Headers, text: str) -> Iterator[ReportedRecipient]:
    """Read who is named above the copy of the message, with what is said beneath the name."""
    copy = _COPY.search(text)
    said = text[: copy.start()] if copy else text
    names = list(_NAMED.finditer(said))[:_MAX_RECIPIENTS]
    own = {each.email.lower() for each in addresses_in(field(headers, "From"))}
    failed = [each.email for each in addresses_in(field(headers, "X-Failed-Recipients"))]
    action = _action(headers, said) if not failed else DeliveryAction.FAILED
    ends = [*(each.start() for each in names[1:]), len(said)]
    for name, end in zip(names, ends, strict=False):
        address = name[1].strip(".'\"")
        if address.lower() not in own:
            yield _worded(address, action, said[name.start(2) : min(end, name.end() + 2_000)])
    yield from (_worded(address, action, "") for address in failed)


def _action(headers: Headers, said: str) -> DeliveryAction:
    delayed = _DELAYED.search(decoded(field(headers, "Subject"))) and not _REFUSED.search(said)
    return DeliveryAction.DELAYED if delayed else DeliveryAction.FAILED


def _worded(address: str, action: DeliveryAction, words: str) -> ReportedRecipient:
    paragraph = words.strip().partition("\n\n")[0]
    status = _STATUS.search(paragraph)
    return ReportedRecipient(address, action, status[1] if status else "", one_line(paragraph, _MAX_DIAGNOSTIC))


# --- the message reported on


def _original_id(headers: Headers, text: str, files: Iterable[ParsedAttachment]) -> str | None:
    """Return the Message-ID in what came back: a part of its own, lines beneath the report, or what it answers."""
    for file in files:
        if file.media_type in _RETURNED:
            returned, _ = read_headers(file.content, 0, min(len(file.content), _MAX_READ))
            if found := message_id(field(returned, "Message-ID")):
                return found
    pieces = [
        text,
        *(decode(each.content[:_MAX_READ], None)[0] for each in files if each.media_type.startswith("text/")),
    ]
    for piece in pieces:
        if quoted := _MESSAGE_ID.search(piece[:_MAX_READ]):
            return message_id(quoted[1])
    answered = (*message_ids(field(headers, "In-Reply-To")), *reversed(message_ids(field(headers, "References"))))
    return next(iter(answered), None)
