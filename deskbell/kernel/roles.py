"""The database roles: made once per server, before the first migration, by a role that may create roles.

deskbell_owner     owns the schema and nothing else; migrations run as it
deskbell_app       the application logs in as it; owns nothing, inherits nothing, may become the four actor roles
deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system   what an actor is; see `kernel.access`
deskbell_readonly  logs in for reports: reads everything but secrets
"""

import time
from collections.abc import Callable, Iterator

import psycopg
from psycopg import errors, sql

from deskbell.kernel.access import ACTOR_ROLES, APPLICATION, OWNER, READ_ONLY
from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect
from deskbell.kernel.errors import SetupError
from deskbell.kernel.server_statistics import let_owner_read_statistics
from deskbell.kernel.tls import explained

EXTENSIONS = ("pg_trgm", "unaccent", "btree_gin")
MINIMUM_VERSION = 150000
Statement = sql.SQL | sql.Composed
_LOCK = 0x6465736B62656C6C  # "deskbell"
_EVERYONE = (APPLICATION, READ_ONLY, *ACTOR_ROLES)
_BUILTIN_SINCE = 170000
_BUILTIN_LOCALES = (
    " locale_provider builtin builtin_locale 'C.UTF-8' locale 'C.UTF-8'",
    " locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'",
)
_LIBC_LOCALES = (" locale_provider libc locale 'C.UTF-8'",)
_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds
# Somebody made it between our looking and our making ("duplicate", "unique"), or changes the same row of the catalogue
# this moment ("tuple concurrently updated", which has no code of its own).
_INTERFERENCES = (errors.DuplicateDatabase, errors.DuplicateObject, errors.UniqueViolation, errors.InternalError_)


def prepare_server(admin: Address, passwords: dict[str, str], *, adopt: bool = False) -> None:
    """Make the database, the roles and the extensions where they are missing. Safe to repeat and to run twice at once.

    `admin` is a role that may create roles; `passwords` are those of the roles that log in. A role that logs in with
    another password already is another installation's: that is left alone unless `adopt`. Raises SetupError.
    """
    try:
        _until_nobody_interferes(lambda: _prepare(admin, passwords, adopt=adopt))
    except psycopg.OperationalError as error:
        raise SetupError(unreachable(admin, error)) from error
    except errors.InsufficientPrivilege as error:
        message = (
            f"{admin} may not create roles: connect as a role with CREATEROLE that owns the database {admin.database}."
        )
        raise SetupError(message) from error


def prepare_statistics(admin: Address) -> None:
    """Let the administrator's pages see which statements are slow, where `admin` may. Safe to repeat."""

    def prepare() -> None:
        with connect(admin, autocommit=True) as connection:
            let_owner_read_statistics(connection)

    _until_nobody_interferes(prepare)


def set_own_password(address: Address) -> None:
    """Give this role the password that the address has, as soon as the server lets it in without. Raises SetupError."""
    for pause in _PAUSES:
        if can_log_in(address):
            break
        time.sleep(pause)
    try:
        with connect(address, autocommit=True) as connection:
            password = sql.Literal(address.password)
            connection.execute(sql.SQL("alter role current_user password {}").format(password))
    except psycopg.OperationalError as error:
        raise SetupError(unreachable(address, error)) from error


def unreachable(address: Address, error: Exception) -> str:
    """Say in one line why the server cannot be used."""
    cause = _cause(error)
    usual = f"Cannot use the database {address}: {cause}. Check DESKBELL_DATABASE_URL, and that the server runs."
    return explained(cause, address) or usual


def can_log_in(address: Address) -> bool:
    """Whether this role can log in; False also when the database is not there yet."""
    return _refusal(address) is None


def _refusal(address: Address) -> psycopg.OperationalError | None:
    """Return why the role cannot log in."""
    try:
        connect(address).close()
    except psycopg.OperationalError as error:
        return error
    return None


