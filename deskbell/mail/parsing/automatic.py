"""Whether a program sent a message. Answering one that a program sent is how mail loops begin (RFC 3834)."""

import re
from collections.abc import Callable
from typing import Final

from deskbell.kernel.text import one_line
from deskbell.mail.parsing.headers import Headers, field

_LIST_OR_BULK: Final = {"bulk", "junk", "list", "auto_reply", "auto-reply"}
_DAEMON: Final = re.compile(r"(mailer-daemon|postmaster)@", re.IGNORECASE)


def _anything(value: str) -> bool:
    return bool(value)


# Header field → when it tells that no person wrote the message. The first that does is the reason.
_SIGNS: Final[dict[str, Callable[[str], bool]]] = {
    "Auto-Submitted": lambda value: bool(value) and value != "no",  # RFC 3834 5
    "X-Auto-Response-Suppress": lambda value: bool(value) and value != "none",  # MS-OXCMAIL 2.1.3.2.20
    "Precedence": lambda value: value in _LIST_OR_BULK,
    "List-Id": _anything,  # RFC 2919
    "List-Unsubscribe": _anything,  # RFC 2369
    "X-Autoreply": lambda value: bool(value) and value != "no",
    "X-Autorespond": _anything,
    "X-Failed-Recipients": _anything,
    "Return-Path": lambda value: value == "<>",  # RFC 5321 4.5.5: bounces and other notifications
    "Content-Type": lambda value: value.startswith("multipart/report"),  # RFC 6522
    "From": lambda value: bool(_DAEMON.search(value)),
}


def automatic_reason(headers: Headers) -> str:
    """Return the field that tells that a program sent this, as `Name: value`, or an empty string."""
    for name, tells in _SIGNS.items():
        value = one_line(field(headers, name), 120)
        if tells(value.partition(";")[0].strip().lower()):
            return f"{name}: {value}"
    return ""
