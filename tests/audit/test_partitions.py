"""The audit log's months: made ahead, without gaps, by a function that can be called as often as one likes."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise

import psycopg
import pytest

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.upkeep import PARTITIONS_AHEAD, make_partitions

PARTITIONS = """
select c.relname, pg_get_expr(c.relpartbound, c.oid) from pg_class c join pg_inherits i on i.inhrelid = c.oid
 where i.inhparent = 'audit_logs'::regclass order by 1
"""
BOUNDS = re.compile(r"FROM \('(.+)'\) TO \('(.+)'\)")


@pytest.fixture
def admin(fresh_address: Address) -> Iterator[psycopg.Connection]:
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def bounds(admin: psycopg.Connection) -> dict[str, tuple[datetime, datetime]]:
    """Map the partitions to where they begin and end."""
    found = {name: BOUNDS.search(bound) for name, bound in admin.execute(PARTITIONS)}
    spans = {name: span.groups() for name, span in found.items() if span}
    return {
        name: (datetime.fromisoformat(first), datetime.fromisoformat(last)) for name, (first, last) in spans.items()
    }


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_months_follow_each_other_without_a_gap_also_over_new_year(admin: psycopg.Connection, zone: str) -> None:
    admin.execute(f"set timezone = '{zone}'".encode())
    admin.execute("set datestyle = 'German'")
    admin.execute("select deskbell_make_partitions(14)")
    admin.execute("set timezone = 'UTC'")
    admin.execute("set datestyle = 'ISO'")
    found = list(bounds(admin).items())
    assert len(found) == 15
    assert all(last == first for (_, (_, last)), (_, (first, _)) in pairwise(found))
    for name, (first, _) in found:
        assert (first.day, first.hour, first.utcoffset()) == (1, 0, UTC.utcoffset(None))
        assert name == f"audit_logs_y{first:%Y}m{first:%m}"


def test_the_present_month_is_among_them(admin: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    assert any(first <= now < last for first, last in bounds(admin).values())


def test_making_them_again_makes_none(admin: psycopg.Connection) -> None:
    before = len(bounds(admin))
    made = [admin.execute("select deskbell_make_partitions(11)").fetchone() for _ in range(2)]
    assert made == [(2 * (12 - before),), (0,)]  # the access log has the same months


def test_the_application_makes_them_when_it_starts(fresh_database: Database, admin: psycopg.Connection) -> None:
    first = min(bounds(admin))
    for name in set(bounds(admin)) - {first}:
        admin.execute(f"drop table {name}".encode())
    with fresh_database.transaction(Actor.system(Channel.JOB)) as session:
        make_partitions(session)
    assert len(bounds(admin)) == 1 + PARTITIONS_AHEAD


def test_an_entry_lies_in_the_partition_of_its_month(admin: psycopg.Connection) -> None:
    admin.execute("insert into tags (name) values ('x')")
    [(name, created)] = admin.execute("select tableoid::regclass::text, created_at from audit_logs").fetchall()
    first, last = bounds(admin)[name]
    assert first <= created < last


def test_a_new_partition_has_the_indexes_of_the_log_and_is_guarded(admin: psycopg.Connection) -> None:
    admin.execute("select deskbell_make_partitions(2)")
    query = (
        "select count(*), bool_and(c.relrowsecurity), bool_and(c.relacl is null), min(x.n), max(x.n)"
        "  from pg_class c join pg_inherits i on i.inhrelid = c.oid"
        "  join lateral (select count(*) as n from pg_index where indrelid = c.oid) x on true"
        " where i.inhparent = 'audit_logs'::regclass"
    )
    row = admin.execute(query).fetchone()
    assert row is not None
    assert row[1:] == (True, True, 5, 5)


def contents(admin: psycopg.Connection) -> list[tuple[str, int, str]]:
    return admin.execute("select tableoid::regclass::text, id, table_name from audit_logs order by id").fetchall()


def test_a_missing_month_refuses_nothing_and_gets_what_is_its_own_later(admin: psycopg.Connection) -> None:
    """Nobody made partitions for months: the log goes on in the default partition, which is emptied in time."""
    month = min(bounds(admin))
    admin.execute(f"drop table {month}".encode())
    admin.execute("insert into tags (name) values ('a'), ('b')")
    before = contents(admin)
    assert {name for name, _, _ in before} == {"audit_logs_default"}
    for _ in range(2):
        admin.execute("select deskbell_make_partitions(3)")
    assert contents(admin) == [(month, record, table) for _, record, table in before]
    admin.execute("insert into tags (name) values ('c')")
    assert {name for name, _, _ in contents(admin)} == {month}
    assert len({record for _, record, _ in contents(admin)}) == 3


def test_two_that_make_partitions_at_once_both_end_well(fresh_address: Address, admin: psycopg.Connection) -> None:
    with psycopg.connect(fresh_address.dsn) as first, ThreadPoolExecutor() as pool:
        first.execute("select deskbell_make_partitions(7)")
        second = pool.submit(lambda: admin.execute("select deskbell_make_partitions(7)").fetchall())
        first.commit()
        assert second.result(timeout=60) == [(0,)]
    assert len(bounds(admin)) == 8
