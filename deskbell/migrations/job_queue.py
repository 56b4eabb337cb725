"""The schema of the job queue: the library's own, from its package, in the schema `jobs`, and beside it ours.

The library ships its schema and one file for each later change. Which of them a database has is recorded in
`jobs.library_steps`, so a migration after an upgrade of the library is one more call of `make_job_queue`.
"""

from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

from alembic import op
from procrastinate.schema import SchemaManager
from psycopg import Connection, Cursor

from deskbell.migrations.assets import run_sql

_STEPS = "create table jobs.library_steps (name text primary key, applied_at timestamptz not null default now())"


def make_job_queue() -> None:
    """Make the queue's schema what the installed library and `sql/job_queue.sql` say, whatever there is of it."""
    connection = op.get_bind().connection.driver_connection
    with closing(cast("Connection", connection).cursor()) as cursor:
        install_library(cursor)
    run_sql("job_queue.sql")


def drop_job_queue() -> None:
    """Drop the queue with all its jobs."""
    run_sql("job_queue_drop.sql")


def install_library(cursor: Cursor) -> None:
    """Run the library's schema, or those of its later changes that this database lacks, in the schema `jobs`."""
    path = _value(cursor, "select current_setting('search_path')")
    if _value(cursor, "select to_regclass('jobs.library_steps')") is None:
        cursor.execute("create schema jobs")
        cursor.execute(_STEPS)
        missing = [SchemaManager.get_schema()]
    else:
        known = {name for (name,) in cursor.execute("select name from jobs.library_steps")}
        missing = [step.read_text("utf-8") for step in library_steps() if step.name not in known]
    cursor.execute("set local search_path = jobs")
    for source in missing:
        cursor.execute(source.encode())
    cursor.execute("select set_config('search_path', %s, true)", [path])
    cursor.executemany(
        "insert into jobs.library_steps (name) values (%s) on conflict do nothing",
        [[step.name] for step in library_steps()],
    )


def library_steps() -> Iterator[Traversable]:
    """Yield the files with the library's changes of its schema, oldest first."""
    found = files("procrastinate").joinpath("sql", "migrations").iterdir()
    yield from sorted((file for file in found if file.name.endswith(".sql")), key=lambda file: file.name)


def _value(cursor: Cursor, query: str) -> object:
    row = cursor.execute(query.encode()).fetchone()
    return row[0] if row else None
