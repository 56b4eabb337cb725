"""A desk, ready to work: settings become a server, a schema, a database and what use cases need beside it.

The edges (web, worker, CLI, tests) open one of these and pass its parts on as values.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from deskbell.audit.recording import AccessRecorder
from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.cache import Cache
from deskbell.kernel.clock import Clock, SystemClock
from deskbell.kernel.credentials import FileSecret, Logins
from deskbell.kernel.crypto import derive, load_master_key
from deskbell.kernel.database import Database, set_default_database
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.errors import InvalidError, SetupError
from deskbell.kernel.keyring import KeyRing
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.mail_rules import Allowance, MailRules, allowance
from deskbell.kernel.reach import Reach, SmtpServer
from deskbell.kernel.remembering import Lately
from deskbell.kernel.replicas import Standbys
from deskbell.kernel.resources import Resources
from deskbell.kernel.roles import can_log_in, prepare_server, set_own_password
from deskbell.kernel.settings import UNLIMITED, Settings
from deskbell.kernel.tls import secured
from deskbell.kernel.upkeep import make_partitions
from deskbell.kernel.vault import Vault
from deskbell.migrations.runner import Migrator
from deskbell.wiring import CONSTRAINT_ERRORS, FIELDS, HANDLERS

DATABASE_NAME = "deskbell"
_LATELY = 2.0
"""Seconds for which a process may not know what others have changed, where that may be a little late."""
_OTHER_KEY = (
    "The database in {} was made with another DESKBELL_SECRET_KEY, or another secret.key in that folder. Set the same "
    "key again, or run `deskbell db adopt` to make the present one the valid one."
)
_NO_URL = "DESKBELL_DATABASE_PASSWORD_FILE is about DESKBELL_DATABASE_URL, which is not set: set it, or unset the file."


@dataclass(frozen=True, slots=True)
class Desk:
    """The open desk. `admin` is a way in that may become the owner: for migrations and `db shell --owner` alone."""

    settings: Settings
    key: bytes
    admin: Address
    logins: Logins
    database: Database
    resources: Resources
    access: AccessRecorder | None = None
    """Where it is noted who read what; None where nobody wants to know."""

    @property
    def migrator(self) -> Migrator:
        """The schema."""
        return Migrator(self.admin)

    @property
    def read_only(self) -> Address:
        """The way in for reports."""
        return self.logins.way_in(READ_ONLY)


@contextmanager
def open_desk(settings: Settings, *, clock: Clock | None = None) -> Iterator[Desk]:
    """Start or join the server, make the roles where they are missing, and close all of it in the end.

    The schema is left as it is: see `ensure_schema`. Raises SetupError with one line of what must be put right.
    """
    with ExitStack() as stack:
        key = _key(settings)
        admin = _server(settings, key, stack)
        logins = Logins(key, admin)
        logins.look()
        application = logins.way_in(APPLICATION)
        if not can_log_in(application):
            embedded = settings.database.url is None
            if embedded and not can_log_in(admin.to_database("postgres")):
                raise SetupError(_OTHER_KEY.format(settings.data_dir))
            prepare_server(admin, logins.passwords(), adopt=embedded)  # that server is nobody else's
        resources = _resources(settings, key, clock or SystemClock(), _cache(settings, key, stack))
        database = Database(
            application,
            settings.database,
            handlers=HANDLERS,
            constraint_errors=CONSTRAINT_ERRORS,
            resources=resources,
            fields=FIELDS,
            parameters={"deskbell.ticket_prefix": settings.ticket.prefix},
            standbys=_standbys(settings, application),
        )
        stack.callback(database.close)
        set_default_database(database)
        stack.callback(set_default_database, None)
        access = _access_log(settings, database, resources, stack)
        yield Desk(settings, key, admin, logins, database, resources, access)


def adopt(settings: Settings) -> Address:
    """Give the server's roles the passwords of this installation's key: whoever has another key no longer gets in.

    Return the way by which the server was reached. Raises SetupError.
    """
    with ExitStack() as stack:
        key = _key(settings)
        admin = _server(settings, key, stack, adopt=True)
        logins = Logins(key, admin)
        logins.look()
        prepare_server(admin, logins.passwords(), adopt=True)
        return admin


def ensure_schema(desk: Desk, *, upgrade: bool) -> None:
    """Bring the schema up to date, or say that it is not. A new or embedded database is always brought up to date."""
    migrator = desk.migrator
    status = migrator.status()
    if not status.is_current:
        if not (upgrade or status.current is None or desk.settings.database.url is None):
            count = len(status.pending)
            message = f"The database lacks {count} migration(s). Run `deskbell db upgrade` first."
            raise SetupError(message)
        migrator.upgrade()
    with desk.database.transaction(Actor.system(Channel.JOB, act="make partitions")) as session:
        make_partitions(session)


def _key(settings: Settings) -> bytes:
    configured = settings.secret_key.get_secret_value() if settings.secret_key else None
    return load_master_key(settings.data_dir, configured)


def _server(settings: Settings, key: bytes, stack: ExitStack, *, adopt: bool = False) -> Address:
    if settings.database.url is not None:
        address = secured(Address.parse(settings.database.url.get_secret_value()), settings.database)
        file = settings.database.password_file
        return address if file is None else address.with_secret(FileSecret(file))
    if settings.database.password_file is not None:
        raise InvalidError(_NO_URL, field="password_file")
    password = derive(key, "role:superuser")
    embedded = EmbeddedPostgres(
        settings.data_dir,
        superuser_password=password,
        bin_dir=settings.postgres.bin_dir,
        start_timeout=settings.postgres.start_timeout,
    )
    stack.callback(embedded.stop)
    server = embedded.start()
    admin = Address(str(server.socket_dir), server.port, DATABASE_NAME, server.superuser, password)
    if adopt and not can_log_in(admin.to_database("postgres")):
        with embedded.without_password():
            set_own_password(admin.to_database("postgres"))
    return admin


def _standbys(settings: Settings, application: Address) -> Standbys:
    """Say where the replicas are. A standby has the primary's roles, with their passwords, and the same TLS."""
    addresses = (Address.parse(url, setting="DESKBELL_REPLICA_URL") for url in settings.replica.urls())
    ours = tuple(application.on_server_of(secured(address, settings.database)) for address in addresses)
    return Standbys(ours, settings.replica.max_lag)


