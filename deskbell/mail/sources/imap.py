"""One connection to an IMAP server (RFC 3501, RFC 9051): what fetching asks of it, in plain values. It blocks.

Every error leaves here as a `MailServerError` with the server's own words.
"""

import logging
import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from imapclient import SEEN, IMAPClient, SocketTimeout  # type: ignore[import-untyped] # ships no types
from imapclient.exceptions import (  # type: ignore[import-untyped] # the same
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
)

from deskbell.kernel.text import one_line
from deskbell.mail.mailboxes.models import Security
from deskbell.mail.mailboxes.oauth import TOKENS, TokenError
from deskbell.mail.mailboxes.trust import trusting
from deskbell.mail.sources.errors import LostError, MailServerError, RefusedError, Stage
from deskbell.mail.sources.servers import Server

logging.getLogger("imapclient").setLevel(logging.CRITICAL)  # it complains of what is raised as well

UIDS_AT_ONCE: Final = 80_000
"""Their numbers, of up to ten digits, come in one line, and imaplib reads lines of up to a million bytes."""
_LONGEST_WORDS: Final = 300
_GOODBYE: Final = 2
"""Seconds that a server has to say good-bye."""
_SIMPLE: Final = re.compile(r"[\w.+@=/-]+", re.ASCII)
_NOISE: Final = re.compile(r"^(command: \w+ => )?(\w+ failed: )?|\s*\([\d.]+ \+ [\d. +]+ secs\)")
"""What the library puts before the server's words, and how long Dovecot took for them."""
_IN_QUOTES: Final = re.compile(r"""^b(['"])(.*)\1$""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a connection, and for each further piece of an answer."""

    connect: float = 20
    read: float = 60


DEFAULT_PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder as it was when it was opened. `uid_next` is None where the server does not say, or what cannot be."""

    name: str
    uid_validity: int
    uid_next: int | None
    messages: int
    is_writable: bool


class _Client(IMAPClient):  # type: ignore[misc] # of no known type
    """IMAPClient, but nothing that a server says just as IDLE begins is passed over."""

    _is_new = False

    def __init__(self, server: Server, context: ssl.SSLContext | None, patience: Patience) -> None:
        """Connect, and be greeted."""
        timeout = SocketTimeout(patience.connect, patience.read)
        is_tls = server.security is Security.TLS
        super().__init__(server.host, server.port, ssl=is_tls, ssl_context=context if is_tls else None, timeout=timeout)
        self._imap.debug = 0  # at 5, as it was left, the `repr` of every message is made, to be thrown away

    def idle(self) -> None:
        """Begin. New mail may be told of before the server agrees; that wakes as well."""
        self._idle_tag = self._imap._command("IDLE")  # noqa: SLF001 - as the method that this one replaces
        while self._imap._get_response() is not None:  # noqa: SLF001 - None is the "+" that agrees
            if self._imap.tagged_commands[self._idle_tag]:
                kind, said = self._imap.tagged_commands.pop(self._idle_tag)
                self._checkok("IDLE", kind, said)
        self._is_new = True

    def _poll_socket(self, sock: Any, timeout: float | None = None) -> Any:  # noqa: ANN401 - the library's
        """Look first at what came together with the answer to IDLE: the socket does not tell of that any more."""
        if self._is_new:
            self._is_new = False
            return [sock]
        return super()._poll_socket(sock, timeout)


class Connection:
    """Somebody logged in at a server. Used by one thread at a time; `cut` by any."""

    def __init__(self, client: _Client, server: Server) -> None:
        """See `connect`."""
        self._client = client
        self._server = server

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail (RFC 2177)."""
        with _asking(self._server, Stage.CAPABILITIES, "does not say what it can"):
            return bool(self._client.has_capability("IDLE"))

    def open_folder(self, name: str) -> Opened:
        """Open a folder, to write where that is allowed."""
        with _asking(self._server, Stage.FOLDER, f"does not open the folder {name}"):
            try:
                said, is_writable = self._client.select_folder(name), True
            except IMAPClientReadOnlyError:
                said, is_writable = self._client.select_folder(name, readonly=True), False
        validity, messages = said.get(b"UIDVALIDITY"), int(said.get(b"EXISTS") or 0)
        if validity is None:
            raise RefusedError(f"{self._server.host} gives no lasting numbers to what is in {name}.", Stage.FOLDER)
        following = said.get(b"UIDNEXT")
        is_sound = following is not None and int(following) > messages  # they are all below it, and none is 0
        return Opened(name, int(validity), int(following) if is_sound else None, messages, is_writable)

    def uids(self, folder: Opened, above: int) -> Iterator[list[int]]:
        """Yield the UIDs above that one, ascending, some at a time."""
        if folder.uid_next is None or folder.messages <= UIDS_AT_ONCE:
            yield self._search(f"{above + 1}:*", above)
            return
        for first in range(above + 1, folder.uid_next, UIDS_AT_ONCE):
            yield self._search(f"{first}:{first + UIDS_AT_ONCE - 1}", above)

    def _search(self, numbers: str, above: int) -> list[int]:
        with _asking(self._server, Stage.FETCH, "does not say which messages there are"):
            return sorted({uid for uid in self._client.search(["UID", numbers]) if uid > above})  # `*` may be below

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return the sizes that the server tells, in bytes; those that are gone are left out."""
        with _asking(self._server, Stage.FETCH, "does not say how large messages are"):
            said = self._client.fetch(uids, ["RFC822.SIZE"])
            return {uid: int(facts.get(b"RFC822.SIZE", 0)) for uid, facts in said.items()}

    def fetch(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Return messages as they are, without marking them; those that the server does not give are left out."""
        with _asking(self._server, Stage.FETCH, f"does not give message {_span(uids)}"):
            said = self._client.fetch(uids, ["BODY.PEEK[]"])
            return {uid: facts[b"BODY[]"] for uid, facts in said.items() if isinstance(facts.get(b"BODY[]"), bytes)}

    def mark_seen(self, uids: Sequence[int]) -> None:
        """Mark messages as seen."""
        with _asking(self._server, Stage.FETCH, f"does not mark message {_span(uids)} as seen"):
            self._client.add_flags(uids, [SEEN], silent=True)

    def wait(self, seconds: float) -> None:
        """Wait until the server tells of something, at most so long (IDLE)."""
        with _asking(self._server, Stage.FETCH, "does not tell of new mail"):
            self._client.idle()
            self._client.idle_check(timeout=0) or self._client.idle_check(timeout=seconds)
            self._client.idle_done()

    def certificate(self) -> bytes | None:
        """Return the certificate that the server has shown (DER), None where nothing is encrypted."""
        line = self._client.socket()
        return line.getpeercert(binary_form=True) if isinstance(line, ssl.SSLSocket) else None

    def cut(self) -> None:
        """End it now, whatever another thread is waiting for."""
        with suppress(OSError):
            socket.socket.shutdown(self._client.socket(), socket.SHUT_RDWR)  # an SSLSocket's own would unwrap first

    def close(self) -> None:
        """Say good-bye; what the server thinks of that changes nothing."""
        _part(self._client)


def connect(server: Server, *, patience: Patience = DEFAULT_PATIENCE) -> Connection:
    """Connect and log in. Raises MailServerError, whose `stage` says how far it came."""
    client = reached(server, patience)
    try:
        log_in(client, server)
    except BaseException:
        _part(client)
        raise
    return Connection(client, server)


def reached(server: Server, patience: Patience) -> _Client:
    """Connect, encrypted as the server's settings say. Raises MailServerError."""
    with _reaching(server):
        context = None if server.security is Security.NONE else trusting(server.authority)
        client = _Client(server, context, patience)
        if server.security is Security.STARTTLS:
            try:
                client.starttls(context)
            except BaseException:
                _part(client)
                raise
    return client


def log_in(client: _Client, server: Server) -> None:
    """Log in, with a token where there is a grant. Raises MailServerError."""
    token = _token(server)
    with _asking(server, Stage.LOG_IN, f"does not let {server.user} in"):
        try:
            if token is not None:
                _bear(client, server.user, token)
            elif _SIMPLE.fullmatch(server.user) and server.password.isascii():
                client.login(server.user, server.password)
            else:  # the library sends the one as it is, and neither but in ASCII
                client.plain_login(server.user, server.password)
        except IMAPClientError:
            if server.grant is not None:
                TOKENS.forget(server.grant)
            raise


def _token(server: Server) -> str | None:
    try:
        return None if server.grant is None else TOKENS.get(server.grant).access
    except TokenError as error:
        raise MailServerError(error.message, Stage.TOKEN) from error


def _bear(client: _Client, user: str, token: str) -> None:
    """Log in by token: OAUTHBEARER (RFC 7628) where there is no XOAUTH2, which Google and Microsoft have."""
    is_standard = client.has_capability("AUTH=OAUTHBEARER") and not client.has_capability("AUTH=XOAUTH2")
    name = user.replace("=", "=3D").replace(",", "=2C")
    first = f"n,a={name},\1auth=Bearer {token}\1\1" if is_standard else f"user={user}\1auth=Bearer {token}\1\1"
    answers = iter((first, "\1" if is_standard else ""))  # the second one is asked for with the reason of a refusal
    client.sasl_login("OAUTHBEARER" if is_standard else "XOAUTH2", lambda _challenge: next(answers, None))


def _part(client: _Client) -> None:
    with suppress(Exception):
        client.socket().settimeout(_GOODBYE)
        client.logout()
        return
    with suppress(Exception):
        client.shutdown()


@contextmanager
def _reaching(server: Server) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        words = one_line(error.verify_message or str(error), _LONGEST_WORDS).rstrip(".")
        raise LostError(f"The certificate of {server} is not trusted: {words}.", Stage.TLS) from error
    except ssl.SSLError as error:
        raise LostError(f"{server} cannot be spoken to by TLS: {_words(error)}.", Stage.TLS) from error
    except socket.gaierror as error:
        raise LostError(f"There is no server {server.host}: {_words(error)}.", Stage.RESOLVE) from error
    except OSError as error:
        raise LostError(f"{server} does not answer: {_words(error)}.", Stage.CONNECT) from error
    except (IMAPClientError, ValueError) as error:
        stage = Stage.TLS if server.security is Security.STARTTLS else Stage.CONNECT
        raise LostError(f"{server} does not begin as a mail server would: {_words(error)}.", stage) from error


@contextmanager
def _asking(server: Server, stage: Stage, what: str) -> Iterator[None]:
    try:
        yield
    except (IMAPClientAbortError, OSError) as error:
        raise LostError(f"{server.host} {what}; the connection was lost: {_words(error)}.", stage) from error
    except IMAPClientError as error:
        raise RefusedError(f"{server.host} {what}: {_words(error)}.", stage) from error
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:  # what cannot be read as IMAP
        raise LostError(f"{server.host} {what}: its answer makes no sense, {_words(error)}.", stage) from error


def _words(error: BaseException) -> str:
    """Return what was said, in one line: imaplib writes some of it as the `repr` of bytes."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    found = _IN_QUOTES.match(text)
    return one_line(_NOISE.sub("", found.group(2) if found else text), _LONGEST_WORDS).rstrip(". ")


def _span(uids: Iterable[int]) -> str:
    known = sorted(uids)
    return f"{known[0]}" if len(known) == 1 else f"{known[0]}–{known[-1]}"
