"""Every setting: its name, its unit, its default. Read once at the edge from the environment, passed on as values.

`DESKBELL_DATABASE_POOL_SIZE=20` sets `Settings.database.pool_size`. Groups are frozen; rules take plain values, not
these.
"""

import os
from datetime import timedelta
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deskbell.kernel.doors import doors_in, networks_in
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.reach import SmtpTls

_config = partial(SettingsConfigDict, frozen=True, extra="ignore", env_ignore_empty=True)
_MOST_MONTHS = 1200
"""A hundred years; for longer there is 0."""


def _default_data_dir() -> Path:
    """Follow the XDG Base Directory Specification 0.8."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "deskbell"


def _expanded(path: Path) -> Path:
    """Take `~` for the home folder, as a shell does where it is not within quotes."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise PydanticCustomError("home", "Input should be a folder; there is no such user") from error


def _certificates(text: str) -> str:
    return text if text == SYSTEM else str(_expanded(Path(text)))


def _rate(text: str) -> str:
    from limits import parse_many  # noqa: PLC0415 - only where the rate is set

    try:
        [rate] = parse_many(text)
    except ValueError:
        rate = None
    if rate is None or rate.amount < 1:
        raise PydanticCustomError("rate", "Input should be a rate such as 10/minute")
    return text


def _rate_or_none(text: str) -> str:
    return text if text == UNLIMITED else _rate(text)


SYSTEM: Final = "system"
"""Instead of a file: the authorities that this machine trusts."""

UNLIMITED: Final = "off"
"""Instead of a rate: none."""


def _cache_url(url: SecretStr) -> SecretStr:
    """Refuse what is no address of a Redis, without repeating it: there may be a password in it."""
    try:
        parts = urlsplit(url.get_secret_value())
        is_good = (parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0) or (
            parts.scheme == "unix" and bool(parts.path)
        )
    except ValueError:
        is_good = False
    if not is_good:
        forms = "redis://:password@host:6379/0, rediss:// for TLS, or unix:///path/to/socket"
        raise PydanticCustomError("cache_url", "Input should be an address of Redis or Valkey: " + forms)
    return url


def _months(least: int, months: int) -> int:
    if months != 0 and not least <= months <= _MOST_MONTHS:
        raise PydanticCustomError("months", f"Input should be 0 or from {least} to {_MOST_MONTHS} months")
    return months


def _doors(text: str) -> str:
    try:
        doors_in(text)
    except ValueError:
        forms = "lmtp://127.0.0.1:2424, smtp://0.0.0.0:2525 or lmtp+unix:///run/deskbell/lmtp"
        raise PydanticCustomError("doors", "Input should be addresses like " + forms) from None
    return text


def _networks(text: str) -> str:
    try:
        networks_in(text)
    except ValueError:
        raise PydanticCustomError("networks", "Input should be networks like 192.0.2.0/24 2001:db8::1") from None
    return text


def _site(url: str | None) -> str | None:
    try:
        parts = urlsplit(url or "http://unset")
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment
    except ValueError:
        is_good = False
    if not is_good or any(not character.isprintable() or character.isspace() for character in url or ""):
        raise PydanticCustomError("site", "Input should be an address like https://help.example.org")
    return url.rstrip("/") if url else None


def _mailbox(text: str) -> str:
    """Take an address, or a name with an address in angle brackets (RFC 5322, 3.4)."""
    from deskbell.kernel.text import clean_email  # noqa: PLC0415 - only where one is set

    name, address = parseaddr(text)
    try:
        clean_email(address)
        is_good = text.isprintable() and text.strip() in {address, f"{name} <{address}>", f'"{name}" <{address}>'}
    except InvalidError:
        is_good = False
    if text and not is_good:
        raise PydanticCustomError("mailbox", "Input should be an address like Help <help@example.org>")
    return text.strip()


Mailbox = Annotated[str, AfterValidator(_mailbox)]
Folder = Annotated[Path, AfterValidator(_expanded)]
File = Folder
Rate = Annotated[str, AfterValidator(_rate_or_none)]


TlsMode = Literal["disable", "prefer", "require", "verify-ca", "verify-full"]
"""How sure one wants to be of the way to the server and of who it is, as libpq names it."""


