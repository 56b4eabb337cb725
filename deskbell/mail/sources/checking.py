"""Trying a mailbox's servers step by step, and saying of each step what the server said: "test connection"."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.text import one_line
from deskbell.mail.mailboxes.models import Security
from deskbell.mail.mailboxes.oauth import TOKENS
from deskbell.mail.mailboxes.trust import trusting
from deskbell.mail.sources.certificates import described, shown_certificate
from deskbell.mail.sources.errors import MailServerError, Stage
from deskbell.mail.sources.imap import Connection, Patience, log_in, reached
from deskbell.mail.sources.servers import Server
from deskbell.mail.sources.threads import aside

PATIENCE: Final = 15
"""Seconds to wait for each answer."""
_LONGEST_WORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a test. `service` is `imap` or `smtp`, `about` the folder, where it is about one.

    `words` say what was found; of a failure, in the server's words, what is wrong.
    """

    service: str
    stage: Stage
    is_ok: bool
    words: str
    about: str = ""


async def check_mailbox(
    *,
    imap: Server | None = None,
    folders: Sequence[str] = ("INBOX",),
    smtp: Server | None = None,
    sender: str = "",
    patience: float = PATIENCE,
) -> list[Step]:
    """Try to fetch from the one server and to send by the other, without doing either; return the steps in order.

    After one that fails there are none that need it. Never raises for what a server does, or the way there.
    """
    steps: list[Step] = []
    if imap is not None:
        trial = _Trial("imap", imap, patience)
        steps += await aside(partial(_try_imap, trial, folders))
    if smtp is not None:
        trial = _Trial("smtp", smtp, patience)
        if await aside(trial.reach):
            await _try_smtp(trial, sender)
        steps += trial.steps
    return steps


class _FailedError(Exception):
    """A step failed; what needs it is left out."""


class _Trial:
    """The steps with one server so far."""

    def __init__(self, service: str, server: Server, patience: float) -> None:
        self.service, self.server, self.patience = service, server, patience
        self.steps: list[Step] = []

    def well(self, stage: Stage, words: str, about: str = "") -> None:
        self.steps.append(Step(self.service, stage, True, one_line(words, _LONGEST_WORDS), about))

    def fail(self, stage: Stage, words: str, about: str = "") -> None:
        self.steps.append(Step(self.service, stage, False, one_line(words, _LONGEST_WORDS), about))

    def reach(self) -> bool:
        """Find the server and connect to it; return whether that can be done."""
        server = self.server
        try:
            found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self.fail(Stage.RESOLVE, f"There is no server {server.host}: {_said(error)}.")
            return False
        addresses = dict.fromkeys(str(address[0]) for *_, address in found)
        self.well(Stage.RESOLVE, f"{server.host} has the address {', '.join(addresses)}.")
        try:
            with socket.create_connection((server.host, server.port), self.patience) as line:
                self.well(Stage.CONNECT, f"{line.getpeername()[0]} answers at port {server.port}.")
        except OSError as error:
            self.fail(Stage.CONNECT, f"{server} does not answer: {_said(error)}.")
            return False
        return True

    def note_encryption(self, certificate: bytes | None) -> None:
        if self.server.security is Security.NONE:
            self.well(Stage.TLS, "Nothing is encrypted: whoever is in between reads the mail, and the password.")
        else:
            self.well(Stage.TLS, f"The certificate is trusted: {described(certificate)}.")

    def note_distrust(self, words: str) -> None:
        """Say what is wrong with TLS, and which certificate the server shows."""
        with suppress(OSError, ValueError):
            seen = shown_certificate(self.server, self.service, self.patience)
            words = f"{words} It shows one {described(seen)}."
        self.fail(Stage.TLS, words)

    def token(self) -> str:
        """Return a token to log in with. Raises TokenError."""
        assert self.server.grant is not None  # noqa: S101 - asked for where there is one
        TOKENS.forget(self.server.grant)  # an older one would say nothing of the way to get the next
        access = TOKENS.get(self.server.grant).access
        self.well(Stage.TOKEN, "An access token was given.")
        return access


def _try_imap(trial: _Trial, folders: Sequence[str]) -> list[Step]:
    with suppress(_FailedError):
        if trial.reach():
            with closing(_logged_in(trial)) as connection:
                _look_around(trial, connection, folders)
    return trial.steps


