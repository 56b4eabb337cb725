"""Alembic's environment: runs on the connection that `deskbell.migrations.runner` hands over."""

from alembic import context
from sqlalchemy import Connection

from deskbell.migrations.metadata import include, target_metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        include_object=include,
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
        file_template="%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s",
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