class DatabaseSettings(BaseSettings):
    """`DESKBELL_DATABASE_*`: which server, and how patiently Deskbell deals with it."""

    model_config = _config(env_prefix="DESKBELL_DATABASE_")

    url: SecretStr | None = Field(None, description="A running PostgreSQL ≥ 15, as a role that may create roles.")
    password_file: File | None = Field(None, description="A file with the URL's password, read for each connection.")
    tls: TlsMode | None = Field(
        None, description="disable, prefer, require, verify-ca or verify-full; default: see the how-to about TLS."
    )
    tls_root_cert: Annotated[str, AfterValidator(_certificates)] | None = Field(
        None, description="File of the authorities that may vouch for the server, or `system` for this machine's."
    )
    tls_cert: File | None = Field(None, description="File of the certificate that Deskbell shows to the server.")
    tls_key: File | None = Field(None, description="File of that certificate's key, readable for Deskbell alone.")
    profile: Literal["standard", "production"] = Field(
        "standard", description="Production doubles both pool sizes, and checks who a server elsewhere is (TLS)."
    )
    pool_size: int | None = Field(
        None, ge=1, description="Connections that a pool keeps open: 10, in production 20. A web process has three."
    )
    max_overflow: int | None = Field(None, ge=0, description="Further connections under load: 20, in production 40.")
    pool_timeout: float = Field(30, gt=0, description="Seconds to wait for a connection from the pool.")
    pool_recycle: int = Field(3600, gt=0, description="Seconds after which a connection is replaced.")
    connect_timeout: int = Field(30, gt=0, description="Seconds to wait for the server to accept a connection.")
    command_timeout: int = Field(60, gt=0, description="Seconds after which a statement is given up.")
    statement_timeout: int = Field(60, gt=0, description="Seconds after which the server ends a statement.")
    lock_timeout: int = Field(10, gt=0, description="Seconds to wait for a lock.")
    idle_in_transaction_timeout: int = Field(60, gt=0, description="Seconds a transaction may sit idle.")
    work_mem: str = Field(
        "32MB", pattern=r"^\d+(kB|MB|GB)$", description="Memory of a sort or hash before it goes to disk."
    )
    random_page_cost: float = Field(
        1.1, gt=0, description="What the planner thinks of reading a page anywhere: 1.1 for SSDs, 4 for turning disks."
    )
    parallel_workers: int = Field(
        0, ge=0, description="Processes that may help with one statement; a desk has many small ones instead."
    )
    application_name: str = Field("deskbell", description="How Deskbell shows in pg_stat_activity.")

    def pool_sizes(self) -> tuple[int, int]:
        """(connections kept, further ones under load)."""
        size, overflow = (20, 40) if self.profile == "production" else (10, 20)
        return self.pool_size or size, overflow if self.max_overflow is None else self.max_overflow


class PostgresSettings(BaseSettings):
    """`DESKBELL_POSTGRES_*`: the embedded server, used when no database URL is set."""

    model_config = _config(env_prefix="DESKBELL_POSTGRES_")

    bin_dir: Folder | None = Field(None, description="Use this PostgreSQL (≥ 15) instead of the one in the wheel.")
    start_timeout: float = Field(60, gt=0, description="Seconds to wait for the embedded server to accept connections.")


class ReplicaSettings(BaseSettings):
    """`DESKBELL_REPLICA_*`: copies of the database that answer questions about many tickets."""

    model_config = _config(env_prefix="DESKBELL_REPLICA_")

    url: SecretStr | None = Field(None, description="A standby of the database; several are separated by spaces.")
    max_lag: float = Field(
        1, ge=0, le=60, description="Seconds that a replica may lie behind and is waited for; then the primary answers."
    )

    def urls(self) -> list[str]:
        """The URLs of all of them."""
        return self.url.get_secret_value().split() if self.url else []


class WebSettings(BaseSettings):
    """`DESKBELL_WEB_*`: the HTTP server."""

    model_config = _config(env_prefix="DESKBELL_WEB_")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    session_days: int = Field(14, ge=1, description="Days after which a login ends.")
    login_rate: Annotated[str, AfterValidator(_rate)] = Field(
        "10/minute", description="Log-in attempts allowed per address and per account."
    )
    request_rate: Rate = Field("100/second", description="Requests of one person, beside those with a rate of theirs.")
    search_rate: Rate = Field("20/second", description="Searches of one person, lists with a query among them.")
    completion_rate: Rate = Field("30/second", description="Completions of a query of one person.")
    figures_rate: Rate = Field("5/second", description="Statistics and counts of one person.")
    history_rate: Rate = Field("20/second", description="Histories and pages of the audit log of one person.")
    bulk_rate: Rate = Field("60/minute", description="Changes of many tickets at once, and imports, of one person.")
    refused_rate: Rate = Field("60/minute", description="Tokens and sessions that are none, from one address.")
    link_rate: Annotated[str, AfterValidator(_rate)] = Field(
        "20/hour", description="Mails with a link to get in, asked for by one network address."
    )
    mailbox_rate: Annotated[str, AfterValidator(_rate)] = Field(
        "5/hour", description="The same, to one e-mail address."
    )
    url: Annotated[str | None, AfterValidator(_site)] = Field(
        None, description="Where people reach the desk, for links in mails; default: http:// with host and port."
    )
    run_worker: bool = Field(True, description="Run jobs inside `deskbell serve`.")
    forwarded_allow_ips: str = Field("127.0.0.1", description="Proxies whose X-Forwarded-* headers are believed.")