def _logged_in(trial: _Trial) -> Connection:
    server = trial.server
    with _noting(trial):
        client = reached(server, Patience(trial.patience, trial.patience))
    connection = Connection(client, server)
    try:
        trial.note_encryption(connection.certificate())
        with _noting(trial):
            if server.grant is not None:
                trial.token()
            log_in(client, server)
    except BaseException:
        connection.close()
        raise
    trial.well(Stage.LOG_IN, f"{server.user} is let in.")
    return connection


def _look_around(trial: _Trial, connection: Connection, folders: Sequence[str]) -> None:
    with _noting(trial):
        idle = "The server tells of new mail at once (IDLE)."
        slow = "The server does not tell of new mail (no IDLE): it is asked again and again."
        trial.well(Stage.CAPABILITIES, idle if connection.can_idle else slow)
    for name in folders:
        with _noting(trial, name):
            opened = connection.open_folder(name)
            note = "" if opened.is_writable else "; it may only be read, so messages are not marked as seen"
            trial.well(Stage.FOLDER, f"{name} holds {opened.messages:,} messages{note}.", name)


@contextmanager
def _noting(trial: _Trial, about: str = "") -> Iterator[None]:
    """Note what goes wrong. A folder that is refused keeps nobody from the next one."""
    try:
        yield
    except MailServerError as error:
        if error.stage is Stage.TLS:
            trial.note_distrust(error.message)
        else:
            trial.fail(error.stage, error.message, about)
        if error.stage is not Stage.FOLDER:
            raise _FailedError from error
    except DeskbellError as error:
        trial.fail(Stage.TOKEN, error.message)
        raise _FailedError from error


async def _try_smtp(trial: _Trial, sender: str) -> None:
    server, stage = trial.server, Stage.TLS
    is_tls = server.security is Security.TLS
    client = aiosmtplib.SMTP(
        hostname=server.host, port=server.port, timeout=trial.patience, use_tls=is_tls, start_tls=False
    )
    try:
        context = None if server.security is Security.NONE else await aside(partial(trusting, server.authority))
        await client.connect(tls_context=context)
        if server.security is Security.STARTTLS:
            await client.starttls(tls_context=context)
        line = client.get_transport_info("ssl_object")
        trial.note_encryption(None if line is None else line.getpeercert(binary_form=True))
        stage = Stage.TOKEN
        token = None if server.grant is None else await aside(trial.token)
        stage = Stage.LOG_IN
        await _log_in(trial, client, token)
        stage = Stage.SENDER
        await client.mail(sender, encoding="utf-8" if not sender.isascii() else "ascii")
        await client.rset()
        trial.well(Stage.SENDER, f"Messages from {sender} are taken.")
    except (SMTPException, DeskbellError, OSError, ValueError) as error:
        await _note(trial, stage, error)
    finally:
        with suppress(SMTPException, OSError):
            await client.quit(timeout=2)
        client.close()


async def _log_in(trial: _Trial, client: aiosmtplib.SMTP, token: str | None) -> None:
    server = trial.server
    if not server.user:
        trial.well(Stage.LOG_IN, "Nobody logs in.")
        return
    if token is None:
        await client.login(server.user, server.password)
    else:
        await client.auth_xoauth2(server.user, token)
    trial.well(Stage.LOG_IN, f"{server.user} is let in.")


async def _note(trial: _Trial, stage: Stage, error: Exception) -> None:
    """Note why a step of sending failed."""
    server = trial.server
    if stage is Stage.TLS:
        if untrusted := _untrusted(error):
            words = f"The certificate of {server} is not trusted: {untrusted}."
            await aside(partial(trial.note_distrust, words))
        else:
            trial.fail(stage, f"{server} does not begin as a mail server would: {_said(error)}.")
    elif stage is Stage.TOKEN:
        trial.fail(stage, _said(error))
    elif stage is Stage.LOG_IN:
        trial.fail(stage, f"{server.host} does not let {server.user} in: {_said(error)}.")
    else:
        trial.fail(stage, f"{server.host} takes nothing from this sender: {_said(error)}.")


def _untrusted(error: BaseException | None) -> str:
    """Return why a certificate is not trusted, empty where that is not what went wrong."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (error.verify_message or str(error)).rstrip(".")
        error = error.__cause__ or error.__context__
    return ""


def _said(error: BaseException) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}".rstrip(".")
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return text.rstrip(".")
