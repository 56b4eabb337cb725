"""No table is forgotten: each is audited or says why not, and what is audited has its triggers in the database."""

# ruff: noqa: S608 - the names in the statements are constants of this file

import re
from importlib.resources import files

import psycopg
import pytest
from sqlalchemy import text

from deskbell.audit.triggers import FULL, audit_ddl, is_audited
from deskbell.kernel.database import Database
from deskbell.migrations.metadata import domain_tables, target_metadata

NOT_AUDITED = {
    "access_logs",
    "audit_logs",
    "operations",
    "idempotency_keys",
    "imported_rows",
    "search_documents",
    "search_words",
    "drafts",
    "draft_files",
    "mentions",
    "inbound_arrivals",
    "mailbox_folders",
    "ticket_presence",
    "ticket_reads",
    "ticket_figures",
    "figure_progress",
    "figure_marks",
    "outbound_messages",
    "sign_in_links",
}
"""Whoever adds to these takes something out of the history, and should have to say so here as well."""
AUDITED = [name for name in domain_tables() if is_audited(target_metadata.tables[name])]
TRIGGERS = {"audit_insert", "audit_update", "audit_delete", "audit_truncate", "audit_key"}
TREATMENTS = {"derived", "large", "secret"}


def test_every_table_is_audited_or_says_why_not() -> None:
    reasons = {name: target_metadata.tables[name].info.get("audit", "") for name in domain_tables()}
    assert [name for name, reason in reasons.items() if reason != FULL and len(reason) < len("it is the log")] == []
    assert {name for name, reason in reasons.items() if reason != FULL} == NOT_AUDITED


def test_every_column_is_treated_in_a_way_that_is_known() -> None:
    columns = [column for name in domain_tables() for column in target_metadata.tables[name].columns]
    assert {column.info["audit"] for column in columns if "audit" in column.info} == TREATMENTS


def test_columns_that_hold_secrets_are_declared_secret() -> None:
    columns = [column for name in AUDITED for column in target_metadata.tables[name].columns]
    telling = re.compile("password|token|secret|_key$|hash")
    found = {str(column) for column in columns if telling.search(column.name) and column.info.get("audit") != "secret"}
    assert found == {"attachments.storage_key", "mailboxes.oauth_token_url"}


def test_every_audited_table_has_its_triggers_in_the_database(database: Database) -> None:
    query = text(
        "select c.relname, array_agg(t.tgname::text) from pg_class c join pg_trigger t on t.tgrelid = c.oid"
        " where not t.tgisinternal and t.tgenabled = 'O' and t.tgname like 'audit%' group by 1"
    )
    with database.engine.connect() as connection:
        found = {name: set(triggers) for name, triggers in connection.execute(query)}
    assert found == dict.fromkeys(AUDITED, TRIGGERS)


def test_no_table_of_the_database_is_unknown_to_the_models(database: Database) -> None:
    query = text(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        " and not relispartition"
    )
    with database.engine.connect() as connection:
        assert set(connection.scalars(query)) == {*domain_tables(), "alembic_version"}


def test_the_triggers_in_the_migrations_are_those_that_the_models_give() -> None:
    sql = files("deskbell.migrations").joinpath("sql")
    kept = "".join(file.read_text("utf-8") for file in sql.iterdir() if file.name.endswith("_audit.sql"))
    rendered = [statement for name in AUDITED for statement in audit_ddl(target_metadata.tables[name])]
    assert [statement for statement in rendered if f"{statement};\n" not in kept] == []


ME, TICKET = "(select max(id) from users)", "(select max(id) from tickets)"
PRELUDE = f"""
insert into users (email) values ('someone@example.test');
insert into tickets (title, creator_id) values ('Another ticket', {ME}), ('A ticket', {ME});
insert into mailboxes (name, address) values ('One', 'one@example.test'), ('Two', 'two@example.test');
insert into teams (name) values ('A team');
insert into tags (name) values ('a tag');
"""
FILE = f"values ({TICKET}, 'x', 'x', 1, repeat('a', 64), 'x', {ME})"
ROWS = {  # a lawful row of each table, and a change of it
    "api_tokens": (f"(user_id, name, token_hash, hint) values ({ME}, 'x', 'x', 'x')", "name = 'y'"),
    "attachments": (
        f"(ticket_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id) {FILE}",
        "file_name = 'y'",
    ),
    "comments": (f"(ticket_id, author_id, content) values ({TICKET}, {ME}, 'x')", "content = 'y'"),
    "inbound_messages": ("(raw, sha256, size, source) values ('x', repeat('a', 64), 1, 'x')", "reason = 'y'"),
    "letter_templates": ("(kind, locale, subject, body) values ('answered', 'en', 'x', 'x')", "body = 'y'"),
    "mailbox_tags": ("(mailbox_id, tag_id) select max(m.id), max(t.id) from mailboxes m, tags t", "created_at = now()"),
    "mailboxes": ("(name, address) values ('x', 'x@example.test')", "name = 'y'"),
    "notice_choices": (f"(user_id, kind, by_mail) values ({ME}, 'assigned', false)", "by_mail = true"),
    "ticket_copies": (f"(ticket_id, email, name) values ({TICKET}, 'x@example.test', '')", "name = 'y'"),
    "ticket_links": (f"(ticket_id, other_id) select {TICKET}, min(id) from tickets", "kind = 'follow_up'"),
    "ticket_mailboxes": (
        f"(ticket_id, mailbox_id) select {TICKET}, max(id) from mailboxes",
        "mailbox_id = (select min(id) from mailboxes)",
    ),
    "login_sessions": (f"(user_id, token_hash) values ({ME}, 'x')", "address = 'y'"),
    "organizations": ("(name) values ('x')", "name = 'y'"),
    "saved_views": (f"(name, owner_id) values ('x', {ME})", "query = 'y'"),
    "tags": ("(name) values ('x')", "name = 'y'"),
    "team_members": (f"(team_id, user_id) select max(id), {ME} from teams", "created_at = now()"),
    "teams": ("(name) values ('x')", "name = 'y'"),
    "ticket_tags": (f"(ticket_id, tag_id) select {TICKET}, max(id) from tags", "created_at = now()"),
    "tickets": (f"(title, creator_id) values ('x', {ME})", "title = 'y'"),
    "users": ("(email) values ('x@example.test')", "email = 'y@example.test'"),
}


@pytest.mark.parametrize("name", AUDITED)
def test_all_that_happens_to_a_row_is_recorded_in_every_table(owner: psycopg.Connection, name: str) -> None:
    assert name in ROWS, "a new table: write a lawful row of it, and a change, into ROWS"
    row, change = ROWS[name]
    table = target_metadata.tables[name]
    key = next((name for name in ("id", "created_at") if name in table.columns), "ctid")
    last = f"{key} = (select max({key}) from {name})"
    owner.execute(PRELUDE.encode())
    for statement in (
        f"insert into {name} {row}",
        f"update {name} set {change} where {last}",
        f"delete from {name} where {last}",
    ):
        owner.execute(statement.encode())
    log = owner.execute("select action, changes from audit_logs where table_name = %s order by id", (name,)).fetchall()
    assert [action for action, _ in log[-3:]] == ["CREATE", "UPDATE", "DELETE"]
    further = {column.name for column in list(table.primary_key.columns)[1:]}
    assert set(log[-2][1]) == {change.partition(" =")[0]} | further
    kept = {c.name for c in table.columns if c.computed is None and c.info.get("audit") != "large"}
    assert set(log[-1][1]) == kept
