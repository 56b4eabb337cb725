"""What an entry holds: every kind of value, every kind of table, and never a secret."""

# ruff: noqa: S608 - the names in the statements are constants of this file

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Column, MetaData, Table, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, INTEGER, JSONB, NUMERIC, TEXT, TIMESTAMP
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.schema import CreateTable

from deskbell.accounts.actions import create_token, set_password
from deskbell.accounts.login import close_session, open_session
from deskbell.audit.triggers import audit_ddl
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM, Factory
from tests.audit.conftest import Trail

DIALECT = PGDialect()  # type: ignore[no-untyped-call]
SECRET = "[secret]"
FULL = {"audit": "full"}


def make(owner: psycopg.Connection, *columns: Column[Any]) -> None:
    """Make the audited table `things`."""
    table = Table("things", MetaData(), *columns, info=FULL)
    for statement in (str(CreateTable(table).compile(dialect=DIALECT)), *audit_ddl(table)):
        owner.execute(statement.encode())


def log(owner: psycopg.Connection) -> list[tuple[int, str, object]]:
    query = "select record_id, action, changes from audit_logs where table_name = 'things' order by id"
    return owner.execute(query).fetchall()


def key(name: str = "id") -> Column[Any]:
    return Column(name, INTEGER, primary_key=True, autoincrement=False)


def test_every_kind_of_value_is_kept_as_json_has_it(owner: psycopg.Connection) -> None:
    kinds: dict[str, Any] = {
        "n": NUMERIC,
        "t": TEXT,
        "j": JSONB,
        "a": ARRAY(TEXT),
        "b": BYTEA,
        "at": TIMESTAMP(timezone=True),
    }
    make(owner, key(), *(Column(name, kind) for name, kind in kinds.items()))
    owner.execute("insert into things (id) values (1)")
    owner.execute("set local timezone = 'Asia/Kathmandu'")
    owner.execute(
        'update things set n = 0.10, t = E\'\\u00e9 "quoted"\', j = \'{"a": null, "b": {"c": [null]}}\','
        " a = array['x', null], b = '\\x00ff', at = '2026-03-29 01:30+00'"
    )
    owner.execute("update things set j = '{\"a\": null}', a = null")
    owner.execute("update things set j = 'null'")
    owner.execute("delete from things")
    first, second, third, gone = (entry[2] for entry in log(owner)[1:])
    assert isinstance(first, dict)
    moment = datetime.fromisoformat(first.pop("at")[1])
    assert (moment, moment.utcoffset()) == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), timedelta(hours=5, minutes=45))
    assert first == {
        "n": [None, 0.10],
        "t": [None, 'é "quoted"'],
        "j": [None, {"a": None, "b": {"c": [None]}}],
        "a": [None, ["x", None]],
        "b": [None, "\\x00ff"],
    }
    assert second == {"j": [{"a": None, "b": {"c": [None]}}, {"a": None}], "a": [["x", None], None]}
    assert third == {"j": [{"a": None}, None]}
    assert isinstance(gone, dict)
    assert (gone["j"], gone["a"], gone["t"]) == (None, None, 'é "quoted"')


def test_a_change_between_null_and_a_value_is_seen_both_ways(owner: psycopg.Connection) -> None:
    make(owner, key(), Column("t", TEXT))
    for value in ("null", "''", "null", "null"):
        statement = f"insert into things values (1, {value}) on conflict (id) do update set t = {value}"
        owner.execute(statement.encode())
    assert [entry[1:] for entry in log(owner)] == [
        ("CREATE", None),
        ("UPDATE", {"t": [None, ""]}),
        ("UPDATE", {"t": ["", None]}),
    ]


def test_a_table_of_three_hundred_columns_is_recorded(owner: psycopg.Connection) -> None:
    """A function of PostgreSQL takes at most a hundred arguments: a table of 51 columns could not be deleted from."""
    make(owner, key(), *(Column(f"c{number}", INTEGER) for number in range(300)))
    owner.execute("insert into things (id, c0) values (1, 7)")
    owner.execute("update things set c299 = 8")
    owner.execute("delete from things")
    _, changed, gone = (entry[2] for entry in log(owner))
    assert changed == {"c299": [None, 8]}
    assert gone == {"id": 1, "c0": 7, **{f"c{number}": None for number in range(1, 299)}, "c299": 8}


