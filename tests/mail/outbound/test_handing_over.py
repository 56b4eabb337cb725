"""Handing over to a real server, through a wire that is cut at every step, slow, or not to be trusted."""

import asyncio
import base64
import ipaddress
import json
import socket
import ssl
import threading
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deskbell.kernel.local_storage import LocalStorage
from deskbell.mail.mailboxes.oauth import Grant
from deskbell.mail.outbound.mime import File, Mail
from deskbell.mail.outbound.sending import Fate, Outcome, Parcel, hand_over
from deskbell.mail.outbound.signing import Signer
from tests.mail.outbound.conftest import Post, free_port, server_at, words_of

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEADERS: dict[str, Any] = {
    "From": Address("Help", addr_spec="help@example.org"),
    "To": Address(addr_spec="kim@example.test"),
    "Subject": "Your card",
    "Message-ID": "<one@example.org>",
}
LONG = "\n".join(f"{number}: all work and no play makes Jack a dull boy" for number in range(20_000))


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


@pytest.fixture
def parcel(post: Post, storage: LocalStorage) -> Parcel:
    mail = Mail(HEADERS, "Hello\n.\n..\n.leading\n", "<p>Hello</p>")
    return Parcel(1, "help@example.org", "kim@example.test", mail, server_at(post.port), storage, AT)


def handed(parcel: Parcel) -> Outcome:
    return asyncio.run(hand_over(parcel))


Wire = Callable[[bytes, str], bool]
"""Says of what passes, and who says it, `client` or `server`, whether the wire is cut before it."""


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Conversation) -> AsyncIterator[int]:
    """Serve at a port, and wait until each conversation has ended."""
    ended: list[asyncio.Task[None]] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.get_running_loop().create_task(connected(reader, writer)))

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # so that what is sent waits for who reads it
    server = await asyncio.start_server(begin, sock=listener)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait_for(asyncio.gather(*ended), 60)


