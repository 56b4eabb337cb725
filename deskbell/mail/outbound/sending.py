"""Handing a message to a server (RFC 5321): what it took, what it refuses for ever, and what may work later."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from deskbell.kernel.reach import SmtpServer
from deskbell.kernel.text import one_line

_REFUSED_FOR_EVER: Final = 500
_LONGEST_REASON: Final = 1000


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way: the row that it came from, the envelope, and the bytes."""

    message_id: int
    sender: str
    recipient: str
    content: bytes
    server: SmtpServer


class Fate(StrEnum):
    """What became of a parcel."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"  # all of it was sent, and no answer came


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel, and the server's words."""

    fate: Fate
    reason: str


async def hand_over(parcel: Parcel) -> Outcome:
    """Hand a parcel over. Never raises for what a server or the way there does.

    A 5xx to the message, its sender or its recipient is final; to anything before it is about us, and passes once
    somebody has put that right.
    """
    client, server = _client(parcel.server), parcel.server
    stage = Fate.LATER
    try:
        await client.connect()
        if server.user:
            await client.login(server.user, server.password)
        stage = Fate.REFUSED
        encoding = "ascii" if parcel.recipient.isascii() else "utf-8"
        options = () if encoding == "ascii" else ("SMTPUTF8", "BODY=8BITMIME")
        await client.mail(parcel.sender, options=options, encoding=encoding)
        await client.rcpt(parcel.recipient, encoding=encoding)
        stage = Fate.UNKNOWN
        answer = await client.data(parcel.content)
        return Outcome(Fate.TAKEN, _words(f"{answer.code} {answer.message}"))
    except SMTPResponseException as error:
        is_final = stage is not Fate.LATER and error.code >= _REFUSED_FOR_EVER
        return Outcome(Fate.REFUSED if is_final else Fate.LATER, _words(f"{error.code} {error.message}"))
    except (SMTPException, OSError, ValueError) as error:
        fate = Fate.UNKNOWN if stage is Fate.UNKNOWN else Fate.LATER
        return Outcome(fate, _words(f"{server.host}:{server.port}: {error or type(error).__name__}"))
    finally:
        await _part(client)


def _client(server: SmtpServer) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        timeout=server.timeout,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
    )


async def _part(client: aiosmtplib.SMTP) -> None:
    """Say good-bye; what the server thinks of that changes nothing."""
    if client.is_connected:
        with suppress(SMTPException, OSError):
            await client.quit(timeout=5)
    client.close()


def _words(text: str) -> str:
    return one_line(text, _LONGEST_REASON)
