"""Running migrations: as the owner, one process at a time, in bounded time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from psycopg.errors import LockNotAvailable, QueryCanceled
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from deskbell.kernel.access import OWNER
from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect
from deskbell.kernel.errors import InvalidError, SetupError
from deskbell.kernel.roles import prepare_server, prepare_statistics, unreachable

_LOCK = 0x6D69677261746573  # "migrates"
_ASK_AGAIN = 0.1
_TIMEOUTS = {"lock_timeout": "10s", "statement_timeout": "15min"}
_HELD_UP = (
    "A migration of the database {} had to wait too long, most likely for another program that uses its tables. "
    "The migrations before it stay. End long-running work, then run `deskbell db upgrade` again."
)


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The database's revision, the newest one known to this program, and how many lie between."""

    current: str | None
    head: str
    pending: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Whether nothing is to be done."""
        return self.current == self.head


class Migrator:
    """The schema of one database. `admin` is a role that may become `deskbell_owner`."""

    def __init__(self, admin: Address) -> None:
        """Nothing is connected yet."""
        self.admin = admin
        self.config = Config()
        self.config.set_main_option("script_location", str(Path(__file__).parent))
        self.config.set_main_option("path_separator", "os")
        self.script = ScriptDirectory.from_config(self.config)

    def status(self) -> SchemaStatus:
        """Compare the database with this program. Raises SetupError when the database is from a newer one."""
        with self._connection() as connection:
            return self._status(connection)

    def upgrade(self, revision: str = "head") -> SchemaStatus:
        """Apply what is missing; to an empty database also what must be there before the first migration."""
        with self._exclusively() as connection:
            before = self._status(connection)
            if before.current is None:
                prepare_server(self.admin, {})
            else:
                prepare_statistics(self.admin)
            if before.is_current and revision == "head":
                return before
            self._run(command.upgrade, revision, connection)
            return self._status(connection)

    def downgrade(self, revision: str) -> SchemaStatus:
        """Take migrations back, to a revision or by a number of steps (`-1`). Data of the dropped tables are lost."""
        with self._exclusively() as connection:
            self._run(command.downgrade, revision, connection)
            return self._status(connection)

    def differences(self) -> list[Any]:
        """Return what autogenerate would change: empty when migrations and models give the same schema."""
        with self._connection() as connection:
            from deskbell.migrations.metadata import include, target_metadata  # noqa: PLC0415 - all models, for this alone

            options = {"compare_type": True, "include_object": include}
            return list(compare_metadata(MigrationContext.configure(connection, opts=options), target_metadata))

    def revision(self, message: str) -> None:
        """Write a new migration from the difference between models and database."""
        with self._exclusively() as connection:
            self.config.attributes["connection"] = connection
            command.revision(self.config, message, autogenerate=True)

    def _run(self, act: Any, revision: str, connection: Connection) -> None:  # noqa: ANN401 - Alembic's commands
        self.config.attributes["connection"] = connection
        try:
            act(self.config, revision)
        except CommandError as error:
            raise InvalidError(f"Cannot go to revision {revision!r}: {error}.", field="revision") from error

    def _status(self, connection: Connection) -> SchemaStatus:
        with connection.begin():
            current = MigrationContext.configure(connection).get_current_revision()
        head = self.script.get_current_head() or ""
        try:
            revisions = list(self.script.iterate_revisions(head, current or "base"))
        except RevisionError as error:
            message = (
                f"The database {self.admin.database} is at revision {current}, which this Deskbell does not know: "
                "it was used by a newer one. Install that version again, or restore a backup."
            )
            raise SetupError(message) from error
        return SchemaStatus(current, head, tuple(revision.revision for revision in reversed(revisions)))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(self.admin, options=self.admin.options(_TIMEOUTS)),
            poolclass=NullPool,
        )
        try:
            with engine.connect() as connection:
                with connection.begin():
                    connection.execute(text(f"set role {OWNER}"))
                yield connection
        except (OperationalError, psycopg.OperationalError) as error:  # whole files go past SQLAlchemy
            cause = getattr(error, "orig", None) or error
            if isinstance(cause, LockNotAvailable | QueryCanceled):
                raise SetupError(_HELD_UP.format(self.admin.database)) from error
            raise SetupError(unreachable(self.admin, cause)) from error

    @contextmanager
    def _exclusively(self) -> Iterator[Connection]:
        with self._connection() as connection:
            # Asked again and again: a statement that waits holds a snapshot, for which CREATE INDEX CONCURRENTLY waits.
            while not _locked(connection):
                time.sleep(_ASK_AGAIN)
            yield connection


def _locked(connection: Connection) -> bool:
    with connection.begin():
        return bool(connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK}))
