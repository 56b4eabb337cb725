"""Ten thousand rows at once: all recorded, in one operation, by a plan that does not compare each with each."""

# ruff: noqa: S608 - the names in the statements are constants of this file

import psycopg
import pytest

from deskbell.kernel.address import Address

ROWS = 10_000
FILL = f"""
insert into users (email) values ('someone@example.test');
insert into tickets (title, creator_id) select 'x', (select max(id) from users) from generate_series(1, {ROWS});
"""
EXPLAIN = b"""
load 'auto_explain';
set local auto_explain.log_min_duration = 0;
set local auto_explain.log_nested_statements = on;
set local auto_explain.log_analyze = on;
set local client_min_messages = log;
set local role deskbell_owner;
"""


@pytest.fixture
def filled(owner: psycopg.Connection) -> psycopg.Connection:
    owner.execute(FILL.encode())
    return owner


def test_ten_thousand_updates_are_ten_thousand_entries_of_one_operation(filled: psycopg.Connection) -> None:
    filled.execute("update tickets set priority = 'high'")
    query = (
        "select count(*), count(distinct record_id), count(distinct operation_id),"
        " min(changes::text), max(changes::text) from audit_logs where table_name = 'tickets' and action = 'UPDATE'"
    )
    change = '{"priority": ["medium", "high"]}'
    assert filled.execute(query).fetchone() == (ROWS, ROWS, 1, change, change)


def test_the_plan_made_for_one_row_serves_ten_thousand(clone_address: Address) -> None:
    """PostgreSQL keeps the trigger's plan for the session; a nested loop would compare 10,000 rows with each other."""
    heard: list[str] = []
    with psycopg.connect(clone_address.dsn) as connection, connection.transaction(force_rollback=True):
        connection.execute(FILL.encode())
        connection.execute(EXPLAIN)
        for _ in range(6):  # after five times PostgreSQL chooses a plan to keep
            connection.execute("update tickets set priority = 'high' where id = (select max(id) from tickets)")
            connection.execute("update tickets set priority = 'low' where id = (select max(id) from tickets)")
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
        connection.execute("update tickets set priority = 'urgent'")
    [plan] = [text for text in heard if "insert into audit_logs" in text]
    assert "Hash Join" in plan
    assert f"rows={ROWS}" in plan
    assert "Nested Loop" not in plan
