"""Handing a message to a server (RFC 5321): what it took, what it refuses for ever, and what may work later."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPException, SMTPResponseException

from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.reach import SmtpServer
from deskbell.kernel.storage import Storage
from deskbell.kernel.text import one_line
from deskbell.mail.mailboxes.oauth import Grant
from deskbell.mail.outbound.lines import EndedError, Line, line_to
from deskbell.mail.outbound.mime import UNWRITABLE, Mail, written
from deskbell.mail.outbound.signing import Signer, signature_of

_REFUSED_FOR_EVER: Final = 500
_START_INPUT: Final = 354
_COMPLETED: Final = 250
_LONGEST_REASON: Final = 1000
_PIECE: Final = 64 * 1024
_IN_MEMORY: Final = 1024 * 1024
"""A message that is larger waits on the disk until it is handed over."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way: the row that it came from, the envelope, what it says, and how it goes.

    With a `grant` one logs in with a token (XOAUTH2), with a `signer` the message is signed.
    """

    message_id: int
    sender: str
    recipient: str
    mail: Mail
    server: SmtpServer
    storage: Storage = field(repr=False, compare=False)
    at: datetime
    signer: Signer | None = None
    grant: Grant | None = None


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
    try:
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            content = cast("BinaryIO", spool)
            await asyncio.to_thread(write_out, parcel, content)
            content.seek(0)
            return await _deliver(parcel, content)
    except DeskbellError as error:  # a file or a key that cannot be read
        return Outcome(Fate.LATER, _words(error.message))
    except UNWRITABLE as error:
        return Outcome(Fate.REFUSED, _words(f"The message cannot be written: {error}"))


def write_out(parcel: Parcel, out: BinaryIO) -> None:
    """Write the message as it is sent, signed where it is to be. Raises DeskbellError for what cannot be read."""
    header, body = written(parcel.mail, parcel.storage)
    if parcel.signer is not None:
        _, to_sign = written(parcel.mail, parcel.storage)
        out.write(signature_of(parcel.signer, header, to_sign, parcel.at))
    for piece in chain([header], body):  # noqa: FURB122 - `writelines` of a spooled file keeps all of it in memory
        out.write(piece)


async def _deliver(parcel: Parcel, content: BinaryIO) -> Outcome:
    """Deliver by a kept connection, once more by a new one where that has ended before anything was sent."""
    line = line_to(parcel.server, parcel.grant)
    if line.is_kept:
        with suppress(EndedError):
            return await _deliver_by(line, parcel, content)
        line = Line(parcel.server, parcel.grant)
    return await _deliver_by(line, parcel, content)


async def _deliver_by(line: Line, parcel: Parcel, content: BinaryIO) -> Outcome:
    server, stage = parcel.server, Fate.LATER
    try:
        async with line:
            client, stage = line.client, Fate.REFUSED
            with line.doubted():
                await _address(client, parcel)
                await _begin(client)
            stage = Fate.LATER  # what is cut off here was not taken
            await _stream(client, content)
            stage = Fate.UNKNOWN
            answer = await client.execute_command(b".")
            if answer.code != _COMPLETED:
                raise SMTPDataError(answer.code, answer.message)
            return Outcome(Fate.TAKEN, _words(f"{answer.code} {answer.message}"))
    except SMTPResponseException as error:
        is_final = stage is not Fate.LATER and error.code >= _REFUSED_FOR_EVER
        return Outcome(Fate.REFUSED if is_final else Fate.LATER, _words(f"{error.code} {error.message}"))
    except (SMTPException, OSError, ValueError) as error:
        fate = Fate.UNKNOWN if stage is Fate.UNKNOWN else Fate.LATER
        return Outcome(fate, _words(f"{server.host}:{server.port}: {error or type(error).__name__}"))


async def _address(client: aiosmtplib.SMTP, parcel: Parcel) -> None:
    is_plain = parcel.recipient.isascii() and parcel.sender.isascii()
    encoding = "ascii" if is_plain else "utf-8"
    await client.mail(parcel.sender, options=() if is_plain else ("SMTPUTF8", "BODY=8BITMIME"), encoding=encoding)
    await client.rcpt(parcel.recipient, encoding=encoding)


async def _begin(client: aiosmtplib.SMTP) -> None:
    answer = await client.execute_command(b"DATA")
    if answer.code != _START_INPUT:
        raise SMTPDataError(answer.code, answer.message)


async def _stream(client: aiosmtplib.SMTP, content: BinaryIO) -> None:
    """Send what was written, a piece at a time, no faster than the server reads."""
    protocol = client.protocol
    for piece in _stuffed(content):
        if protocol is None:
            raise ConnectionResetError("the connection was lost")
        protocol.write(piece)
        async with asyncio.timeout(client.timeout):
            await protocol._drain_helper()  # noqa: SLF001 - what a StreamWriter calls; the library has no way of its own


def _stuffed(content: BinaryIO) -> Iterator[bytes]:
    """Double each dot that begins a line (RFC 5321, 4.5.2), also where pieces meet."""
    last = b"\r\n"
    while piece := content.read(_PIECE):
        joined = (last + piece).replace(b"\r\n.", b"\r\n..")
        yield joined[len(last) :]
        last = piece[-2:] if len(piece) > 1 else last[-1:] + piece


def _words(text: str) -> str:
    return one_line(text, _LONGEST_REASON)
