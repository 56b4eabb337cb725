"""Whoever follows the audit log gets every entry once, in whatever order transactions take ids, commit and give up."""

import random
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import Text, text

from deskbell.accounts.models import Role
from deskbell.audit import feed
from deskbell.audit.feed import MOST_GAPS, Follower, Found, Glance, Readings, Stretch, glance, look, since
from deskbell.audit.models import AuditAction
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.lanes.reading import Reading
from deskbell.kernel.lanes.statements import Statement
from deskbell.testing.factories import Factory

pytestmark = pytest.mark.anyio

BE_SYSTEM = Statement(text("select set_config('role', 'deskbell_system', true) as a").columns(a=Text))
WRITE = "insert into organizations (name) values (gen_random_uuid()::text)"
IDS = "select id from audit_logs where table_name = 'organizations' order by id"


@pytest.fixture
async def readings(fresh_database: Database) -> AsyncIterator[Readings]:
    @asynccontextmanager
    async def open_() -> AsyncIterator[Reading]:
        async with fresh_database.reading() as reading:
            reading.expect(BE_SYSTEM, {}, lambda _: None)
            yield reading

    yield open_
    await fresh_database.aclose()


@pytest.fixture
def writers(fresh_address: Address) -> Iterator[list[psycopg.Connection]]:
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(fresh_address.dsn)) for _ in range(5)]


@pytest.fixture
def witness(fresh_address: Address) -> Iterator[psycopg.Connection]:
    """Sees what is committed."""
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        yield connection


def committed(witness: psycopg.Connection) -> list[int]:
    return [row[0] for row in witness.execute(IDS)]


async def beginning(readings: Readings) -> Follower:
    async with readings() as reading:
        return Follower.begin(await glance(reading))


def do(connection: psycopg.Connection, act: str) -> None:
    """Write, perhaps within a savepoint that is given up, or end the transaction."""
    match act:
        case "write":
            connection.execute(WRITE)
        case "write three":
            connection.execute(
                "insert into organizations (name) select gen_random_uuid()::text from generate_series(1, 3)"
            )
        case "give up a part":
            connection.execute("savepoint part")
            connection.execute(WRITE)
            connection.execute("rollback to part")
        case "commit":
            connection.commit()
        case "roll back":
            connection.rollback()


ACTS = ("write", "write", "write three", "give up a part", "commit", "roll back")


@pytest.mark.parametrize("seed", range(6))
async def test_every_entry_comes_once_and_with_the_first_look_after_its_commit(
    seed: int, readings: Readings, writers: list[psycopg.Connection], witness: psycopg.Connection
) -> None:
    chance, follower, seen = random.Random(seed), await beginning(readings), list[int]()  # noqa: S311 - not secret
    for _ in range(250):
        if chance.random() < 0.3:
            found = await look(readings, follower)
            assert not found.many
            seen += [entry.id for entry in found.entries]
            assert sorted(seen) == committed(witness)
            assert len([one for one in committed(witness) if one <= follower.cursor]) == len(
                [one for one in seen if one <= follower.cursor]
            )
        else:
            do(chance.choice(writers), chance.choice(ACTS))
    for connection in writers:
        connection.commit()
    seen += [entry.id for entry in (await look(readings, follower)).entries]
    assert sorted(seen) == committed(witness)
    assert len(seen) == len(set(seen)) > 20
    assert follower.cursor == max(seen)


