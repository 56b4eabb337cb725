"""Alembic's environment: runs on the connection that `deskbell.migrations.runner` hands over."""

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.schema import SchemaItem

from deskbell.migrations.metadata import target_metadata


def _include(item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: SchemaItem | None) -> bool:  # noqa: FBT001 - Alembic's signature
    """Leave out views and the partitions that are made month by month."""
    if kind == "table" and (name or "").startswith("audit_logs_"):
        return False
    return not getattr(item, "info", {}).get("view", False)


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        include_object=_include,
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
        file_template="%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s",
    )
    with context.begin_transaction():
        connection.execute(text("set local lock_timeout = '10s'"))
        context.run_migrations()


_run(context.config.attributes["connection"])
