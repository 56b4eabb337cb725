"""The dialogue with a mail server: SMTP (RFC 5321) and LMTP (RFC 2033) as aiosmtpd speaks them, with a DATA of our own.

aiosmtpd's own keeps each line as an object, which for 50 MB takes seconds and several times the memory. What is done
with a message says whoever is the `House`.
"""

import asyncio
import contextlib
import ssl
from collections import defaultdict
from typing import Any, Final, Protocol

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from deskbell.mail.sources.incoming import FalseEndError, Incoming, TooLargeBodyError

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.mail")

AWAY: Final = "451 4.3.0 The desk cannot write mail down just now, try again later"
CLOSING: Final = "421 4.3.2 The desk is closing, try again later"
_TOO_LARGE: Final = "552 5.3.4 The message is larger than {} bytes"
_FALSE_END: Final = "554 5.6.0 A line with a dot alone does not end in CR LF: this may be two messages in one"
_LARGE: Final = 1024 * 1024
_PROGRESS: Final = 64 * 1024  # bytes by which a message advances before the patience with it begins anew
_ALL_THERE_IS: Final = 1 << 30
_LONGEST_COMMAND: Final = 1000


class House(Protocol):
    """Who takes the messages. Answers are lines of SMTP, without their ends."""

    max_bytes: int
    large: asyncio.Semaphore
    """Room for messages of more than a megabyte while they are in memory."""

    def enter(self, speaker: "Speaker") -> str | None:
        """Let a connection in, or say why not."""

    def leave(self, speaker: "Speaker") -> None:
        """Forget a connection."""

    async def may_come(self, address: str, others: int) -> str:
        """Say whether mail to this address is taken, beside so many others."""

    async def take(self, source: str, sender: str, recipients: list[str], raw: bytes) -> str:
        """Write a message down, and answer when that is committed."""


class Hooks:
    """What aiosmtpd asks before it answers by itself."""

    def __init__(self, house: House) -> None:
        """Ask `house` in turn."""
        self._house = house

    async def handle_EHLO(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet. AUTH is not offered, as nobody logs in; PIPELINING is (RFC 2920), as LMTP demands."""
        session.host_name = hostname
        *offered, last = (line for line in responses if not line.startswith("250-AUTH"))
        return [*offered, "250-PIPELINING", last]

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or say why not."""
        answer = await self._house.may_come(address, len(envelope.rcpt_tos))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer


class Speaker(SMTP):
    """One connection that speaks SMTP."""

    language = "smtp"
    peer = ""
    is_busy = False
    """Whether a message is under way: from DATA to its answer."""
    _is_let_in = False
    _is_closing = False

    def __init__(self, house: House, *, hostname: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        """`timeout` is in seconds: for each command, and for each 64 KB of a message."""
        super().__init__(
            Hooks(house),
            data_size_limit=house.max_bytes,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="Deskbell",
            tls_context=tls,
            timeout=timeout,
            loop=asyncio.get_running_loop(),
        )
        self._house = house
        self.command_size_limits = defaultdict(lambda: _LONGEST_COMMAND)  # aiosmtpd's grows with each EHLO, for all

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or refuse and hang up. STARTTLS comes by here again."""
        if not self._is_let_in:
            self.peer = _peer(transport)
            refusal = self._house.enter(self)
            if refusal is not None:
                transport.write(f"{refusal}\r\n".encode())  # type: ignore[attr-defined]  # sockets' transports write
                transport.close()
                return
            self._is_let_in = True
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        if self._is_let_in:
            self._house.leave(self)
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Hear what was said."""
        if self._is_let_in:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        """Hear that nothing follows."""
        return super().eof_received() if self._is_let_in else None

    def hang_up(self) -> None:
        """End the connection: at once, or where a message is under way, when that is answered."""
        self._is_closing = True
        transport = self.transport
        if not self.is_busy and transport is not None and not transport.is_closing():
            transport.write(f"{CLOSING}\r\n".encode())  # type: ignore[attr-defined]  # sockets' transports write
            transport.close()

    async def handle_exception(self, error: Exception) -> str:
        """Tell the other side to come again: a mistake of ours bounces nobody's mail."""
        log.error("mail_dialogue_failed", peer=self.peer, exc_info=error)
        return AWAY

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's
        """Take a message in."""
        problem = self._not_yet(arg)
        if problem is not None:
            await self.push(problem)
            return
        self.is_busy = True
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._take_message()
        finally:
            self.is_busy = False
        if self._is_closing:
            self.hang_up()

    def _not_yet(self, arg: str | None) -> str | None:
        if self.session is None or not self.session.host_name:
            return "503 5.5.1 Say first who you are"
        if self.envelope is None or not self.envelope.rcpt_tos:
            return "503 5.5.1 There is nobody to receive it: RCPT comes first"
        return "501 5.5.4 DATA stands alone" if arg else None

    async def _take_message(self) -> None:
        assert self.envelope is not None  # noqa: S101 - `_not_yet` has looked
        sender, recipients = str(self.envelope.mail_from or ""), list(self.envelope.rcpt_tos)
        async with contextlib.AsyncExitStack() as stack:
            message = await self._read(stack)
            answer = await self._answer(message, "" if sender == "<>" else sender, recipients)
        self.envelope = self._create_envelope()
        for _ in range(self._answers(len(recipients))):
            await self.push(answer)

    async def _answer(self, incoming: Incoming, sender: str, recipients: list[str]) -> str:
        try:
            raw = incoming.message()
        except TooLargeBodyError:
            return _TOO_LARGE.format(self._house.max_bytes)
        except FalseEndError:
            return _FALSE_END
        del incoming
        return await self._house.take(f"{self.language} from {self.peer}", sender, recipients, raw)

    def _answers(self, _recipients: int) -> int:
        return 1

    async def _read(self, stack: contextlib.AsyncExitStack) -> Incoming:
        """Read up to the dot that ends the message. Of one that is too large the end is waited for, within reason."""
        incoming, advance, rest = Incoming(self._house.max_bytes), 0, None
        while rest is None:
            piece = await self._reader.read(_ALL_THERE_IS)
            if not piece or incoming.seen > 2 * self._house.max_bytes + _LARGE:
                raise ConnectionResetError
            if incoming.seen <= _LARGE < incoming.seen + len(piece):
                await self._wait_for_room(stack)
            advance += len(piece)
            if advance >= _PROGRESS:
                self._reset_timeout()
                advance = 0
            rest = incoming.feed(piece)
        self._reset_timeout()
        if rest:
            self._reader.feed_data(rest)  # commands that followed at once; all that had come was read
        return incoming

    async def _wait_for_room(self, stack: contextlib.AsyncExitStack) -> None:
        """Wait until one more large message may lie in memory, with more patience than the other side has."""
        self._reset_timeout(24 * 3600)
        await stack.enter_async_context(self._house.large)
        self._reset_timeout()


class LmtpSpeaker(LMTP, Speaker):
    """One connection that speaks LMTP: it answers to a message once for each recipient."""

    language = "lmtp"

    def _answers(self, recipients: int) -> int:
        return recipients


def _peer(transport: asyncio.BaseTransport) -> str:
    """Return the address of the other side, nothing for a socket on this machine."""
    name: Any = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else ""
