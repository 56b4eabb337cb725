"""What the owner of the schema needs to see statements of all roles: an extension, and the right to read statistics."""

from contextlib import suppress

import psycopg
from psycopg import errors, sql

from deskbell.kernel.access import OWNER

EXTENSION = "pg_stat_statements"
SCHEMA = "deskbell_statistics"
"""Of its own: in `public`, everybody who is let in could read what the extension lets everybody read."""

_INHERITS_BY_GRANT = 160000
_RESET = "select oid::regprocedure::text from pg_proc where proname = 'pg_stat_statements_reset'"
_AVAILABLE = """
select from pg_available_extensions
 where name = %s and installed_version is null and current_setting('pg_stat_statements.max', true) is not null
"""
_CANNOT = (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFile)


def let_owner_read_statistics(connection: psycopg.Connection) -> None:
    """Do what this role may: managed servers allow some of it. `slow_statements` says what is missing.

    The connection commits by itself.
    """
    owner = sql.Identifier(OWNER)
    with suppress(*_CANNOT), connection.transaction():
        _create_extension(connection)
    with suppress(*_CANNOT), connection.transaction():
        inherit = connection.info.server_version >= _INHERITS_BY_GRANT
        if not inherit:  # the owner is a member of nothing else
            connection.execute(sql.SQL("alter role {} inherit").format(owner))
        granted = sql.SQL("grant pg_read_all_stats to {}").format(owner)
        connection.execute(granted + sql.SQL(" with inherit true" if inherit else ""))
    with suppress(*_CANNOT), connection.transaction():
        for (signature,) in connection.execute(_RESET).fetchall():
            connection.execute(f"grant execute on function {signature} to {OWNER}".encode())


def _create_extension(connection: psycopg.Connection) -> None:
    if connection.execute(_AVAILABLE, [EXTENSION]).fetchone() is None:
        return
    schema, owner = sql.Identifier(SCHEMA), sql.Identifier(OWNER)
    connection.execute(sql.SQL("create schema if not exists {}").format(schema))
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, owner))
    connection.execute(sql.SQL("create extension if not exists {} schema {}").format(sql.Identifier(EXTENSION), schema))
