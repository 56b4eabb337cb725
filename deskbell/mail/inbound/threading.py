"""Which conversation a message belongs to, as far as its headers tell (RFC 5322 3.6.4). The caller looks them up."""

import re
from typing import Final

from deskbell.mail.parsing import ParsedMail

_MAX_NUMBERS: Final = 10
_MAX_CHAIN: Final = 50
_MAX_SUBJECT: Final = 20_000  # characters looked at

# What mail programs put before the subject of a reply or a forwarded message, in the languages that have their own.
_REPLY_WORDS: Final = (
    "re|ref|fwd?|aw|antw|antwort|wg|sv|vs|vb|vl|bls|doorst|rv|tr|rép|res|enc|rif|odp|pd|ynt|ilt|atb|ats|hl|továbbítás|"
    "回复|答复|转发|回覆|轉寄|返信|转寄|답장|전달|απ|σχετ|πρθ|отв|пер"
)
_COUNT: Final = r"(?:[\[(]\d{1,3}[\])]|[\^*]\d{1,3})?"  # RE[2]: Re(3): Re^2: Re*4:
_REPLY_MARK: Final = re.compile(rf"\s*(?:{_REPLY_WORDS})\s?{_COUNT}\s?[:：]", re.IGNORECASE)


def ticket_numbers_in(subject: str, prefix: str) -> tuple[str, ...]:
    """Return the ticket numbers that stand as whole words in `subject`, in order, each once, at most 10.

    `[DB-1042]` and `Re: db-1042: …` have one with the prefix "DB-", `XDB-1042` and `MY-DB-1042-3` have none.
    """
    number = re.compile(rf"(?<![\w-]){re.escape(prefix)}([0-9]{{1,18}})(?!\w|-\w)", re.IGNORECASE)
    return tuple(dict.fromkeys(prefix + found[1] for found in number.finditer(subject[:_MAX_SUBJECT])))[:_MAX_NUMBERS]


def reference_chain(parsed: ParsedMail) -> tuple[str, ...]:
    """Return the ids of the messages that this one may answer, nearest first, at most 50; never its own.

    RFC 5322 3.6.4: In-Reply-To names the parent, References the thread from its beginning to the parent.
    """
    parent = (parsed.in_reply_to,) if parsed.in_reply_to else ()
    chain = dict.fromkeys((*parent, *reversed(parsed.references)))
    return tuple(each for each in chain if each != parsed.message_id)[:_MAX_CHAIN]


def clean_subject(subject: str, prefix: str = "") -> str:
    """Return the subject without `Re:`, `Fwd:`, `AW:`, `RE[2]:` and the like before it, however many.

    With the prefix of the ticket numbers our own marker (`[DB-1042]` anywhere, `DB-1042:` in front) goes too.
    """
    if prefix:
        number = rf"{re.escape(prefix)}[0-9]{{1,18}}"
        subject = re.sub(rf"\[{number}\]", " ", subject, flags=re.IGNORECASE)
        in_front = re.compile(rf"\s*{number}\s?[:：]", re.IGNORECASE)
    else:
        in_front = _REPLY_MARK
    position = 0
    while mark := _REPLY_MARK.match(subject, position) or in_front.match(subject, position):
        position = mark.end()
    return " ".join(subject[position:].split())
