"""SQL kept as SQL: what migrations run beside Alembic's operations."""

from contextlib import closing
from importlib.resources import files

from alembic import op


def run_sql(name: str) -> None:
    """Run a file of `migrations/sql` as it is, past SQLAlchemy, which would look for parameters in it."""
    source = files("deskbell.migrations").joinpath("sql", name).read_text(encoding="utf-8")
    with closing(op.get_bind().connection.cursor()) as cursor:
        cursor.execute(source)
