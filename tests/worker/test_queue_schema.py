"""The queue's schema: the library's and ours, made by the migration, safe to make again."""

from importlib.resources import files

import psycopg

from deskbell.migrations.job_queue import install_library, library_steps
from tests.worker.conftest import Workshop

MADE_BY_LAST_STEP = "procrastinate_trigger_function_status_events_update_v1"  # as of procrastinate 3.10
OBJECTS = (
    "select 'table', oid::regclass::text from pg_class where relnamespace = 'jobs'::regnamespace"
    " union all select 'routine', oid::regprocedure::text from pg_proc where pronamespace = 'jobs'::regnamespace"
    " order by 1, 2"
)


def test_every_change_that_the_installed_library_ships_is_in_the_database(workshop: Workshop) -> None:
    """The library was once upgraded without a migration that calls `make_job_queue`: its functions were not there."""
    recorded = {row["name"] for row in workshop.query("select name from jobs.library_steps")}
    assert recorded == {step.name for step in library_steps()}


def test_making_the_queue_again_changes_nothing(workshop: Workshop) -> None:
    before = workshop.query(OBJECTS)
    with psycopg.connect(workshop.admin.dsn) as connection:
        connection.execute("set role deskbell_owner")
        install_library(connection.cursor())
        connection.execute(files("deskbell.migrations").joinpath("sql", "job_queue.sql").read_bytes())
    assert before == workshop.query(OBJECTS) != []


def test_only_steps_that_a_database_lacks_are_run(workshop: Workshop) -> None:
    *_, last = library_steps()
    with psycopg.connect(workshop.admin.dsn) as connection:
        connection.execute("delete from jobs.library_steps where name = %s", [last.name])
        connection.execute(f"drop function jobs.{MADE_BY_LAST_STEP} cascade")
        connection.execute("set role deskbell_owner")
        cursor = connection.cursor()
        install_library(cursor)
        path = connection.execute("show search_path").fetchone()
    assert path == ('"$user", public',)
    assert workshop.query("select to_regproc(%s)::text as name", f"jobs.{MADE_BY_LAST_STEP}")[0]["name"] is not None


def test_the_librarys_functions_work_whatever_the_callers_search_path(workshop: Workshop) -> None:
    without = "select proname from pg_proc where pronamespace = 'jobs'::regnamespace and proconfig is null"
    assert workshop.query(without) == []
