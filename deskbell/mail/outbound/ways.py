"""How a message leaves: by its mailbox's server or the desk's, from whom, signed or not. Secrets are opened here."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from deskbell.kernel.reach import SmtpServer, SmtpTls
from deskbell.kernel.resources import resources_of
from deskbell.kernel.vault import Sealed
from deskbell.mail.mailboxes.models import SECRETS, LogIn, Mailbox, Security
from deskbell.mail.mailboxes.oauth import Grant
from deskbell.mail.mailboxes.rules import PORTS
from deskbell.mail.outbound.signing import Signer

_PATIENCE: Final = 30.0
"""Seconds to wait for an answer, where the desk has no server of its own that says how many."""
_TLS: Final[dict[Security, SmtpTls]] = {Security.TLS: "tls", Security.STARTTLS: "starttls", Security.NONE: "none"}


@dataclass(frozen=True, slots=True)
class Way:
    """The server that takes a message, None where there is none, and what it is told beside it."""

    server: SmtpServer | None
    signer: Signer | None = None
    grant: Grant | None = field(default=None, repr=False)


def way_of(session: Session, mailbox: Mailbox | None) -> Way:
    """Return how messages of a mailbox leave, or those of the desk. For the system.

    Raises MissingKeyError, SecretError for what was sealed with a key that is not at hand.
    """
    desk = resources_of(session).reach.server
    if mailbox is None or not (mailbox.smtp_host or mailbox.kept):
        return Way(desk)
    row = session.execute(select(*(getattr(Mailbox, name) for name in SECRETS)).where(Mailbox.id == mailbox.id)).one()
    secrets = _Secrets(session, mailbox.id, row)
    grant = _grant(mailbox, secrets) if mailbox.smtp_host and mailbox.login is LogIn.OAUTH2 else None
    server = _server(mailbox, secrets, desk.timeout if desk else _PATIENCE) if mailbox.smtp_host else desk
    return Way(server, _signer(mailbox, secrets), grant)


@dataclass(frozen=True, slots=True)
class _Secrets:
    """A mailbox's secrets, opened one by one as they are needed."""

    session: Session
    mailbox_id: int
    row: Row[tuple[Sealed | None, ...]] = field(repr=False)

    def opened(self, name: str) -> str:
        sealed = getattr(self.row, name)
        vault = resources_of(self.session).vault
        return "" if sealed is None else vault.open(sealed, f"mailboxes.{name}", self.mailbox_id)


def _server(mailbox: Mailbox, secrets: _Secrets, timeout: float) -> SmtpServer:
    is_token = mailbox.login is LogIn.OAUTH2
    user = mailbox.smtp_user or (mailbox.imap_user or mailbox.address if is_token else "")
    return SmtpServer(
        mailbox.smtp_host,
        mailbox.smtp_port or PORTS["smtp_port"][mailbox.smtp_security],
        _TLS[mailbox.smtp_security],
        user,
        secrets.opened("smtp_password") if user and not is_token else "",
        timeout,
        mailbox.authority,
    )


def _grant(mailbox: Mailbox, secrets: _Secrets) -> Grant:
    return Grant(
        mailbox.oauth_token_url,
        mailbox.oauth_client_id,
        secrets.opened("oauth_secret"),
        secrets.opened("oauth_refresh"),
        mailbox.oauth_scope,
    )


def _signer(mailbox: Mailbox, secrets: _Secrets) -> Signer | None:
    if not (mailbox.dkim_domain and mailbox.dkim_selector and "dkim_key" in mailbox.kept):
        return None
    return Signer(mailbox.dkim_domain, mailbox.dkim_selector, secrets.opened("dkim_key"))
