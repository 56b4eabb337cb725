"""Rows of a file become tickets: once, in batches, all of one import in one operation."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from deskbell.accounts.models import Role, User
from deskbell.curation.csv_fields import BadRow, Row
from deskbell.curation.csv_reader import read_rows
from deskbell.curation.imports import Outcome, batches, import_batch, keyed
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.testing.statements import count_statements
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus
from deskbell.tickets.queries import FOR_LIST

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
IMPORT = Actor.system(Channel.IMPORT, act="deskbell import csv")
ASKING = "customer@bank.example"


def run(database: Database, rows: Iterable[Row | BadRow], *, force_new: bool = False) -> Outcome:
    total = Outcome()
    for batch in batches(keyed(iter(rows), ASKING, force_new=force_new), size=3):
        with database.transaction(IMPORT) as session:
            outcome = import_batch(session, batch, requester=ASKING, now=NOW)
        total.added, total.known = total.added + outcome.added, total.known + outcome.known
        total.refused += outcome.refused
    return total


def row(line: int, message: str, *tags: str, **values: str) -> Row:
    return Row(line, {"message": message, **values}, tags)


def all_tickets(database: Database) -> list[Ticket]:
    with database.transaction(SYSTEM) as session:
        return list(session.scalars(select(Ticket).options(*FOR_LIST).order_by(Ticket.id)))


def test_a_row_becomes_a_tagged_ticket_titled_from_its_message(database: Database) -> None:
    assert run(database, [row(2, "Where is my card? It was sent in May.", "card_arrival", "Card")]).added == 1
    [ticket] = all_tickets(database)
    assert ticket.title == "Where is my card?"
    assert ticket.description == "Where is my card? It was sent in May."
    assert {tag.name for tag in ticket.tags} == {"card_arrival", "Card"}
    assert ticket.requester is not None
    assert (ticket.requester.email, ticket.channel, ticket.created_at) == (ASKING, Channel.IMPORT, NOW)


def test_the_second_run_adds_nothing(database: Database) -> None:
    rows = [row(n, f"Question {n % 4}", "t") for n in range(2, 12)]  # equal rows are several tickets, not one
    assert (run(database, rows).added, run(database, rows).added) == (10, 0)
    assert run(database, rows).known == 10
    assert len(all_tickets(database)) == 10


def test_an_interrupted_import_goes_on_where_it_stopped(database: Database) -> None:
    rows = [row(n, f"Question {n}") for n in range(2, 12)]
    run(database, rows[:4])
    outcome = run(database, rows)
    assert (outcome.known, outcome.added) == (4, 6)


def test_force_new_insists(database: Database) -> None:
    rows = [row(2, "Again")]
    run(database, rows)
    assert run(database, rows, force_new=True).added == 1


def test_what_the_file_says_is_kept(database: Database, factory: Factory) -> None:
    factory.user(Role.AGENT, email="Agent@bank.example")
    said = {
        "title": "T",
        "requester": "Other@bank.example",
        "assignee": "agent@bank.example",
        "status": "resolved",
        "priority": "urgent",
        "created_at": "2024-02-29T12:00:00+00:00",
    }
    run(database, [row(2, "Text", **said)])
    [ticket] = all_tickets(database)
    assert ticket.agent is not None
    assert (ticket.title, ticket.agent.email) == ("T", "Agent@bank.example")
    assert (ticket.status, ticket.priority) == (TicketStatus.RESOLVED, TicketPriority.URGENT)
    assert ticket.created_at == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert ticket.resolved_at is not None


def test_a_row_for_an_unknown_agent_is_refused_and_the_others_kept(database: Database) -> None:
    outcome = run(
        database, [row(2, "One"), row(3, "Two", assignee="ghost@bank.example"), BadRow(4, "broken"), row(5, "Three")]
    )
    assert outcome.added == 2
    assert sorted(bad.line for bad in outcome.refused) == [3, 4]
    assert "ghost@bank.example" in next(bad.reason for bad in outcome.refused if bad.line == 3)


def test_each_ticket_of_an_import_is_in_the_audit_log(database: Database) -> None:
    run(database, [row(n, f"Question {n}") for n in range(2, 7)])
    created = text(
        "select count(*) from audit_logs where table_name = 'tickets' and action = 'CREATE' and channel = 'import'"
    )
    with database.transaction(SYSTEM) as session:
        assert session.scalar(created) == 5


def test_people_who_ask_become_customers_once(database: Database) -> None:
    run(database, [row(n, f"Q{n}", requester=f"{'KIM' if n % 2 else 'kim'}@bank.example") for n in range(2, 9)])
    with database.transaction(SYSTEM) as session:
        [kim] = session.scalars(select(User))
    assert (kim.email.lower(), kim.role) == ("kim@bank.example", Role.CUSTOMER)


def test_a_batch_costs_as_many_statements_for_ten_rows_as_for_five_hundred(database: Database) -> None:
    counts = []
    for size in (10, 500):
        rows = [row(n, f"Question {size} {n}", "a", "b") for n in range(size)]
        [batch] = batches(keyed(iter(rows), ASKING, force_new=False), size=1000)
        with database.transaction(IMPORT) as session, count_statements(session.connection().engine) as statements:
            import_batch(session, batch, requester=ASKING, now=NOW)
        counts.append(len(statements))
    assert counts == [11, 10]  # the first one also adds who asks


@pytest.mark.parametrize("name", ["train.csv"])
def test_ten_thousand_real_messages(database: Database, name: str) -> None:
    path = Path(__file__).parents[3] / "shared" / "data" / "banking77" / name
    if not path.exists():
        pytest.skip("the banking77 messages are not beside this checkout")
    rows = list(read_rows(path, {"text": "message", "category": "tag"}))[:2000]
    assert run(database, rows).added == 2000
    assert run(database, rows).known == 2000
