"""Listening for mail servers. What they deliver is committed before they are told 250, and is theirs until then."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from time import monotonic
from typing import Any, Final

import structlog

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.doors import Door, Network
from deskbell.kernel.errors import DeskbellError, SetupError
from deskbell.mail.inbound.ledger import Envelope, Taken
from deskbell.mail.sources.protocol import AWAY, LmtpSpeaker, Speaker
from deskbell.mail.sources.taking import Addresses, is_disk_full, is_signed, known_addresses, take

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.mail")

FULL: Final = "452 4.3.1 The desk's database has no room left, try again later"
GRACE: Final = 10
"""Seconds that a message under way has when the listener stops."""

_ACTOR: Final = Actor.system(Channel.MAIL, act="mail listener")
_REMEMBERED: Final = 5  # seconds; only what lets mail in is remembered
_BACKLOG: Final = 128
_LARGE_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms mail is taken. Who is not on this machine must come from one of `networks`.

    `timeout` is in seconds: for each command, and for each 64 KB of a message. `mode` is that of a socket's file.
    """

    max_bytes: int = 64 * 1024 * 1024
    networks: tuple[Network, ...] = ()
    connections: int = 100
    recipients: int = 1000
    timeout: float = 300
    certificate: Path | None = None
    key: Path | None = None
    mode: int = 0o660


@dataclass(eq=False)
class Listener:
    """The open doors of a desk, and who stands in them."""

    database: Database
    terms: Terms
    doors: list[str] = field(default_factory=list)
    """Where it listens, with the ports that were free where they were left open."""
    _servers: list[asyncio.Server] = field(default_factory=list)
    _speakers: set[Speaker] = field(default_factory=set)
    _writing: set["asyncio.Task[str]"] = field(default_factory=set)
    _addresses: tuple[float, Addresses] = (0.0, Addresses())
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Read the certificate. Raises SetupError."""
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's: each line that is said
        self.max_bytes = self.terms.max_bytes
        self.large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._tls = _context(self.terms)

    async def open(self, door: Door) -> None:
        """Listen. Raises SetupError when somebody else does, or nobody may."""
        loop, make = asyncio.get_running_loop(), partial(self._speaker, door)
        try:
            if door.path:
                await _clear(door.path)
                server = await loop.create_unix_server(make, door.path, backlog=_BACKLOG)
                Path(door.path).chmod(self.terms.mode)  # noqa: ASYNC240 - a moment
            else:
                server = await loop.create_server(make, door.host, door.port, backlog=_BACKLOG, reuse_address=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SetupError(f"Nobody can deliver mail at {door}: {reason}. See DESKBELL_MAIL_LISTEN.") from error
        self._servers.append(server)
        port = door.port if door.path else server.sockets[0].getsockname()[1]
        self.doors.append(str(Door(door.language, door.host, port, door.path)))
        log.info("mail_listener", address=self.doors[-1])

    async def close(self, grace: float = GRACE) -> None:
        """Stop: take no more, finish the messages under way within the grace, and what is being written in any case."""
        for server in self._servers:
            server.close()
        for speaker in list(self._speakers):
            speaker.hang_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._speakers:
                    self._gone.clear()
                    await self._gone.wait()
        for speaker in list(self._speakers):
            if speaker.transport is not None:
                speaker.transport.abort()  # type: ignore[attr-defined]  # sockets' transports can
        if self._writing:
            await asyncio.wait(self._writing)

    def enter(self, speaker: Speaker) -> str | None:
        """Let a connection in, or say why not."""
        if speaker.peer and not _is_allowed(speaker.peer, self.terms.networks):
            log.warning("mail_refused", peer=speaker.peer, reason="not in DESKBELL_MAIL_LISTEN_NETWORKS")
            return "554 5.7.1 This server does not take mail from your address"
        if len(self._speakers) >= self.terms.connections:
            return "421 4.3.2 Too many connections, try again later"
        self._speakers.add(speaker)
        return None

    def leave(self, speaker: Speaker) -> None:
        """Forget a connection."""
        self._speakers.discard(speaker)
        self._gone.set()

    async def may_come(self, address: str, others: int) -> str:
        """Say whether mail to this address is taken, beside so many others."""
        if others >= self.terms.recipients:
            return "452 4.5.3 Too many recipients at once, send the message again to the others"
        try:
            return await self._judge(address)
        except DeskbellError as error:
            return _later(error, "recipient")

    async def _judge(self, address: str) -> str:
        """A refusal is for ever, so it is given only on what the database says now."""
        since, known = self._addresses
        if since and monotonic() - since < _REMEMBERED and known.take(address):
            return "250 2.1.5 OK"
        async with self.database.async_transaction(_ACTOR) as session:
            known = await session.run_sync(known_addresses)
            is_ours = known.take(address) or await session.run_sync(is_signed, address)
        self._addresses = (monotonic(), known)
        if is_ours:
            return "250 2.1.5 OK"
        if known.refuse(address):
            return "550 5.2.1 This mailbox is closed"
        return "550 5.1.1 There is no such mailbox here"

    async def take(self, source: str, sender: str, recipients: list[str], raw: bytes) -> str:
        """Write a message down, and answer when that is committed: also if nobody waits for the answer any more."""
        return await self._finish(self._write(source.removesuffix(" from "), Envelope(sender, tuple(recipients)), raw))

    async def _finish(self, work: Coroutine[Any, Any, str]) -> str:
        task = asyncio.get_running_loop().create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def _write(self, source: str, envelope: Envelope, raw: bytes) -> str:
        try:
            async with self.database.async_transaction(_ACTOR) as session:
                taken: Taken = await session.run_sync(partial(take, raw=raw, source=source, envelope=envelope))
        except DeskbellError as error:
            return _later(error, "message")
        except Exception:
            log.exception("mail_not_taken", source=source, size=len(raw))
            return AWAY
        return f"250 2.0.0 {'Taken' if taken.is_new else 'Known'} as message {taken.id}"

    def _speaker(self, door: Door) -> Speaker:
        kind = LmtpSpeaker if door.language == "lmtp" else Speaker
        return kind(self, hostname=socket.gethostname(), timeout=self.terms.timeout, tls=self._tls)


@contextlib.asynccontextmanager
async def listening(listener: Listener, doors: Sequence[Door] = ()) -> AsyncIterator[Listener]:
    """Listen at these doors while the block runs, and at those that it opens. Raises SetupError.

    Who cancels the block does not wait for messages under way.
    """
    grace: float = 0
    try:
        for door in doors:
            await listener.open(door)
        yield listener
        grace = GRACE
    finally:
        await listener.close(grace)


def _later(error: DeskbellError, what: str) -> str:
    log.warning("mail_put_off", what=what, reason=str(error))
    return FULL if is_disk_full(error) else AWAY


def _is_allowed(peer: str, networks: Sequence[Network]) -> bool:
    address = ip_address(peer.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or any(address in network for network in networks)


def _context(terms: Terms) -> ssl.SSLContext | None:
    if terms.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(terms.certificate, terms.key)
    except OSError as error:  # ssl.SSLError is one
        named = f"the certificate {terms.certificate} or its key cannot be read ({error.strerror or error})"
        raise SetupError(f"Mail cannot be encrypted: {named}. See DESKBELL_MAIL_LISTEN_CERT.") from error
    return context


async def _clear(path: str) -> None:
    """Refuse to take over a socket where somebody listens: asyncio would remove it beneath them."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return
    writer.close()
    raise OSError(None, "another process listens there")