def _cause(error: Exception) -> str:
    """Return what libpq says first, without what it was asked with."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return reason.rpartition("failed: ")[2].removeprefix("FATAL:").strip()


def _until_nobody_interferes(prepare: Callable[[], None]) -> None:
    """Repeat what is safe to repeat: another process may have made the same thing, or be changing it, this moment.

    An advisory lock would not do: it holds in one database, while roles are the server's.
    """
    for pause in _PAUSES:
        try:
            return prepare()
        except _INTERFERENCES:
            time.sleep(pause)
    return prepare()


def _prepare(admin: Address, passwords: dict[str, str], *, adopt: bool) -> None:
    _make_database(admin)
    with connect(admin, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        for statement in (*_roles(connection), *_ways_in(admin.database)):
            connection.execute(statement)
        for statement in (*_logins(connection, admin, passwords, adopt=adopt), *_schema()):
            connection.execute(statement)
        let_owner_read_statistics(connection)


def _make_database(admin: Address) -> None:
    if can_log_in(admin):
        return
    with connect(admin.to_database("postgres"), autocommit=True) as connection:
        found = connection.execute("select from pg_database where datname = %s", (admin.database,)).fetchone()
        if found is None:
            _create_database(connection, admin.database)


def _create_database(connection: psycopg.Connection, name: str) -> None:
    """Give it a locale of which letters are lowered alike everywhere, the server's own being the last resort."""
    create = sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name))
    for locale in _BUILTIN_LOCALES if connection.info.server_version >= _BUILTIN_SINCE else _LIBC_LOCALES:
        try:
            connection.execute(create + sql.SQL(locale))
        except errors.WrongObjectType:  # this system's libc does not have it
            continue
        return
    connection.execute(create)


def _roles(connection: psycopg.Connection) -> Iterator[Statement]:
    if connection.info.server_version < MINIMUM_VERSION:
        message = f"Deskbell needs PostgreSQL 15 or newer; this server is {connection.info.server_version // 10000}."
        raise SetupError(message)
    existing = {name for (name,) in connection.execute("select rolname from pg_roles where rolname like 'deskbell%'")}
    for role in (OWNER, APPLICATION, READ_ONLY, *ACTOR_ROLES):
        if role not in existing:
            yield sql.SQL("create role {} noinherit").format(sql.Identifier(role))
    for role in ACTOR_ROLES:
        yield sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(APPLICATION))
    yield sql.SQL("grant {} to current_user").format(sql.Identifier(OWNER))


def _ways_in(database: str) -> Iterator[Statement]:
    everyone = sql.SQL(", ").join(sql.Identifier(role) for role in (OWNER, *_EVERYONE))
    yield sql.SQL("grant connect, temporary on database {} to {}").format(sql.Identifier(database), everyone)
    yield sql.SQL("grant create on database {} to {}").format(sql.Identifier(database), sql.Identifier(OWNER))


def _logins(
    connection: psycopg.Connection, admin: Address, passwords: dict[str, str], *, adopt: bool
) -> Iterator[Statement]:
    """Yield what gives the roles their passwords. Raises SetupError when one has another installation's."""
    settled = {name for (name,) in connection.execute("select rolname from pg_roles where rolcanlogin")}
    for role, password in passwords.items():
        refusal = _refusal(admin.as_role(role, password)) if role in settled else None
        if refusal and not adopt:
            raise SetupError(
                f"This server was set up with another DESKBELL_SECRET_KEY ({_cause(refusal)}). Set the same key on "
                "every machine, or run `deskbell db adopt` to make this installation's key the valid one."
            )
        if refusal or role not in settled:
            yield sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(password))


def _schema() -> Iterator[Statement]:
    for extension in EXTENSIONS:
        yield sql.SQL("create extension if not exists {} with schema public").format(sql.Identifier(extension))
    everyone = sql.SQL(", ").join(sql.Identifier(role) for role in _EVERYONE)
    yield sql.SQL("revoke all on schema public from public")
    yield sql.SQL("grant create, usage on schema public to {}").format(sql.Identifier(OWNER))
    yield sql.SQL("grant usage on schema public to {}").format(everyone)
