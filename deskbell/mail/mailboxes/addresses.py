"""Signed reply addresses: `support+<ticket>-<person>-<mark>@example.org` says which ticket an answer belongs to.

Only who was written to knows the address, so it lets in where a number in a subject does not. Nothing is kept of it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from deskbell.kernel.crypto import derive
from deskbell.kernel.reach import Reach

_MARK_BYTES: Final = 10
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAGGED: Final = re.compile(r"[^@\s]+\+([0-9a-z]{1,13})-([0-9a-z]{1,13})-([a-z2-7]{16})@[^@\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """What a signed address says: the ticket, and the person it was given to; None for somebody without an account."""

    ticket_id: int
    user_id: int | None


def reply_address(reach: Reach, mailbox: str, ticket_id: int, user_id: int | None) -> str:
    """Return the address at `mailbox` to which answers of `user_id` to the ticket come; lower case will do."""
    name, _, domain = mailbox.rpartition("@")
    tag = f"{_written(ticket_id)}-{_written(user_id or 0)}"
    return f"{name}+{tag}-{_mark(reach, tag)}@{domain}"


def reply_to_of(reach: Reach, addresses: Iterable[str]) -> ReplyTo | None:
    """Return what the first of these addresses that we signed says; None where there is none."""
    for address in addresses:
        found = _TAGGED.fullmatch(address.strip())
        if found is None:
            continue
        ticket, person, mark = (part.lower() for part in found.groups())
        if hmac.compare_digest(mark, _mark(reach, f"{ticket}-{person}")):
            return ReplyTo(int(ticket, 36), int(person, 36) or None)
    return None


def without_tag(address: str) -> str:
    """Return the address without what stands after a plus sign in its name (RFC 5233)."""
    name, at, domain = address.rpartition("@")
    return f"{name.partition('+')[0]}{at}{domain}"


def _mark(reach: Reach, tag: str) -> str:
    key = derive(reach.key, f"reply-address/{reach.link_generation}").encode()
    digest = hmac.digest(key, tag.encode(), hashlib.sha256)[:_MARK_BYTES]
    return base64.b32encode(digest).decode().lower()


def _written(number: int) -> str:
    """Write a number in base 36: what `int(text, 36)` reads."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