async def test_nothing_is_missed_while_many_write_at_once(
    readings: Readings, fresh_address: Address, witness: psycopg.Connection
) -> None:
    """However long a look takes: what is written meanwhile may be more than is usually read at a time."""

    def write(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - as above
        with psycopg.connect(fresh_address.dsn) as connection:
            for _ in range(100):
                for _ in range(chance.randrange(1, 5)):
                    do(connection, chance.choice(ACTS[:4]))
                do(connection, chance.choice(ACTS[4:]))

    follower, seen, all_of_them = await beginning(readings), list[int](), 10**6
    with ThreadPoolExecutor(6) as pool:
        writing = [pool.submit(write, seed) for seed in range(6)]
        while not all(one.done() for one in writing):
            found = await look(readings, follower, all_of_them)
            assert not found.many
            seen += [entry.id for entry in found.entries]
    for one in writing:
        one.result()
    seen += [entry.id for entry in (await look(readings, follower, all_of_them)).entries]
    assert len(seen) == len(set(seen)) > 500
    assert sorted(seen) == committed(witness)


async def test_a_change_that_begins_first_and_commits_last_is_not_passed_over(
    readings: Readings, writers: list[psycopg.Connection]
) -> None:
    """The accident that this prevents: `id > last` skips what took its id early and committed late."""
    follower = await beginning(readings)
    slow, quick = writers[:2]
    do(slow, "write")
    do(quick, "write")
    do(quick, "commit")
    first = await look(readings, follower)
    assert follower.cursor < first.entries[0].id
    do(slow, "commit")
    second = await look(readings, follower)
    assert [len(first.entries), len(second.entries)] == [1, 1]
    assert second.entries[0].id < first.entries[0].id == follower.cursor


async def test_who_begins_while_others_write_is_told_when_these_are_done(
    readings: Readings, writers: list[psycopg.Connection]
) -> None:
    slow, quick = writers[:2]
    do(slow, "write")
    do(quick, "write")
    do(quick, "commit")
    follower = await beginning(readings)
    assert follower.cursor == 0
    assert not (await look(readings, follower)).many
    do(slow, "commit")
    assert (await look(readings, follower)).many
    assert await look(readings, follower) == Found([])
    assert follower.cursor > 0


async def test_a_bulk_change_is_one_word_and_what_was_under_way_beside_it_another(
    readings: Readings, writers: list[psycopg.Connection]
) -> None:
    follower, (slow, quick) = await beginning(readings), writers[:2]
    do(slow, "write")
    quick.execute("insert into organizations (name) select i::text from generate_series(1, 5000) i")
    do(quick, "commit")
    found = await look(readings, follower)
    assert found.many
    assert len(found.entries) == feed.MOST_ENTRIES
    do(slow, "commit")
    assert (await look(readings, follower)).many
    do(quick, "write")
    do(quick, "commit")
    found = await look(readings, follower)
    assert (len(found.entries), found.many) == (1, False)


async def test_somebody_who_comes_back_gets_what_is_behind_their_cursor(
    readings: Readings, writers: list[psycopg.Connection]
) -> None:
    follower, (slow, quick) = await beginning(readings), writers[:2]
    do(slow, "write")
    do(quick, "write")
    do(quick, "commit")
    await look(readings, follower)
    cursor = follower.cursor
    do(slow, "commit")
    async with readings() as reading:
        assert len((await since(reading, cursor)).entries) == 2


async def test_entries_name_the_tickets_they_are_about(
    readings: Readings, fresh_database: Database, writers: list[psycopg.Connection]
) -> None:
    factory = Factory(fresh_database)
    ticket, other = factory.ticket(), factory.ticket()
    comment = factory.comment(ticket, factory.user(Role.AGENT))
    follower = await beginning(readings)
    writers[0].execute("update comments set ticket_id = %s where id = %s", (other.id, comment.id))
    writers[0].commit()
    moved = (await look(readings, follower)).entries
    assert {entry.ticket_number for entry in moved} == {ticket.ticket_number, other.ticket_number}
    writers[0].execute("delete from comments where id = %s", (comment.id,))
    writers[0].commit()
    deleted = (await look(readings, follower)).entries
    assert [(entry.table_name, entry.ticket_number) for entry in deleted] == [("comments", other.ticket_number)]


async def test_copies_and_links_are_told_of_at_each_ticket_they_touch(
    readings: Readings, fresh_database: Database, writers: list[psycopg.Connection]
) -> None:
    factory = Factory(fresh_database)
    one, two = factory.ticket(), factory.ticket()
    numbers = {one.ticket_number, two.ticket_number}
    follower = await beginning(readings)
    copy = "insert into ticket_copies (ticket_id, email, name) values (%s, 'lee@example.test', '')"
    link = "insert into ticket_links (ticket_id, other_id) values (%s, %s)"
    for statement, values, told in (
        (copy, (one.id,), {one.ticket_number}),
        ("delete from ticket_copies", (), {one.ticket_number}),
        (link, (two.id, one.id), numbers),
        ("delete from ticket_links", (), numbers),
    ):
        writers[0].execute(statement, values)
        writers[0].commit()
        assert {entry.ticket_number for entry in (await look(readings, follower)).entries} == told, statement


def test_a_log_that_went_back_in_time_is_another_one() -> None:
    follower = Follower(100)
    seen = Glance(50, frozenset())
    assert follower.stretches(seen) == []
    assert follower.took(seen, [], [], 10).many
    assert follower.cursor == 50


def test_what_failed_to_be_read_is_looked_for_again() -> None:
    follower = Follower(0)
    both = Glance(5, frozenset({"1/1"}))
    follower.took(both, follower.stretches(both), [], 10)
    over = Glance(5, frozenset())
    assert follower.stretches(over) == follower.stretches(over) == [Stretch(1, 5)]


def test_too_many_gaps_become_one_doubt() -> None:
    follower, newest = Follower(0), 0
    entry = feed.Entry(0, "tags", 1, AuditAction.CREATE, 0, 1, 0, "")
    for _ in range(MOST_GAPS + 2):
        newest += 2
        seen = Glance(newest, frozenset({"1/1"}))
        found = follower.took(seen, follower.stretches(seen), [replace(entry, id=newest)], 10)
        assert not found.many
    assert follower.cursor == 0
    over = Glance(newest, frozenset())
    assert follower.took(over, follower.stretches(over), [], 10).many
    assert follower.cursor == newest
