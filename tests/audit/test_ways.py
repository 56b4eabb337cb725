"""Trap 1: whichever way a change comes, the log has it: ORM, bulk, Core, raw SQL, MERGE, savepoints, the owner."""

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.models import Tag
from tests.audit.conftest import Trail

Way = Callable[[Session], object]


def orm_insert(session: Session) -> None:
    session.add_all([Tag(name="one"), Tag(name="two")])
    session.flush()


def orm_update(session: Session) -> None:
    for tag in session.scalars(select(Tag)):
        tag.color = "#ffffff"
    session.flush()


def orm_delete(session: Session) -> None:
    for tag in session.scalars(select(Tag)):
        session.delete(tag)
    session.flush()


TABLE = Tag.metadata.tables["tags"]
TWO = [{"name": "one"}, {"name": "two"}]
CREATED: dict[str, Way] = {
    "ORM": orm_insert,
    "ORM bulk": lambda s: s.execute(insert(Tag), TWO),
    "ORM bulk returning": lambda s: s.execute(insert(Tag).returning(Tag.id), TWO).all(),
    "Core": lambda s: s.connection().execute(TABLE.insert().values(TWO)),
    "Core executemany": lambda s: s.connection().execute(TABLE.insert(), TWO),
    "on conflict": lambda s: s.execute(upsert(Tag).values(TWO).on_conflict_do_nothing()),
    "raw": lambda s: s.execute(text("insert into tags (name) values ('one'), ('two')")),
    "raw executemany": lambda s: s.execute(text("insert into tags (name) values (:name)"), TWO),
    "in a query": lambda s: s.execute(
        text("with made as (insert into tags (name) values ('one'), ('two') returning id) select * from made")
    ),
}
UPDATED: dict[str, Way] = {
    "ORM": orm_update,
    "ORM bulk": lambda s: s.execute(update(Tag).values(color="#ffffff")),
    "ORM bulk by key": lambda s: s.execute(
        update(Tag), [{"id": i, "color": "#ffffff"} for i in s.scalars(select(Tag.id))]
    ),
    "Core": lambda s: s.connection().execute(TABLE.update().values(color="#ffffff")),
    "on conflict": lambda s: s.execute(
        upsert(Tag)
        .values([{**row, "color": "#ffffff"} for row in TWO])
        .on_conflict_do_update(index_elements=[text("lower(name)")], set_={"color": "#ffffff"})
    ),
    "raw": lambda s: s.execute(text("update tags set color = '#ffffff'")),
    "raw executemany": lambda s: s.execute(text("update tags set color = '#ffffff' where name = :name"), TWO),
    "merge": lambda s: s.execute(
        text("merge into tags t using tags n on n.id = t.id when matched then update set color = '#ffffff'")
    ),
}
DELETED: dict[str, Way] = {
    "ORM": orm_delete,
    "ORM bulk": lambda s: s.execute(delete(Tag)),
    "Core": lambda s: s.connection().execute(TABLE.delete()),
    "raw": lambda s: s.execute(text("delete from tags")),
    "raw executemany": lambda s: s.execute(text("delete from tags where name = :name"), TWO),
    "merge": lambda s: s.execute(text("merge into tags t using tags n on n.id = t.id when matched then delete")),
}


def perform(database: Database, way: Way, who: Actor = SYSTEM) -> None:
    with database.transaction(who) as session:
        way(session)


@pytest.mark.parametrize("way", CREATED)
def test_what_is_created_is_recorded(database: Database, trail: Trail, way: str) -> None:
    perform(database, CREATED[way])
    assert [(entry.action, entry.changes) for entry in trail("tags")] == [("CREATE", None)] * 2
    assert len({entry.operation_id for entry in trail("tags")}) == 1


@pytest.mark.parametrize("way", UPDATED)
def test_what_is_changed_is_recorded(database: Database, trail: Trail, way: str) -> None:
    perform(database, orm_insert)
    perform(database, UPDATED[way])
    changes = {"color": ["#6b7280", "#ffffff"]}
    assert [(entry.action, entry.changes) for entry in trail("tags")][2:] == [("UPDATE", changes)] * 2
    assert len({entry.operation_id for entry in trail("tags")}) == 2


@pytest.mark.parametrize("way", DELETED)
def test_what_is_deleted_is_recorded_whole(database: Database, trail: Trail, way: str) -> None:
    perform(database, orm_insert)
    perform(database, DELETED[way])
    gone = trail("tags")[2:]
    assert [entry.action for entry in gone] == ["DELETE"] * 2
    assert sorted(entry.changes["name"] for entry in gone) == ["one", "two"]
    assert [entry.changes["id"] for entry in gone] == [entry.record_id for entry in gone]
    assert set(gone[0].changes) == {"id", "name", "color", "description", "created_at"}


@pytest.mark.parametrize("name", ["one", "new"])
def test_an_upsert_is_recorded_as_what_it_did(database: Database, trail: Trail, name: str) -> None:
    perform(database, orm_insert)
    statement = upsert(Tag).values(name=name, color="#ffffff")
    statement = statement.on_conflict_do_update(index_elements=[text("lower(name)")], set_={"color": "#ffffff"})
    perform(database, lambda session: session.execute(statement))
    assert [entry.action for entry in trail("tags")][2:] == (["UPDATE"] if name == "one" else ["CREATE"])


