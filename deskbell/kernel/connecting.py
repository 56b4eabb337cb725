"""Every connection to the database begins here: a password that was changed is looked up and tried once more.

The server asks for the password at the beginning alone, so connections outlive a change of it.
"""

import asyncio
from typing import Any, Final

import asyncpg
import psycopg

from deskbell.kernel.address import Address

PATIENCE: Final = 30
"""Seconds to wait for the server to accept a connection, where nobody set another time."""


def connect(address: Address, *, connect_timeout: int = PATIENCE, **options: Any) -> psycopg.Connection[Any]:  # noqa: ANN401 - psycopg's
    """Connect by psycopg. Raises psycopg.OperationalError, and SetupError where there is no password to be had."""
    tried = address.settled()
    try:
        return psycopg.connect(tried.dsn, connect_timeout=connect_timeout, **options)
    except psycopg.OperationalError as error:
        if not (_is_about_password(error) and _renew(address, tried)):
            raise
    return psycopg.connect(address.dsn, connect_timeout=connect_timeout, **options)


async def connect_async(
    address: Address,
    *,
    connect_timeout: int = PATIENCE,
    **options: Any,  # noqa: ANN401 - psycopg's
) -> psycopg.AsyncConnection[Any]:
    """Do the same on the event loop, by libpq."""
    tried = address.settled()
    try:
        return await psycopg.AsyncConnection.connect(tried.dsn, connect_timeout=connect_timeout, **options)
    except psycopg.OperationalError as error:
        if not (_is_about_password(error) and await asyncio.to_thread(_renew, address, tried)):
            raise
    return await psycopg.AsyncConnection.connect(address.dsn, connect_timeout=connect_timeout, **options)


async def connect_asyncpg(address: Address, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
    """Do the same by asyncpg. Raises its errors, and ConnectionError where the way is barred."""
    try:
        tried = address.settled()
        try:
            return await asyncpg.connect(dsn=tried.asyncpg_dsn, **options)
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
            if not await asyncio.to_thread(_renew, address, tried):
                raise
        return await asyncpg.connect(dsn=address.asyncpg_dsn, **options)
    except OSError as error:  # a socket that is not there is "file not found", a stranger's certificate an "SSL error"
        raise ConnectionError(str(error)) from error


def _is_about_password(error: psycopg.OperationalError) -> bool:
    """Whether the server asked for a password and then closed the door: libpq keeps no SQLSTATE of that."""
    return error.pgconn is not None and error.pgconn.used_password


def _renew(address: Address, tried: Address) -> bool:
    return address.source is not None and address.source.renew(tried.password)
