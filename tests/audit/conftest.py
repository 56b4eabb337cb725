"""Reading the audit log in tests."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Row, text

from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM

Entry = Row[Any]
Trail = Callable[..., list[Entry]]

_TRAIL = text(
    "select a.id, a.operation_id, a.user_id, a.channel, a.cause, o.act, a.table_name, a.record_id, a.action, a.changes"
    "  from audit_logs a join operations o on o.id = a.operation_id"
    " where a.table_name = :table and (a.record_id = :record or cast(:record as bigint) is null) order by a.id"
)


def read_trail(database: Database, table: str, record: int | None = None) -> list[Entry]:
    """Return what the log says of a table, or of one record of it, oldest first."""
    with database.transaction(SYSTEM) as session:
        return list(session.execute(_TRAIL, {"table": table, "record": record}))


@pytest.fixture
def trail(database: Database) -> Trail:
    return lambda table, record=None: read_trail(database, table, record)


@pytest.fixture
def owner(clone_address: Address) -> Iterator[psycopg.Connection]:
    """A connection that may make tables; what it does is undone."""
    with psycopg.connect(clone_address.dsn) as connection, connection.transaction(force_rollback=True):
        connection.execute("set local role deskbell_owner")
        yield connection
