"""Every setting: its name, its unit, its default. Read once at the edge from the environment, passed on as values.

`DESKBELL_DATABASE_POOL_SIZE=20` sets `Settings.database.pool_size`. Groups are frozen; rules take plain values, not
these.
"""

import os
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

_config = partial(SettingsConfigDict, frozen=True, extra="ignore", env_ignore_empty=True)


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


def _rate(text: str) -> str:
    from limits import parse_many  # noqa: PLC0415 - only where the rate is set

    try:
        [rate] = parse_many(text)
    except ValueError:
        rate = None
    if rate is None or rate.amount < 1:
        raise PydanticCustomError("rate", "Input should be a rate such as 10/minute")
    return text


Folder = Annotated[Path, AfterValidator(_expanded)]


class DatabaseSettings(BaseSettings):
    """`DESKBELL_DATABASE_*`: which server, and how patiently Deskbell deals with it."""

    model_config = _config(env_prefix="DESKBELL_DATABASE_")

    url: SecretStr | None = Field(None, description="A running PostgreSQL ≥ 15, as a role that may create roles.")
    profile: Literal["standard", "production"] = Field("standard", description="Production doubles both pool sizes.")
    pool_size: int | None = Field(None, ge=1, description="Connections kept open: 10, in production 20.")
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


class WebSettings(BaseSettings):
    """`DESKBELL_WEB_*`: the HTTP server."""

    model_config = _config(env_prefix="DESKBELL_WEB_")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    session_days: int = Field(14, ge=1, description="Days after which a login ends.")
    login_rate: Annotated[str, AfterValidator(_rate)] = Field(
        "10/minute", description="Log-in attempts allowed per address and per account."
    )
    run_worker: bool = Field(True, description="Run jobs inside `deskbell serve`.")
    forwarded_allow_ips: str = Field("127.0.0.1", description="Proxies whose X-Forwarded-* headers are believed.")


class StorageSettings(BaseSettings):
    """`DESKBELL_STORAGE_*`: where attachments lie."""

    model_config = _config(env_prefix="DESKBELL_STORAGE_")

    path: Folder | None = Field(None, description="Folder of the attachments; default: in the data directory.")
    max_bytes: int = Field(25 * 1024 * 1024, ge=1, description="Largest attachment, in bytes.")


class TicketSettings(BaseSettings):
    """`DESKBELL_TICKET_*`: how tickets are numbered."""

    model_config = _config(env_prefix="DESKBELL_TICKET_")

    prefix: str = Field("DB-", pattern=r"^[A-Z][A-Z0-9]{0,9}[-#]?$", description="What ticket numbers begin with.")


class MailSettings(BaseSettings):
    """`DESKBELL_MAIL_*`: how incoming mail is read."""

    model_config = _config(env_prefix="DESKBELL_MAIL_")

    max_bytes: int = Field(100 * 1024 * 1024, ge=1, description="A larger message is kept, but not read.")


class Settings(BaseSettings):
    """`DESKBELL_*`: everything."""

    model_config = _config(env_prefix="DESKBELL_")

    data_dir: Folder = Field(
        default_factory=_default_data_dir, description="The embedded database, secrets, attachments."
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs cookies and cursors; default: made once, kept in data_dir."
    )
    default_actor: str = Field("", description="E-mail address the CLI acts as; default: the system.")

    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    ticket: TicketSettings = Field(default_factory=TicketSettings)
    mail: MailSettings = Field(default_factory=MailSettings)

    @property
    def attachments_dir(self) -> Path:
        """Where attachments lie."""
        return self.storage.path or self.data_dir / "attachments"

    @property
    def session_lifetime(self) -> timedelta:
        """How long a login lasts."""
        return timedelta(days=self.web.session_days)