class CacheSettings(BaseSettings):
    """`DESKBELL_CACHE_*`: a Redis or Valkey that remembers results which were dear to compute."""

    model_config = _config(env_prefix="DESKBELL_CACHE_")

    url: Annotated[SecretStr, AfterValidator(_cache_url)] | None = Field(
        None,
        description="Address of a Redis or Valkey, redis://, rediss:// or unix://; default: nothing is remembered.",
    )
    lifetime: int = Field(3600, ge=1, le=604_800, description="Seconds after which a result is forgotten.")
    timeout: float = Field(0.1, gt=0, le=1, description="Seconds to wait for the cache before doing without it.")
    retry_after: float = Field(5, gt=0, description="Seconds to do without a cache that failed before trying again.")


class StorageSettings(BaseSettings):
    """`DESKBELL_STORAGE_*`: where attachments lie."""

    model_config = _config(env_prefix="DESKBELL_STORAGE_")

    path: Folder | None = Field(None, description="Folder of the attachments; default: in the data directory.")
    max_bytes: int = Field(25 * 1024 * 1024, ge=1, description="Largest attachment, in bytes.")
    encrypt: bool = Field(False, description="Encrypt attachments on the disk.")


class TicketSettings(BaseSettings):
    """`DESKBELL_TICKET_*`: how tickets are numbered."""

    model_config = _config(env_prefix="DESKBELL_TICKET_")

    prefix: str = Field("DB-", pattern=r"^[A-Z][A-Z0-9]{0,9}[-#]?$", description="What ticket numbers begin with.")


class WorkspaceSettings(BaseSettings):
    """`DESKBELL_WORKSPACE_*`: the pages of agents."""

    model_config = _config(env_prefix="DESKBELL_WORKSPACE_")

    undo_seconds: int = Field(
        10, ge=0, le=600, description="Seconds in which sending a message can be undone; 0: it is sent at once."
    )


class MailSettings(BaseSettings):
    """`DESKBELL_MAIL_*`: how incoming mail is read."""

    model_config = _config(env_prefix="DESKBELL_MAIL_")

    max_bytes: int = Field(100 * 1024 * 1024, ge=1, description="A larger message is kept, but not read.")
    poll_seconds: float = Field(
        60, ge=5, le=1500, description="Seconds after which a folder is looked into again; IDLE tells of mail at once."
    )
    sender_limit: Rate = Field(
        "20/10 minutes", description="Tickets that one address opens by mail; further messages wait for a decision."
    )
    ticket_limit: Rate = Field(
        "30/10 minutes", description="Mails that one ticket takes; further ones wait for a decision."
    )
    acknowledge: bool = Field(
        False, description="Acknowledge requests by mail that came to no mailbox; each mailbox says so itself."
    )
    acknowledge_limit: Rate = Field("5/hour", description="Acknowledgements that one person gets.")
    accept_bytes: int = Field(
        64 * 1024 * 1024,
        ge=64 * 1024,
        le=512 * 1024 * 1024,
        description="Largest message that servers, pipes and programs may deliver; a larger one is refused.",
    )
    listen: Annotated[str, AfterValidator(_doors)] = Field(
        "", description="Where mail servers deliver, such as lmtp://127.0.0.1:2424, between spaces; default: nowhere."
    )
    listen_networks: Annotated[str, AfterValidator(_networks)] = Field(
        "", description="Networks from which they may, beside this machine, such as 192.0.2.0/24, between spaces."
    )
    listen_cert: File | None = Field(
        None, description="File of the certificate for STARTTLS; default: none is offered."
    )
    listen_key: File | None = Field(None, description="File of its key; default: the certificate's file holds it.")
    listen_connections: int = Field(100, ge=1, le=10_000, description="Connections of mail servers at a time.")
    listen_recipients: int = Field(1000, ge=100, le=100_000, description="Recipients of one message.")
    listen_timeout: float = Field(
        300, gt=0, le=3600, description="Seconds to wait for a command, and for each 64 KB of a message."
    )
    listen_mode: str = Field("660", pattern=r"^[0-7]{3}$", description="Permissions of the file of a Unix socket.")
    attach_bytes: int = Field(
        10 * 1024 * 1024, ge=0, description="Files of an answer go along with its mail up to so many bytes in total."
    )
    quote: bool = Field(True, description="Quote the message before beneath an answer.")
    notices: bool = Field(True, description="Tell agents by mail what is new; each chooses of what.")


