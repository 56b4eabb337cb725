"""Mail servers as plain values, and those of the mailboxes, whose secrets are opened here."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from deskbell.kernel.resources import resources_of
from deskbell.kernel.vault import Sealed, Vault
from deskbell.mail.mailboxes.actions import get_mailbox
from deskbell.mail.mailboxes.models import LogIn, Mailbox, MailboxFolder, Security
from deskbell.mail.mailboxes.oauth import Grant
from deskbell.mail.mailboxes.rules import PORTS

_REFRESH: Final = "mailboxes.oauth_refresh"


@dataclass(frozen=True, slots=True)
class Server:
    """One mail server and whom to log in as there: with the password, or, where there is a grant, with a token.

    Without a user nobody logs in. `authority` holds certificates (PEM) to trust beside the system's.
    """

    host: str
    port: int
    security: Security = Security.TLS
    user: str = ""
    password: str = field(default="", repr=False)
    grant: Grant | None = None
    authority: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Its name and port, for people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox that is fetched: what one needs to know of it, its secrets closed. `folders` are (id, name)."""

    mailbox_id: int
    host: str
    port: int
    security: Security
    user: str
    login: LogIn
    authority: str = field(repr=False)
    folders: tuple[tuple[int, str], ...]
    password: Sealed | None
    oauth: tuple[str, str, str]
    oauth_secret: Sealed | None
    oauth_refresh: Sealed | None
    vault: Vault = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """The servers of a mailbox as they are kept, None where it has none: what `check_mailbox` takes."""

    imap: Server | None
    folders: tuple[str, ...]
    smtp: Server | None
    sender: str


def kept_servers(session: Session, mailbox_id: int) -> Kept:
    """Return the servers of a mailbox, its secrets opened. For the system. Raises NotFoundError, MissingKeyError."""
    mailbox, its = get_mailbox(session, mailbox_id), account(session, mailbox_id)
    imap = None if its is None else imap_server(its)
    return Kept(imap, tuple(mailbox.imap_folders), smtp_server(session, mailbox_id), mailbox.address)


def accounts(session: Session) -> list[Account]:
    """Return the active mailboxes that are fetched, by id. Folders that are new are noted. For the system."""
    fetched = (Mailbox.is_active, Mailbox.imap_host != "")
    return [_account(session, each) for each in session.scalars(_with_secrets().where(*fetched))]


def account(session: Session, mailbox_id: int) -> Account | None:
    """Return one mailbox, active or not; None where it is not fetched. For the system."""
    found = session.scalar(_with_secrets().where(Mailbox.id == mailbox_id, Mailbox.imap_host != ""))
    return None if found is None else _account(session, found)


def imap_server(account: Account) -> Server:
    """Return how the mailbox's mail is fetched, its secrets opened. Raises MissingKeyError, SecretError."""
    password, grant = "", None
    if account.login is LogIn.OAUTH2:
        url, client_id, scope = account.oauth
        secret = _opened(account.vault, account.oauth_secret, "oauth_secret", account.mailbox_id)
        refresh = _opened(account.vault, account.oauth_refresh, "oauth_refresh", account.mailbox_id)
        grant = Grant(url, client_id, secret, refresh, scope)
    else:
        password = _opened(account.vault, account.password, "imap_password", account.mailbox_id)
    return Server(account.host, account.port, account.security, account.user, password, grant, account.authority)


def smtp_server(session: Session, mailbox_id: int) -> Server | None:
    """Return how the mailbox's mail leaves, its secrets opened; None where it has no server of its own. For the system.

    Raises MissingKeyError, SecretError.
    """
    found = session.scalar(_with_secrets().where(Mailbox.id == mailbox_id, Mailbox.smtp_host != ""))
    if found is None:
        return None
    vault, port = resources_of(session).vault, found.smtp_port or PORTS["smtp_port"][found.smtp_security]
    is_bearer = found.login is LogIn.OAUTH2
    grant = imap_server(_account(session, found)).grant if is_bearer else None
    password = "" if is_bearer else _opened(vault, found.smtp_password, "smtp_password", mailbox_id)
    user = found.smtp_user or (found.address if grant else "")
    return Server(found.smtp_host, port, found.smtp_security, user, password, grant, found.authority)


def keep_refresh(session: Session, account: Account, refresh: str) -> None:
    """Keep what the next token is asked for with, unless somebody has entered another one meanwhile."""
    statement = _with_secrets().where(Mailbox.id == account.mailbox_id).with_for_update()
    found = session.scalars(statement).one()
    if found.oauth_refresh == account.oauth_refresh:
        found.oauth_refresh = account.vault.seal(refresh, _REFRESH, account.mailbox_id)


def _with_secrets() -> Select[Mailbox]:
    secrets = (Mailbox.imap_password, Mailbox.smtp_password, Mailbox.oauth_secret, Mailbox.oauth_refresh)
    fresh = {"populate_existing": True}  # a session may have read the mailbox without them
    return select(Mailbox).options(*map(undefer, secrets)).order_by(Mailbox.id).execution_options(**fresh)


def _account(session: Session, mailbox: Mailbox) -> Account:
    return Account(
        mailbox_id=mailbox.id,
        host=mailbox.imap_host,
        port=mailbox.imap_port or PORTS["imap_port"][mailbox.imap_security],
        security=mailbox.imap_security,
        user=mailbox.imap_user or mailbox.address,
        login=mailbox.login,
        authority=mailbox.authority,
        folders=tuple((_folder_id(session, mailbox.id, name), name) for name in dict.fromkeys(mailbox.imap_folders)),
        password=mailbox.imap_password,
        oauth=(mailbox.oauth_token_url, mailbox.oauth_client_id, mailbox.oauth_scope),
        oauth_secret=mailbox.oauth_secret,
        oauth_refresh=mailbox.oauth_refresh,
        vault=resources_of(session).vault,
    )


def _folder_id(session: Session, mailbox_id: int, name: str) -> int:
    its = select(MailboxFolder.id).where(MailboxFolder.mailbox_id == mailbox_id, MailboxFolder.name == name)
    known = session.scalar(its)
    if known is None:
        row = {"mailbox_id": mailbox_id, "name": name}
        session.execute(insert(MailboxFolder).values(row).on_conflict_do_nothing())
        known = session.scalars(its).one()
    return known


def _opened(vault: Vault, sealed: Sealed | None, name: str, mailbox_id: int) -> str:
    return "" if sealed is None else vault.open(sealed, f"mailboxes.{name}", mailbox_id)
