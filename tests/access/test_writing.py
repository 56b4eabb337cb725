"""What an actor may not write: as somebody else, to what they cannot see, above their role, or over the past."""
# ruff: noqa: S608 - the names in the statements are constants of this file

from typing import Any

import psycopg
import pytest

from tests.access.world import World

ROW_REFUSED = '42501 new row violates row-level security policy for table "{}"'
COMMENT = "insert into comments (ticket_id, author_id, content) values (%(ticket)s, %(me)s, 'x')"
FILE = (
    "insert into attachments (ticket_id, comment_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)"
    " values (%(ticket)s, %(comment)s, 'x', 'x', 1, repeat('a', 64), 'x', %(me)s)"
)
MISSING = 999_999_999


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("tickets", "insert into tickets (title, creator_id) values ('x', %(other)s)"),
        ("comments", "insert into comments (ticket_id, author_id, content) values (%(ticket)s, %(other)s, 'x')"),
        ("attachments", FILE.replace("%(me)s", "%(other)s")),
        ("api_tokens", "insert into api_tokens (user_id, name, token_hash, hint) values (%(other)s, 'x', 'x', 'x')"),
        ("idempotency_keys", "insert into idempotency_keys (user_id, key, fingerprint) values (%(other)s, 'x', 'x')"),
        ("idempotency_keys", "update idempotency_keys set user_id = %(other)s"),
        (
            "outbound_messages",
            "insert into outbound_messages (kind, user_id, ticket_id) values ('received', %(other)s, %(ticket)s)",
        ),
        (
            "outbound_messages",
            "insert into outbound_messages (kind, user_id, ticket_id) values ('answered', %(me)s, %(ticket)s)",
        ),
    ],
)
def test_a_customer_cannot_write_as_somebody_else(world: World, table: str, statement: str) -> None:
    values = {"ticket": world.ids["ticket anna"], "comment": None, "other": world.ids["amy"], "me": world.ids["anna"]}
    assert world.refusal("anna", statement, values) == ROW_REFUSED.format(table)


def test_a_customer_cannot_write_an_internal_note(world: World) -> None:
    statement = "insert into comments (ticket_id, author_id, content, is_internal) values (%(t)s, %(me)s, 'x', true)"
    values = {"t": world.ids["ticket anna"], "me": world.ids["anna"]}
    assert world.refusal("anna", statement, values) == ROW_REFUSED.format("comments")


@pytest.mark.parametrize("hidden", ["ticket bert", "ticket deleted"])
def test_a_hidden_ticket_cannot_be_told_from_one_that_does_not_exist(world: World, hidden: str) -> None:
    """Trap 14: a foreign key looks past row security, so its error would tell."""

    def refused(statement: str, **values: Any) -> str:
        return world.refusal("anna", statement, {"me": world.ids["anna"], "comment": None, **values})

    for statement, table in ((COMMENT, "comments"), (FILE, "attachments")):
        there, missing = (refused(statement, ticket=ticket) for ticket in (world.ids[hidden], MISSING))
        assert there == missing == ROW_REFUSED.format(table)
    for statement in (
        "update tickets set status = 'closed' where id = %(ticket)s",
        "select 1 from tickets where id = %(ticket)s for update",
    ):
        assert refused(statement, ticket=world.ids[hidden]) == refused(statement, ticket=MISSING)


@pytest.mark.parametrize("hidden", ["note anna", "answer bert", "note bert"])
def test_a_hidden_comment_cannot_be_told_from_one_that_does_not_exist(world: World, hidden: str) -> None:
    values = {"me": world.ids["anna"], "ticket": world.ids["ticket answered anna"]}
    there, missing = (world.refusal("anna", FILE, {**values, "comment": c}) for c in (world.ids[hidden], MISSING))
    assert there == missing == ROW_REFUSED.format("attachments")


@pytest.mark.parametrize("organization", [2, MISSING])
def test_a_customer_cannot_open_a_ticket_in_another_organization(world: World, organization: int) -> None:
    statement = "insert into tickets (title, creator_id, organization_id) values ('x', %s, %s)"
    assert world.refusal("anna", statement, (world.ids["anna"], organization)) == ROW_REFUSED.format("tickets")


@pytest.mark.parametrize("column", ["assignee_id", "team_id"])
def test_a_customer_gives_their_ticket_to_nobody(world: World, column: str) -> None:
    statement = f"insert into tickets (title, creator_id, {column}) values ('x', %s, %s)"
    assert world.refusal("anna", statement, (world.ids["anna"], world.ids["agent"])) == ROW_REFUSED.format("tickets")
    assert world.refusal("anna", f"update tickets set {column} = 1") == "42501 permission denied for table tickets"


@pytest.mark.parametrize("column", ["ticket_number", "version", "resolved_at", "created_at"])
def test_a_customer_chooses_neither_number_nor_times_of_a_ticket(world: World, column: str) -> None:
    """Trap 14: a unique violation would tell that a hidden ticket has the number."""
    statement = f"insert into tickets (title, creator_id, {column}) values ('x', %s, default)"
    assert world.refusal("anna", statement, (world.ids["anna"],)) == "42501 permission denied for table tickets"