class SmtpSettings(BaseSettings):
    """`DESKBELL_SMTP_*`: the server that takes our mail."""

    model_config = _config(env_prefix="DESKBELL_SMTP_")

    host: str = Field("", description="Name of the server; default: none, and messages wait.")
    port: int | None = Field(None, ge=1, le=65535, description="Its port; default: 587, with tls 465, with none 25.")
    tls: SmtpTls = Field(
        "starttls", description="starttls: encrypt or do not send; tls: from the first byte on; none: never."
    )
    user: str = Field("", description="Whom to log in as; default: nobody.")
    password: SecretStr | None = Field(None, description="Their password.")
    sender: Mailbox = Field(
        "Deskbell <deskbell@localhost>", description="From whom the messages are: a name and an address."
    )
    reply_to: Mailbox = Field("", description="Where answers go; default: to the sender.")
    timeout: float = Field(30, gt=0, le=300, description="Seconds to wait for each answer of the server.")


class PortalSettings(BaseSettings):
    """`DESKBELL_PORTAL_*`: how customers come in and what they are told."""

    model_config = _config(env_prefix="DESKBELL_PORTAL_")

    registration: bool = Field(True, description="Let people register with their e-mail address.")
    domains: str = Field("", description="Domains whose addresses may register, between spaces; default: all.")
    notices: bool = Field(True, description="Tell requesters by mail that their request came in or was answered.")
    link_days: int = Field(30, ge=1, le=366, description="Days for which the link to a request in a mail is good.")
    link_generation: int = Field(
        1, ge=1, description="Raise it, and all links to requests that were sent are worthless."
    )


class AuditSettings(BaseSettings):
    """`DESKBELL_AUDIT_*`: how long the audit log is kept."""

    model_config = _config(env_prefix="DESKBELL_AUDIT_")

    months: Annotated[int, AfterValidator(partial(_months, 6))] = Field(
        0, description="Whole months of the audit log that are kept, 6 at least; 0: forever."
    )


class AccessLogSettings(BaseSettings):
    """`DESKBELL_ACCESS_LOG_*`: the record of who read what."""

    model_config = _config(env_prefix="DESKBELL_ACCESS_LOG_")

    enabled: bool = Field(True, description="Record who reads what.")
    months: Annotated[int, AfterValidator(partial(_months, 1))] = Field(
        12, description="Whole months of the access log that are kept; 0: forever."
    )
    buffer: int = Field(
        10_000, ge=100, description="Entries that a process keeps while the database is slow; further ones are lost."
    )


class Settings(BaseSettings):
    """`DESKBELL_*`: everything."""

    model_config = _config(env_prefix="DESKBELL_")

    data_dir: Folder = Field(
        default_factory=_default_data_dir, description="The embedded database, secrets, attachments."
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs cookies and cursors; default: made once, kept in data_dir."
    )
    encryption_keys: SecretStr | None = Field(
        None, description="Keys of secrets and attachments, newest first, between commas; default: from secret_key."
    )
    default_actor: str = Field("", description="E-mail address the CLI acts as; default: the system.")

    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    replica: ReplicaSettings = Field(default_factory=ReplicaSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    cache: CacheSettings = Field(default_factory=CacheSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    ticket: TicketSettings = Field(default_factory=TicketSettings)
    workspace: WorkspaceSettings = Field(default_factory=WorkspaceSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    smtp: SmtpSettings = Field(default_factory=SmtpSettings)
    portal: PortalSettings = Field(default_factory=PortalSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    access_log: AccessLogSettings = Field(default_factory=AccessLogSettings)

    @property
    def attachments_dir(self) -> Path:
        """Where attachments lie."""
        return self.storage.path or self.data_dir / "attachments"

    @property
    def session_lifetime(self) -> timedelta:
        """How long a login lasts."""
        return timedelta(days=self.web.session_days)
