"""The passwords with which Deskbell logs in to its database, and how they change while it runs.

See docs/decisions/0008-credentials.md.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import psycopg
from psycopg import sql

from deskbell.kernel.access import APPLICATION, READ_ONLY
from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect
from deskbell.kernel.crypto import derive
from deskbell.kernel.errors import SetupError

ROLES: Final = (APPLICATION, READ_ONLY)
_PATIENCE: Final = 10
"""Seconds to wait for an answer to which there is another way."""
_LOCK: Final = 0x726F74617465  # "rotate"
_GENERATION: Final = re.compile(r"password generation (\d{1,9})")
_READ = "select shobj_description(oid, 'pg_authid') from pg_roles where rolname = %s"
_FILE: Final = "DESKBELL_DATABASE_PASSWORD_FILE"


@dataclass(frozen=True, slots=True)
class FileSecret:
    """A password that stands in a file which others write: a mounted secret, or what an agent of a vault renews."""

    path: Path

    def current(self) -> str:
        """Return what the file holds, without the end of its line. Raises SetupError."""
        try:
            password = self.path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise SetupError(f"The file {self.path} that {_FILE} names cannot be read: {reason}.") from error
        if not password or "\0" in password:
            raise SetupError(f"The file {self.path} that {_FILE} names holds no password.")
        return password

    def renew(self, refused: str) -> bool:
        """Whether the file holds another one by now."""
        return self.current() != refused


class Logins:
    """The passwords of the roles that log in, derived from the master key and from how often they were changed.

    That number, the generation, stands in the comment on the application role: it is the server's, as the roles are,
    and everybody may read it.
    """

    def __init__(self, key: bytes, admin: Address) -> None:
        """`admin` is a way in that may create roles."""
        self._key, self._admin = key, admin
        self._lock = Lock()
        self.generation = 1

    def password(self, role: str) -> str:
        """Return the password of a role, as far as is known."""
        return derive(self._key, f"role:{role}" if self.generation == 1 else f"role:{role}:{self.generation}")

    def passwords(self) -> dict[str, str]:
        """Return the password of each role that logs in."""
        return {role: self.password(role) for role in ROLES}

    def way_in(self, role: str) -> Address:
        """Return the role's way to the database; its password is always the latest one."""
        return self._admin.as_role(role, "").with_secret(_Derived(self, role))

    def look(self) -> None:
        """Look the generation up; it stays as it is where the server cannot be asked."""
        for database in (self._admin.database, "postgres"):  # the first may still have to be made
            with suppress(psycopg.OperationalError, SetupError):
                with connect(self._admin.to_database(database), connect_timeout=_PATIENCE) as connection:
                    self.generation = _generation(connection)
                return

    def renew(self, role: str, refused: str) -> bool:
        """Whether the role has another password by now. Of many that are refused at once, one looks."""
        with self._lock:
            if self.password(role) == refused:
                self.look()
            return self.password(role) != refused

    def rotate(self) -> int:
        """Give both roles their next passwords; return the generation. Connections that are open stay so.

        Whoever connects with the previous password is refused, looks, and finds the next one. Raises psycopg.Error.
        """
        with connect(self._admin) as connection:
            connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            self.generation = _generation(connection) + 1
            for role, password in self.passwords().items():
                statement = sql.SQL("alter role {} password {}")
                connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
            note = f"Deskbell's application; password generation {self.generation}"
            statement = sql.SQL("comment on role {} is {}")
            connection.execute(statement.format(sql.Identifier(APPLICATION), sql.Literal(note)))
        return self.generation


@dataclass(frozen=True, slots=True)
class _Derived:
    logins: Logins
    role: str

    def current(self) -> str:
        return self.logins.password(self.role)

    def renew(self, refused: str) -> bool:
        return self.logins.renew(self.role, refused)


def _generation(connection: psycopg.Connection) -> int:
    row = connection.execute(_READ, (APPLICATION,)).fetchone()
    found = _GENERATION.search(row[0] or "") if row else None
    return int(found[1]) if found else 1