def test_a_table_of_keys_alone_is_recorded(owner: psycopg.Connection) -> None:
    make(owner, key("a"), key("b"))
    owner.execute("insert into things values (1, 2), (1, 3)")
    owner.execute("delete from things where b = 3")
    assert log(owner) == [
        (1, "CREATE", {"b": [None, 2]}),
        (1, "CREATE", {"b": [None, 3]}),
        (1, "DELETE", {"a": 1, "b": 3}),
    ]


def test_the_whole_key_is_in_every_entry(owner: psycopg.Connection) -> None:
    """Two rows share the first column of a key: an UPDATE that named it alone could not be taken back."""
    make(owner, key("a"), key("b"), Column("t", TEXT))
    owner.execute("insert into things values (1, 2, 'x'), (1, 3, 'x')")
    owner.execute("update things set t = 'y' where b = 3")
    owner.execute("delete from things where b = 2")
    assert log(owner)[2:] == [
        (1, "UPDATE", {"b": [3, 3], "t": ["x", "y"]}),
        (1, "DELETE", {"a": 1, "b": 2, "t": "x"}),
    ]


def test_a_name_that_must_be_quoted_is_recorded(owner: psycopg.Connection) -> None:
    make(owner, key(), Column("order", TEXT), Column("it's", TEXT))
    owner.execute("insert into things values (1, 'a', 'b')")
    owner.execute("update things set \"order\" = 'c', \"it's\" = 'd'")
    owner.execute("delete from things")
    assert [entry[2] for entry in log(owner)] == [
        None,
        {"order": ["a", "c"], "it's": ["b", "d"]},
        {"id": 1, "order": "c", "it's": "d"},
    ]


def test_secrets_are_recorded_as_changed_and_never_as_they_are(
    database: Database, factory: Factory, trail: Trail
) -> None:
    user = factory.user(password="the first password")
    with database.transaction(SYSTEM) as session:
        set_password(session, user.id, "$argon2id$the-hash-itself")
        token, secret = create_token(session, user.id, name="key")
        cookie = open_session(session, user.id, lifetime=timedelta(days=1), now=datetime.now(UTC))
        session.flush()
        assert close_session(session, cookie)
        session.execute(text("update api_tokens set token_hash = sha256('another')"))
    assert trail("users", user.id)[1].changes["password_hash"] == [SECRET, SECRET]
    assert trail("api_tokens", token.id)[1].changes == {"token_hash": [SECRET, SECRET]}
    assert trail("login_sessions")[-1].changes["token_hash"] == SECRET
    with database.transaction(SYSTEM) as session:
        everything = "\n".join(
            session.scalars(text("select coalesce(a::text, '') || o::text from audit_logs a, operations o"))
        )
    values = ["argon2id", "the-hash-itself", secret, cookie, hash_token(secret).hex(), hash_token(cookie).hex()]
    assert [value for value in values if value in everything] == []


def test_a_secret_that_comes_or_goes_is_told_from_one_that_changes(
    database: Database, factory: Factory, trail: Trail
) -> None:
    user = factory.user()
    with database.transaction(SYSTEM) as session:
        for value in ("x", "y", None):
            change = text("update users set password_hash = :value where id = :id")
            session.execute(change, {"id": user.id, "value": value})
    changes = [entry.changes["password_hash"] for entry in trail("users", user.id)[1:]]
    assert changes == [[None, SECRET], [SECRET, SECRET], [SECRET, None]]


def test_megabytes_and_what_is_derived_stay_out(database: Database, factory: Factory, trail: Trail) -> None:
    ticket = factory.ticket()
    with database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set title = 'New' where id = :id"), {"id": ticket.id})
        session.execute(
            text("insert into inbound_messages (raw, sha256, size, source) values ('x', repeat('a', 64), 1, '')")
        )
    assert trail("tickets", ticket.id)[-1].changes == {"title": [ticket.title, "New"]}
    assert trail("inbound_messages")[0].changes is None


def test_a_ticket_of_a_megabyte_costs_the_log_nothing_when_it_is_assigned(
    database: Database, factory: Factory, trail: Trail
) -> None:
    ticket = factory.ticket(message="word " * 200_000, title="Long")
    with database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set priority = 'high' where id = :id"), {"id": ticket.id})
    assert trail("tickets", ticket.id)[-1].changes == {"priority": ["medium", "high"]}
