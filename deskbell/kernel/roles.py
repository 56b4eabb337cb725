"""The database roles: made once per server, before the first migration, by a role that may create roles.

deskbell_owner     owns the schema and nothing else; migrations run as it
deskbell_app       the application logs in as it; owns nothing, inherits nothing, may become the four actor roles
deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system   what an actor is; see `kernel.access`
deskbell_readonly  logs in for reports: reads everything but secrets
"""

from collections.abc import Iterator

import psycopg
from psycopg import sql

from deskbell.kernel.access import ACTOR_ROLES, APPLICATION, OWNER, READ_ONLY
from deskbell.kernel.address import Address
from deskbell.kernel.errors import SetupError

EXTENSIONS = ("pg_trgm", "unaccent", "btree_gin")
MINIMUM_VERSION = 150000
Statement = sql.SQL | sql.Composed
_LOCK = 0x6465736B62656C6C  # "deskbell"


def prepare_server(admin: Address, passwords: dict[str, str]) -> None:
    """Make the database, the roles and the extensions where they are missing. Safe to repeat and to run twice at once.

    `admin` is a role that may create roles; `passwords` are those of the roles that log in. Raises SetupError.
    """
    try:
        _make_database(admin)
        with psycopg.connect(admin.dsn, autocommit=True, connect_timeout=30) as connection:
            connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
            for statement in (*_roles(connection, passwords), *_schema(admin.database)):
                connection.execute(statement)
    except psycopg.OperationalError as error:
        raise SetupError(unreachable(admin, error)) from error
    except psycopg.errors.InsufficientPrivilege as error:
        message = (
            f"{admin} may not create roles: connect as a role with CREATEROLE that owns the database {admin.database}."
        )
        raise SetupError(message) from error


def unreachable(address: Address, error: Exception) -> str:
    """Say in one line why the server cannot be used: what libpq says first, without what it was asked with."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    cause = reason.rpartition("failed: ")[2].removeprefix("FATAL:").strip()
    return f"Cannot use the database {address}: {cause}. Check DESKBELL_DATABASE_URL, and that the server runs."


def can_log_in(address: Address) -> bool:
    """Whether this role can log in; False also when the database is not there yet."""
    try:
        psycopg.connect(address.dsn, connect_timeout=30).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_database(admin: Address) -> None:
    if can_log_in(admin):
        return
    with psycopg.connect(admin.to_database("postgres").dsn, autocommit=True, connect_timeout=30) as connection:
        found = connection.execute("select from pg_database where datname = %s", (admin.database,)).fetchone()
        if found is None:
            name = sql.Identifier(admin.database)
            connection.execute(sql.SQL("create database {} template template0 encoding 'UTF8'").format(name))


def _roles(connection: psycopg.Connection, passwords: dict[str, str]) -> Iterator[Statement]:
    if connection.info.server_version < MINIMUM_VERSION:
        message = f"Deskbell needs PostgreSQL 15 or newer; this server is {connection.info.server_version // 10000}."
        raise SetupError(message)
    existing = {name for (name,) in connection.execute("select rolname from pg_roles where rolname like 'deskbell%'")}
    for role in (OWNER, APPLICATION, READ_ONLY, *ACTOR_ROLES):
        if role not in existing:
            yield sql.SQL("create role {} noinherit").format(sql.Identifier(role))
    for role, password in passwords.items():
        yield sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(password))
    for role in ACTOR_ROLES:
        yield sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(APPLICATION))
    yield sql.SQL("grant {} to current_user").format(sql.Identifier(OWNER))


def _schema(database: str) -> Iterator[Statement]:
    everyone = sql.SQL(", ").join(sql.Identifier(role) for role in (APPLICATION, READ_ONLY, *ACTOR_ROLES))
    owner = sql.Identifier(OWNER)
    for extension in EXTENSIONS:
        yield sql.SQL("create extension if not exists {} with schema public").format(sql.Identifier(extension))
    yield sql.SQL("revoke all on schema public from public")
    yield sql.SQL("grant create, usage on schema public to {}").format(owner)
    yield sql.SQL("grant usage on schema public to {}").format(everyone)
    yield sql.SQL("grant create, temporary on database {} to {}").format(sql.Identifier(database), owner)
    yield sql.SQL("grant temporary on database {} to {}").format(sql.Identifier(database), everyone)