def _cache(settings: Settings, key: bytes, stack: ExitStack) -> Cache | None:
    if settings.cache.url is None:
        return None
    cache = Cache(settings.cache, key)
    stack.callback(cache.close)
    return cache


def _access_log(
    settings: Settings, database: Database, resources: Resources, stack: ExitStack
) -> AccessRecorder | None:
    if not settings.access_log.enabled:
        return None
    recorder = AccessRecorder(database, clock=resources.clock, room=settings.access_log.buffer)
    stack.callback(recorder.close)
    return recorder


def _ring(settings: Settings, key: bytes) -> KeyRing:
    texts = settings.encryption_keys.get_secret_value() if settings.encryption_keys else ""
    return KeyRing.configured(key, texts, is_text=settings.secret_key is not None)


def _resources(settings: Settings, key: bytes, clock: Clock, cache: Cache | None) -> Resources:
    ring = _ring(settings, key)
    return Resources(
        clock=clock,
        storage=LocalStorage(settings.attachments_dir, ring, seal=settings.storage.encrypt),
        ticket_prefix=settings.ticket.prefix,
        attachment_bytes=settings.storage.max_bytes,
        mail_bytes=settings.mail.max_bytes,
        delivery_bytes=settings.mail.accept_bytes,
        undo=timedelta(seconds=settings.workspace.undo_seconds),
        audit_months=settings.audit.months,
        access_months=settings.access_log.months,
        cache=cache,
        folders=_folders(settings),
        vault=Vault(ring),
        reach=_reach(settings, key),
        mail=_mail_rules(settings),
        lately=Lately(_LATELY),
    )


def _mail_rules(settings: Settings) -> MailRules:
    mail = settings.mail
    return MailRules(
        sender=_allowance(mail.sender_limit),
        ticket=_allowance(mail.ticket_limit),
        acknowledge=mail.acknowledge,
        acknowledged=_allowance(mail.acknowledge_limit),
    )


def _allowance(rate: str) -> Allowance | None:
    return None if rate == UNLIMITED else allowance(rate)


def _reach(settings: Settings, key: bytes) -> Reach:
    smtp, portal, web, mail = settings.smtp, settings.portal, settings.web, settings.mail
    password = smtp.password.get_secret_value() if smtp.password else ""
    port = smtp.port or {"starttls": 587, "tls": 465, "none": 25}[smtp.tls]
    server = SmtpServer(smtp.host, port, smtp.tls, smtp.user, password, smtp.timeout)
    return Reach(
        site_url=web.url or f"http://{web.host}:{web.port}",
        tells_requesters=portal.notices,
        tells_desk=mail.notices,
        attach_bytes=mail.attach_bytes,
        quotes=mail.quote,
        server=server if smtp.host else None,
        sender=smtp.sender,
        reply_to=smtp.reply_to,
        registration=portal.registration,
        domains=tuple(portal.domains.lower().split()),
        link_lifetime=timedelta(days=portal.link_days),
        link_generation=portal.link_generation,
        key=key,
    )


def _folders(settings: Settings) -> dict[str, Path]:
    embedded = {"database": settings.data_dir} if settings.database.url is None else {}
    return {"attachments": settings.attachments_dir, **embedded}
