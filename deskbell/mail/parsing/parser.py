"""`parse`: the one way in."""

from typing import Final

from deskbell.kernel.text import clean, one_line
from deskbell.mail.parsing import markup
from deskbell.mail.parsing.automatic import automatic_reason, kind_of
from deskbell.mail.parsing.contents import Contents, read_contents
from deskbell.mail.parsing.headers import (
    Headers,
    addresses,
    date,
    decoded,
    field,
    message_id,
    message_ids,
    recipients_seen,
)
from deskbell.mail.parsing.model import MailKind, ParsedMail
from deskbell.mail.parsing.new_markup import new_part
from deskbell.mail.parsing.quotes import split_reply
from deskbell.mail.parsing.reports import delivery_report
from deskbell.mail.parsing.structure import Walk

_MAX_DEFECTS: Final = 50


def parse(raw: bytes) -> ParsedMail:
    """Read a message (RFC 5322, MIME). Never raises, whatever the bytes; `defects` tells what was wrong.

    Takes two seconds at most, also for 50 MB, and in memory up to four times the message beyond its own bytes. Of text
    beyond five million bytes, and HTML beyond a million characters, the beginning is read and all of it an attachment.
    """
    walk = Walk(raw)
    contents = read_contents(walk)
    headers = walk.headers
    split = split_reply(contents.text, contents.marks)
    kind = kind_of(headers)
    senders = addresses(headers, "From") or addresses(headers, "Sender")
    return ParsedMail(
        message_id=message_id(field(headers, "Message-ID")),
        in_reply_to=next(iter(message_ids(field(headers, "In-Reply-To"))), None),
        references=message_ids(field(headers, "References")),
        sender=senders[0] if senders else None,
        reply_to=addresses(headers, "Reply-To"),
        to=addresses(headers, "To"),
        cc=addresses(headers, "Cc"),
        subject=decoded(field(headers, "Subject")),
        date=date(field(headers, "Date")),
        text=contents.text,
        new_text=split.new,
        folded_text=split.folded,
        html=contents.html,
        attachments=tuple(contents.attachments),
        automatic_reason=automatic_reason(headers),
        defects=_defects(headers, walk, contents),
        new_html=_new_html(contents, split.new),
        html_with_images=_html_with_images(contents),
        kind=kind,
        delivery_report=delivery_report(headers, contents.text, contents.attachments)
        if kind is MailKind.BOUNCE
        else None,
        recipients_seen=recipients_seen(headers),
    )


def _new_html(contents: Contents, new_text: str) -> str | None:
    if contents.page is None:
        return None
    part = new_part(contents.page, contents.rendered, new_text)
    if part is None or part is contents.page:
        return contents.html if part else None
    return markup.sanitised(part)


def _html_with_images(contents: Contents) -> str | None:
    has_images = contents.page is not None and markup.has_remote_images(contents.page)
    return markup.with_remote_images(contents.page) if contents.page and has_images else None


def _defects(headers: Headers, walk: Walk, contents: Contents) -> tuple[str, ...]:
    """Return each defect once, those of the headers first."""
    missing = [f"it has no {name}" for name in ("From", "Date", "Message-ID") if not field(headers, name).strip()]
    if field(headers, "Date").strip() and date(field(headers, "Date")) is None:
        missing.append(f"its date makes no sense: {one_line(field(headers, 'Date'), 60)}")
    several = [f"it has several {name} fields" for name in ("From", "Subject") if len(headers.get_all(name, [])) > 1]
    found = dict.fromkeys(clean(each) for each in (*missing, *several, *walk.defects, *contents.defects))
    return tuple(found)[:_MAX_DEFECTS]
