"""A desk, ready to work: settings become a server, a schema, a database and what use cases need beside it.

The edges (web, worker, CLI, tests) open one of these and pass its parts on as values.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.clock import Clock, SystemClock
from deskbell.kernel.crypto import derive, load_master_key
from deskbell.kernel.database import Database, set_default_database
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.errors import SetupError
from deskbell.kernel.resources import Resources
from deskbell.kernel.roles import can_log_in, prepare_server, set_own_password
from deskbell.kernel.settings import Settings
from deskbell.kernel.storage import LocalStorage
from deskbell.kernel.upkeep import make_partitions
from deskbell.migrations.runner import Migrator
from deskbell.wiring import CONSTRAINT_ERRORS, FIELDS, HANDLERS

DATABASE_NAME = "deskbell"
_OTHER_KEY = (
    "The database in {} was made with another DESKBELL_SECRET_KEY, or another secret.key in that folder. Set the same "
    "key again, or run `deskbell db adopt` to make the present one the valid one."
)


@dataclass(frozen=True, slots=True)
class Desk:
    """The open desk. `admin` is a way in that may become the owner: for migrations and `db shell --owner` alone."""

    settings: Settings
    key: bytes
    admin: Address
    database: Database
    resources: Resources

    @property
    def migrator(self) -> Migrator:
        """The schema."""
        return Migrator(self.admin)

    @property
    def read_only(self) -> Address:
        """The way in for reports."""
        return self.admin.as_role(READ_ONLY, _passwords(self.key)[READ_ONLY])


@contextmanager
def open_desk(settings: Settings, *, clock: Clock | None = None) -> Iterator[Desk]:
    """Start or join the server, make the roles where they are missing, and close all of it in the end.

    The schema is left as it is: see `ensure_schema`. Raises SetupError with one line of what must be put right.
    """
    with ExitStack() as stack:
        key = _key(settings)
        admin = _server(settings, key, stack)
        application = admin.as_role(APPLICATION, _passwords(key)[APPLICATION])
        if not can_log_in(application):
            embedded = settings.database.url is None
            if embedded and not can_log_in(admin.to_database("postgres")):
                raise SetupError(_OTHER_KEY.format(settings.data_dir))
            prepare_server(admin, _passwords(key), adopt=embedded)  # that server is nobody else's
        resources = _resources(settings, clock or SystemClock())
        database = Database(
            application,
            settings.database,
            handlers=HANDLERS,
            constraint_errors=CONSTRAINT_ERRORS,
            resources=resources,
            fields=FIELDS,
            parameters={"deskbell.ticket_prefix": settings.ticket.prefix},
        )
        stack.callback(database.close)
        set_default_database(database)
        stack.callback(set_default_database, None)
        yield Desk(settings, key, admin, database, resources)


def adopt(settings: Settings) -> Address:
    """Give the server's roles the passwords of this installation's key: whoever has another key no longer gets in.

    Return the way by which the server was reached. Raises SetupError.
    """
    with ExitStack() as stack:
        key = _key(settings)
        admin = _server(settings, key, stack, adopt=True)
        prepare_server(admin, _passwords(key), adopt=True)
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


def _passwords(key: bytes) -> dict[str, str]:
    return {role: derive(key, f"role:{role}") for role in (APPLICATION, READ_ONLY)}


def _server(settings: Settings, key: bytes, stack: ExitStack, *, adopt: bool = False) -> Address:
    if settings.database.url is not None:
        return Address.parse(settings.database.url.get_secret_value())
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


def _resources(settings: Settings, clock: Clock) -> Resources:
    return Resources(
        clock=clock,
        storage=LocalStorage(settings.attachments_dir),
        ticket_prefix=settings.ticket.prefix,
        attachment_bytes=settings.storage.max_bytes,
        mail_bytes=settings.mail.max_bytes,
    )
