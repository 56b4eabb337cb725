"""What a person waits for reads a page, not the table: the plans of the hot queries, each as the role that asks."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deskbell.accounts.login import become
from deskbell.accounts.queries import get_user_by_email
from deskbell.audit.queries import NEWEST_CHANGE_FIRST, changes, changes_of_ticket, changes_where
from deskbell.kernel.actor import Actor
from deskbell.kernel.paging import keyset, page
from deskbell.search.queries import compile_query
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import ORDERS, get_thread, get_ticket, listed, lock_ticket
from tests.plans.conftest import BigDesk
from tests.plans.explain import explaining

AGENTS = (
    "",
    "status:open",
    "status:open,in_progress",
    "priority:urgent",
    "assignee:me",
    "assignee:none",
    "assignee:me status:open",
    "assignee:agent9@example.test",
    'team:"Team 3"',
    'team:"Team 3" status:open',
    'tag:"tag 17"',
    'tag:"tag 17" status:open',
    'organization:"Organization 7"',
    "requester:c77@example.test",
    "number:DB-1042",
    "DB-1042",
    "card account",
    "word17 rare5",
    '"card account" status:open',
)
CUSTOMERS = ("", "status:open", "card account", "rare5 card", "DB-1042", "assignee:none")


def faults(desk: BigDesk, who: Actor, act: Callable[[Session], object]) -> list[str]:
    with desk.database.transaction(who) as session, explaining(session, desk.big) as plans:
        act(session)
    assert plans.statements
    return plans.faults


def two_pages(who: Actor, query: str, order: str = "-updated_at") -> Callable[[Session], object]:
    def act(session: Session) -> None:
        statement = listed(compile_query(session, query), who)
        first = page(session.scalars(keyset(statement, ORDERS[order], limit=50)).all(), ORDERS[order], limit=50)
        if first.next_cursor:
            session.scalars(keyset(statement, ORDERS[order], limit=50, cursor=first.next_cursor)).all()

    return act


@pytest.mark.parametrize("query", AGENTS)
def test_an_agents_list_and_its_second_page(desk: BigDesk, agent: Actor, query: str) -> None:
    assert faults(desk, agent, two_pages(agent, query)) == []


@pytest.mark.parametrize("order", ["-created_at", "created_at"])
def test_an_agents_list_in_another_order(desk: BigDesk, agent: Actor, order: str) -> None:
    assert faults(desk, agent, two_pages(agent, "", order)) == []


@pytest.mark.parametrize("query", CUSTOMERS)
def test_a_customers_list(desk: BigDesk, loner: Actor, query: str) -> None:
    assert faults(desk, loner, two_pages(loner, query)) == []


@pytest.mark.parametrize("query", CUSTOMERS)
def test_the_list_of_a_customer_whose_organization_shares(desk: BigDesk, member: Actor, query: str) -> None:
    assert faults(desk, member, two_pages(member, query)) == []


@pytest.mark.parametrize("load", [get_ticket, get_thread, lock_ticket])
@pytest.mark.parametrize("name", ["agent", "loner", "member"])
def test_one_ticket(desk: BigDesk, request: pytest.FixtureRequest, name: str, load: Callable[..., Ticket]) -> None:
    who: Actor = request.getfixturevalue(name)
    number = desk.ticket_of(who)
    assert faults(desk, who, lambda session: load(session, number)) == []


HISTORIES = {
    "a ticket": changes_of_ticket(77),
    "a record": changes_where("tickets", 77),
    "a comment": changes_where("comments", 77),
    "everything": changes(),
}


@pytest.mark.parametrize("what", HISTORIES)
def test_the_history_of_something(desk: BigDesk, agent: Actor, what: str) -> None:
    statement = keyset(HISTORIES[what], NEWEST_CHANGE_FIRST, limit=50)
    assert faults(desk, agent, lambda session: session.execute(statement).all()) == []


def test_finding_a_person_by_address(desk: BigDesk, agent: Actor) -> None:
    assert faults(desk, agent, lambda session: get_user_by_email(session, "C77@example.test")) == []


@pytest.mark.parametrize("secret", ["token", "cookie"])
def test_logging_in_reads_no_table_whole(desk: BigDesk, secret: str) -> None:
    """The functions that look secrets up keep their plans to themselves; what they read is counted."""
    read = text(
        "select relname from pg_stat_xact_user_tables where seq_tup_read > 0"
        " and relname in ('users', 'api_tokens', 'login_sessions')"
    )
    with desk.database.sessions() as session, session.begin():
        assert become(session, getattr(desk, secret), channel="api", act="test") is not None
        assert session.scalars(read).all() == []


def test_a_plan_that_reads_the_table_is_found_out(desk: BigDesk, agent: Actor) -> None:
    found = faults(
        desk, agent, lambda session: session.scalars(select(Ticket.id).where(Ticket.title.contains("7"))).all()
    )
    assert found[0].startswith("Seq Scan on tickets")
    found = faults(desk, agent, lambda session: session.scalars(select(Ticket.id).order_by(Ticket.title)).all())
    assert any(fault.startswith("Sort of 20000 rows") for fault in found)
