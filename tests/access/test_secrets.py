"""What nobody but the system may read, and what a customer may never learn."""
# ruff: noqa: S608 - the names in the statements are constants of this file

import psycopg
import pytest

from tests.access.world import World

CUSTOMERS = ("anna", "bert")
EVERYONE_ELSE = ("nobody", *CUSTOMERS, "agent", "admin", "readonly")
DENIED = "42501 permission denied for table {}"


@pytest.mark.parametrize("who", EVERYONE_ELSE)
@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("users", "select password_hash from users"),
        ("users", "select 1 from users where password_hash like '$argon2id$%%'"),
        ("users", "select 1 from users order by password_hash"),
        ("users", "select users from users"),
        ("users", "select to_jsonb(u) from users u"),
        ("api_tokens", "select token_hash from api_tokens"),
        ("api_tokens", "select t::text from api_tokens t"),
        ("api_tokens", "update api_tokens set name = name returning token_hash"),
        ("login_sessions", "select token_hash from login_sessions"),
        ("login_sessions", "delete from login_sessions where token_hash = sha256('x') returning user_id"),
    ],
)
def test_no_hash_is_read_by_anybody_but_the_system(world: World, who: str, table: str, statement: str) -> None:
    assert world.refusal(who, statement) == DENIED.format(table)


def test_the_system_reads_hashes_because_it_compares_them(world: World) -> None:
    assert world.rows("system", "select count(password_hash) from users") == [(1,)]


def test_a_customer_reads_no_address_but_their_own(world: World) -> None:
    assert world.rows("anna", "select email from users") == [("anna@example.test",)]
    assert sorted(world.rows("anna", "select full_name <> '', email from people"), key=str) == [
        (True, "anna@example.test"),
        (True, None),
        (True, None),
    ]


def test_a_customer_knows_the_names_of_who_answered_and_of_nobody_else(world: World) -> None:
    names = {name: [(world.ids[name],)] for name in world.actors if name in world.ids}
    assert world.rows("bert", "select id from people order by id") == [*names["bert"], *names["agent"]]
    assert world.rows("bill", "select id from people") == names["bill"]
    assert world.rows("anna", "select id from people order by id") == [*names["anna"], *names["amy"], *names["agent"]]


def test_the_desk_reads_all_addresses(world: World) -> None:
    assert world.rows("agent", "select count(email) from people") == [(6,)]


def test_a_customer_sees_their_own_tickets_and_those_that_their_organization_shares(world: World) -> None:
    visible = {who: {number for (number,) in world.rows(who, "select ticket_number from tickets")} for who in CUSTOMERS}
    numbers = world.numbers
    assert visible["anna"] == {numbers["anna"], numbers["answered anna"], numbers["amy"]}
    assert visible["bert"] == {numbers["bert"], numbers["answered bert"]}


def test_sharing_ends_when_the_organization_says_so(world: World) -> None:
    with world.acting("admin") as connection:
        connection.execute("update organizations set shares_tickets = false")
        connection.execute("select set_config('role', 'deskbell_customer', true)")
        connection.execute("select set_config('deskbell.actor', %s, true)", (str(world.ids["anna"]),))
        assert connection.execute("select count(*) from tickets").fetchall() == [(2,)]
        assert connection.execute("select count(*) from people").fetchall() == [(2,)]


@pytest.mark.parametrize("who", ["anna", "amy", "bert", "bill"])
def test_no_customer_reads_an_internal_note_or_its_file(world: World, who: str) -> None:
    assert world.rows(who, "select 1 from comments where is_internal") == []
    assert world.rows(who, "select 1 from comments where content like 'note%%'") == []
    assert world.rows(who, "select 1 from attachments where file_name like 'on note%%'") == []
    assert world.rows(who, "select 1 from attachments where file_name = 'on deleted'") == []


def test_a_function_in_a_customers_filter_is_not_shown_what_they_may_not_see(world: World) -> None:
    """A cheap function is evaluated first, unless the policy is a barrier: it would read notes through its messages."""
    heard: list[str] = []

    def hear(message: psycopg.errors.Diagnostic) -> None:
        heard.append(message.message_primary or "")

    with world.acting("anna") as connection:
        connection.add_notice_handler(hear)
        connection.execute(
            "create function pg_temp.peek(text) returns boolean language plpgsql cost 0.0001"
            " as $$ begin raise notice '%', $1; return true; end $$"
        )
        for table, column in (
            ("comments", "content"),
            ("people", "email"),
            ("people", "full_name"),
            ("tickets", "title"),
        ):
            connection.execute(f"select 1 from {table} where pg_temp.peek({column})".encode())
        connection.remove_notice_handler(hear)
    assert "answer to anna" in heard
    assert [text for text in heard if "note" in text or "bert" in text or "Admin" in text] == []
    assert [text for text in heard if "@" in text] == ["anna@example.test"]


@pytest.mark.parametrize("who", ["nobody", *CUSTOMERS])
@pytest.mark.parametrize("table", ["audit_logs", "operations", "tags", "ticket_tags", "teams", "team_members"])
def test_what_the_desk_keeps_to_itself_is_refused_to_customers(world: World, who: str, table: str) -> None:
    assert world.refusal(who, f"select 1 from {table}") == DENIED.format(table)


def test_the_readers_of_reports_get_no_raw_mail(world: World) -> None:
    assert world.refusal("readonly", "select raw from inbound_messages") == DENIED.format("inbound_messages")