@pytest.mark.parametrize(
    "statement",
    [
        "update tags set color = color",
        "update tags set color = '#ffffff' where false",
        "delete from tags where false",
        "insert into tags (name) select 'x' where false",
        "insert into tags (name) values ('one') on conflict do nothing",
    ],
)
def test_what_changes_nothing_leaves_no_trace(database: Database, trail: Trail, statement: str) -> None:
    perform(database, orm_insert)
    before = trail("tags")
    perform(database, lambda session: session.execute(text(statement)))
    assert trail("tags") == before


def test_an_operation_begins_with_what_is_recorded_and_not_before(database: Database, factory: Factory) -> None:
    """A reply moves `updated_at` alone: such a statement had left an operation in which nothing happened."""
    ticket = factory.ticket()
    count = text("select count(*) from operations")
    with database.transaction(SYSTEM) as session:
        before = session.scalar(count)
        session.execute(text("update tickets set status = status where id = :id"), {"id": ticket.id})
        assert session.scalar(count) == before
        for _ in range(2):
            session.execute(text("insert into tags (name) select 'tag ' || random() from generate_series(1, 50)"))
        assert session.scalar(count) == (before or 0) + 1


def test_what_is_rolled_back_leaves_no_trace(database: Database, trail: Trail) -> None:
    with database.transaction(SYSTEM) as session:
        undone = session.begin_nested()
        session.execute(text("insert into tags (name) values ('undone')"))
        undone.rollback()
        session.execute(text("insert into tags (name) values ('kept')"))
        with session.begin_nested():
            session.execute(text("update tags set color = '#ffffff'"))
    assert [entry.action for entry in trail("tags")] == ["CREATE", "UPDATE"]
    assert len({entry.operation_id for entry in trail("tags")}) == 1


def test_a_transaction_is_one_operation_and_the_next_another(database: Database, trail: Trail) -> None:
    for number in range(2):
        with database.transaction(SYSTEM) as session:
            session.add(Tag(name=f"a{number}"))
            session.flush()
            session.execute(update(Tag).where(Tag.name == f"a{number}").values(description="x"))
            session.execute(text("delete from tags where name = :name"), {"name": f"a{number}"})
    entries = trail("tags")
    assert [entry.action for entry in entries] == ["CREATE", "UPDATE", "DELETE"] * 2
    assert [len({entry.operation_id for entry in part}) for part in (entries[:3], entries[3:], entries)] == [1, 1, 2]


def test_work_in_several_transactions_can_go_on_in_one_operation(database: Database, trail: Trail) -> None:
    perform(database, orm_insert)
    first = trail("tags")[0].operation_id
    perform(database, orm_update, Actor(ActorKind.SYSTEM, None, Channel.JOB, operation=first))
    assert {entry.operation_id for entry in trail("tags")} == {first}


def test_who_through_what_and_why_are_recorded(database: Database, factory: Factory, trail: Trail) -> None:
    admin = factory.user(Role.ADMIN)
    who = Actor(ActorKind.ADMIN, admin.id, Channel.RULE, act="tidy up", cause="rule:7")
    perform(database, orm_insert, who)
    [entry, _] = trail("tags")
    assert (entry.user_id, entry.channel, entry.cause, entry.act) == (admin.id, "rule", "rule:7", "tidy up")


def test_the_time_is_that_of_the_change_not_of_the_transaction(database: Database) -> None:
    with database.transaction(SYSTEM) as session:
        session.execute(text("insert into tags (name) values ('one')"))
        session.execute(text("update tags set color = '#ffffff'"))
        late = text("select created_at > now() from audit_logs where table_name = 'tags' order by id")
        assert session.scalars(late).all() == [True, True]
        ordered = text("select count(distinct created_at) from audit_logs where table_name = 'tags'")
        assert session.scalar(ordered) == 2


def test_what_the_owner_does_by_hand_is_recorded_too(fresh_address: Address) -> None:
    with psycopg.connect(fresh_address.dsn) as connection:
        connection.execute("set role deskbell_owner")
        connection.execute("insert into tags (name) values ('by hand')")
        connection.execute("update tags set name = 'by hand too'")
        connection.execute("delete from tags")
        found = connection.execute(
            "select action, user_id, channel from audit_logs where table_name = 'tags' order by id"
        )
        assert found.fetchall() == [(action, None, "sql") for action in ("CREATE", "UPDATE", "DELETE")]


def test_a_customers_own_change_is_recorded_though_they_may_not_read_it(
    database: Database, factory: Factory, trail: Trail
) -> None:
    customer = factory.user()
    perform(database, lambda s: s.execute(text("update users set full_name = 'New Name'")), actor(customer))
    [created, changed] = trail("users", customer.id)
    assert (created.action, changed.action, changed.user_id) == ("CREATE", "UPDATE", customer.id)
    assert changed.changes == {"full_name": [customer.full_name, "New Name"]}


@pytest.mark.parametrize(
    "statement",
    ["update tags set id = default", "update ticket_tags set tag_id = tag_id", "update team_members set user_id = 1"],
)
def test_a_key_never_changes_as_the_log_knows_records_by_it(owner: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the key of a record in"):
        owner.execute(statement.encode())