@pytest.mark.parametrize("column", ["due_at", "first_responded_at", "deleted_at"])
def test_a_customers_ticket_begins_as_a_new_one(world: World, column: str) -> None:
    statement = f"insert into tickets (title, creator_id, {column}) values ('x', %s, now())"
    assert world.refusal("anna", statement, (world.ids["anna"],)) == ROW_REFUSED.format("tickets")


@pytest.mark.parametrize("who", ["anna", "bert", "agent"])
def test_nobody_raises_their_own_role(world: World, who: str) -> None:
    assert world.refusal(who, "update users set role = 'admin'") == "42501 permission denied for table users"


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_an_agent_adds_customers_but_no_staff(world: World, role: str) -> None:
    statement = "insert into users (email, role) values ('new@example.test', %s)"
    assert world.run("agent", statement, ("customer",)).rowcount == 1
    assert world.refusal("agent", statement, (role,)) == ROW_REFUSED.format("users")


def test_an_agent_changes_customers_and_themselves_but_no_other_staff(world: World) -> None:
    statement = "update users set full_name = 'New' where id = %s"
    touched = {who: world.run("agent", statement, (world.ids[who],)).rowcount for who in ("anna", "agent", "admin")}
    assert touched == {"anna": 1, "agent": 1, "admin": 0}
    assert world.run("admin", statement, (world.ids["agent"],)).rowcount == 1


@pytest.mark.parametrize("who", ["nobody", "anna", "agent", "admin", "system", "readonly"])
@pytest.mark.parametrize("table", ["tickets", "comments", "users"])
def test_nobody_deletes_what_must_be_kept(world: World, who: str, table: str) -> None:
    assert world.refusal(who, f"delete from {table}") == f"42501 permission denied for table {table}"
    assert world.refusal(who, f"truncate {table} cascade") == f"42501 permission denied for table {table}"


def test_not_even_the_owner_truncates_what_is_audited(world: World) -> None:
    refused = world.refusal("superuser", "set local role deskbell_owner; truncate tickets cascade")
    assert refused.startswith("42501 TRUNCATE would leave no trace")


@pytest.mark.parametrize("who", ["nobody", "anna", "agent", "admin", "system", "readonly"])
@pytest.mark.parametrize("table", ["audit_logs", "operations"])
@pytest.mark.parametrize("change", ["update {} set channel = 'x'", "delete from {}", "truncate {}"])
def test_nobody_changes_the_past(world: World, who: str, table: str, change: str) -> None:
    assert world.refusal(who, change.format(table)) == f"42501 permission denied for table {table}"


@pytest.mark.parametrize(
    "statement",
    [
        "alter table tickets disable trigger audit_update",
        "alter table tickets disable row level security",
        "drop policy customer_select on tickets",
        "create policy mine on tickets using (true)",
        "create function public.mine() returns int language sql as 'select 1'",
        "create table public.mine ()",
        "set session_replication_role = 'replica'",
        "select deskbell_begin_operation()",
        "select setval('ticket_number_seq', 1)",
    ],
)
@pytest.mark.parametrize("who", ["nobody", "anna", "agent", "admin", "system"])
def test_the_application_cannot_loosen_what_guards_the_data(world: World, who: str, statement: str) -> None:
    assert world.refusal(who, statement).startswith("42501 ")


@pytest.mark.parametrize("who", ["anna", "agent", "admin", "system"])
def test_nobody_hands_on_their_privileges(world: World, who: str) -> None:
    """PostgreSQL answers such a GRANT with a warning, not with an error."""
    acl = "select relacl::text from pg_class where relname = 'tickets'"
    with world.acting(who) as connection:
        connection.execute("grant select on tickets to public")
        assert connection.execute(acl).fetchall() == world.rows("superuser", acl)


@pytest.mark.parametrize("who", ["nobody", "anna", "system"])
@pytest.mark.parametrize("role", ["deskbell_owner", "deskbell_readonly", "superuser"])
def test_the_application_cannot_become_more_than_an_actor(world: World, who: str, role: str) -> None:
    name = world.address.user if role == "superuser" else role
    for statement in ("select set_config('role', %(role)s, true)", f'set local role "{name}"'):
        assert world.refusal(who, statement, {"role": name}) == f'42501 permission denied to set role "{name}"'
    assert world.refusal(who, f'set local session authorization "{name}"').startswith("42501 ")


def test_who_reads_reports_cannot_become_an_actor(world: World) -> None:
    refused = world.refusal("readonly", "select set_config('role', 'deskbell_agent', true)")
    assert refused == '42501 permission denied to set role "deskbell_agent"'


def test_row_security_cannot_be_switched_off(world: World) -> None:
    with world.acting("anna") as connection:
        connection.execute("set local row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="would be affected by row-level security"):
            connection.execute("select 1 from tickets")