async def through(parcel: Parcel, is_cut: Wire) -> Outcome:
    """Hand over through a wire of ours."""

    async def pump(who: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter, ends: list[Any]) -> None:
        while data := await source.read(65_536):
            if is_cut(data, who):
                for end in ends:
                    end.transport.abort()
                return
            sink.write(data)
            await sink.drain()
        sink.close()

    async def wire(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", parcel.server.port)
        ends = [writer, up_writer]
        both = (pump("client", reader, up_writer, ends), pump("server", up_reader, writer, ends))
        await asyncio.gather(*both, return_exceptions=True)
        up_writer.close()
        with suppress(ConnectionError):
            await up_writer.wait_closed()

    async with talking(wire) as port:
        return await hand_over(replace(parcel, server=replace(parcel.server, port=port)))


CLIENT_STEPS = [b"EHLO", b"MAIL", b"RCPT", b"DATA", b"Subject:", b"\r\n.\r\n"]
SERVER_STEPS = [(b"220", 0), (b"250", 0), (b"250", 1), (b"250", 2), (b"354", 0), (b"250 Taken", 0)]


@pytest.mark.parametrize("step", CLIENT_STEPS, ids=lambda step: step.decode().strip())
def test_a_wire_cut_before_a_command_is_tried_again(parcel: Parcel, post: Post, step: bytes) -> None:
    """At the end it may have been heard; of all before that it is known that it was not."""
    outcome = asyncio.run(through(parcel, lambda data, who: who == "client" and step in data))
    at_the_end = step in {b"\r\n.\r\n", b"Subject:"}  # a short message passes in one piece with its end
    assert outcome.fate in ({Fate.UNKNOWN, Fate.LATER} if at_the_end else {Fate.LATER})
    assert post.taken == []


@pytest.mark.parametrize(("answer", "nth"), SERVER_STEPS)
def test_a_wire_cut_before_an_answer_is_tried_again(parcel: Parcel, post: Post, answer: bytes, nth: int) -> None:
    seen = 0

    def is_cut(data: bytes, who: str) -> bool:
        nonlocal seen
        is_answer = who == "server" and answer in data
        seen += is_answer
        return is_answer and seen == nth + 1

    outcome = asyncio.run(through(parcel, is_cut))
    is_taken = answer == b"250 Taken"
    assert (outcome.fate, len(post.taken)) == ((Fate.UNKNOWN, 1) if is_taken else (Fate.LATER, 0))


def test_a_wire_cut_in_the_middle_of_a_message_is_no_riddle(parcel: Parcel, post: Post) -> None:
    long = replace(parcel, mail=replace(parcel.mail, text=LONG * 10))  # more than the system keeps
    passed = 0

    def is_cut(data: bytes, who: str) -> bool:
        nonlocal passed
        passed += len(data) if who == "client" else 0
        return passed > 300_000

    assert asyncio.run(through(long, is_cut)).fate is Fate.LATER
    assert post.taken == []


@pytest.mark.parametrize(
    ("step", "answer", "fate"),
    [
        *((step, "550 No", Fate.REFUSED) for step in ("MAIL", "RCPT", "DATA")),
        *((step, "452 Mailbox full", Fate.LATER) for step in ("MAIL", "RCPT", "DATA")),
        *((step, "421 Going down", Fate.LATER) for step in ("MAIL", "RCPT", "DATA")),
    ],
)
def test_what_a_server_says_decides_whether_it_is_tried_again(
    parcel: Parcel, post: Post, step: str, answer: str, fate: Fate
) -> None:
    post.says[step] = answer
    outcome = handed(parcel)
    assert (outcome.fate, outcome.reason) == (fate, answer)


async def scripted(parcel: Parcel, answers: list[bytes | None], *, timeout: float = 0.3) -> Outcome:  # noqa: ASYNC109 - the server's, not ours
    """Hand over to a server that gives these answers, one for each line it is told; None for ever nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            if answer is None:
                await reader.read()
                break
            writer.write(answer + b"\r\n")
            await reader.readuntil(b"\r\n.\r\n" if answer.startswith(b"354") else b"\r\n")

    async with talking(talk) as port:
        return await hand_over(replace(parcel, server=server_at(port, timeout=timeout)))


GREETED = [b"220 hello", b"250 mx", b"250 ok", b"250 ok", b"354 go on"]


@pytest.mark.parametrize("said", range(len(GREETED) + 1))
def test_a_server_that_falls_silent_is_not_waited_for_for_ever(parcel: Parcel, said: int) -> None:
    heard_all = said == len(GREETED)
    outcome = asyncio.run(scripted(parcel, [*GREETED[:said], None], timeout=3 if heard_all else 0.3))
    assert outcome.fate is (Fate.UNKNOWN if heard_all else Fate.LATER)
    assert outcome.reason


@pytest.mark.parametrize("greeting", [b"554 No service", b"SSH-2.0-OpenSSH_9", b"\xff\xfe", b"2"])
def test_what_is_no_mail_server_is_waited_for(parcel: Parcel, greeting: bytes) -> None:
    assert asyncio.run(scripted(parcel, [greeting, None])).fate is Fate.LATER


def test_dots_that_begin_a_line_arrive_wherever_pieces_meet(parcel: Parcel, post: Post) -> None:
    words = "".join("." * (number % 5) + "x" * (number % 71) + "\n" for number in range(9_000))
    assert handed(replace(parcel, mail=replace(parcel.mail, text=words))).fate is Fate.TAKEN
    assert words_of(post.messages()[0]) == words


def test_a_large_message_takes_little_memory(parcel: Parcel, storage: LocalStorage) -> None:
    """Ten megabytes of files, to a server that only counts."""
    piece = bytes(range(256)) * 4096
    blob = storage.put((piece for _ in range(10)), max_bytes=20_000_000)
    key = ec.generate_private_key(ec.SECP256R1())  # a key of the wrong kind first: it says so, and nothing is sent
    wrong = Signer("example.org", "s", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    files = (File(blob.key, "large.bin", "application/octet-stream"),)
    large = replace(parcel, mail=replace(parcel.mail, files=files))
    refused = handed(replace(large, signer=wrong))
    assert (refused.fate, "Ed25519" in refused.reason) == (Fate.LATER, True)
    counted = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal counted
        for answer in GREETED:
            writer.write(answer + b"\r\n")
            await reader.readuntil(b"\r\n") if not answer.startswith(b"354") else None
        tail = b""
        while not tail.endswith(b"\r\n.\r\n"):
            data = await reader.read(65_536)
            counted, tail = counted + len(data), (tail + data)[-5:]
        writer.write(b"250 ok\r\n")
        await reader.readuntil(b"\r\n")

    async def run() -> Outcome:
        async with talking(count) as port:
            return await hand_over(replace(large, server=server_at(port)))

    tracemalloc.start()
    try:
        outcome = asyncio.run(run())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (outcome.fate, counted > 13_000_000) == (Fate.TAKEN, True)
    assert peak < 4_000_000


def test_a_file_that_is_gone_waits_and_says_so(parcel: Parcel, post: Post) -> None:
    files = (File("ab/cd/" + "e" * 64, "gone.txt", "text/plain"),)
    outcome = handed(replace(parcel, mail=replace(parcel.mail, files=files)))
    assert outcome.fate is Fate.LATER
    assert outcome.reason
    assert post.taken == []


def certificate() -> tuple[bytes, bytes]:
    """Return a certificate for 127.0.0.1 that nobody vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return built.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@contextmanager
def serving(handler: object, **options: Any) -> Iterator[int]:
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_an_unknown_authority_is_not_trusted_and_one_that_the_mailbox_brings_is(
    parcel: Parcel, post: Post, tmp_path: Path, way: str
) -> None:
    pem, key = certificate()
    (tmp_path / "cert.pem").write_bytes(pem)
    (tmp_path / "key.pem").write_bytes(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    options = {"ssl_context": context} if way == "tls" else {"tls_context": context, "require_starttls": True}
    with serving(post, **options) as port:
        strange = handed(replace(parcel, server=server_at(port, tls=way)))
        known = handed(replace(parcel, server=server_at(port, tls=way, authority=pem.decode())))
        wrong = handed(replace(parcel, server=server_at(port, tls=way, authority="no certificate")))
    assert (strange.fate, "certificate" in strange.reason.lower()) == (Fate.LATER, True)
    assert (known.fate, wrong.fate, len(post.taken)) == (Fate.TAKEN, Fate.LATER, 1)


class BearerPost(Post):
    """Takes mail from who shows the token of the day."""

    tokens: list[bytes]

    async def auth_XOAUTH2(self, _server: SMTP, arguments: list[str]) -> AuthResult:  # noqa: N802 - the name that aiosmtpd calls

        said = base64.b64decode(arguments[1])
        self.tokens.append(said)
        return AuthResult(success=b"Bearer good-2" in said, handled=False)


@contextmanager
def tokens_at() -> Iterator[str]:
    """Serve access tokens: good-1, then good-2 and so on."""
    given = 0

    class Tokens(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal given
            given += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"access_token": f"good-{given}", "expires_in": 3600}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


def test_a_token_logs_in_and_one_that_is_refused_is_not_shown_again(parcel: Parcel) -> None:
    handler = BearerPost()
    handler.tokens = []
    with tokens_at() as url, serving(handler, auth_require_tls=False) as port:
        grant = Grant(url, "client", "secret", "refresh", "")
        with_token = replace(parcel, server=server_at(port, user="support@example.test"), grant=grant)
        fates = [handed(with_token).fate for _ in range(3)]
    assert fates == [Fate.LATER, Fate.TAKEN, Fate.TAKEN]
    assert [b"good-1" in handler.tokens[0], b"good-2" in handler.tokens[1]] == [True, True]
    assert all(b"user=support@example.test\x01" in said for said in handler.tokens)
    assert "secret" not in repr(with_token)


def test_who_gives_no_token_is_named(parcel: Parcel) -> None:
    grant = Grant(f"http://127.0.0.1:{free_port()}/token", "client", "secret", "refresh", "")
    outcome = handed(replace(parcel, grant=grant))
    assert (outcome.fate, "127.0.0.1" in outcome.reason) == (Fate.LATER, True)
