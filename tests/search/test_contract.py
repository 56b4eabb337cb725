"""`search_tickets`: plain words, filters that multiply nothing, pages and their total."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.search.contract import search_tickets
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.deletion import soft_delete_ticket
from deskbell.tickets.labels import ensure_tags
from deskbell.tickets.models import TicketPriority, TicketStatus

THEN = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT)


def make(database: Database, creator: User, *tickets: dict[str, Any]) -> list[int]:
    """Make tickets, each a minute older than the one before it."""
    with database.transaction(SYSTEM) as session:
        ids = ensure_tags(session, [name for values in tickets for name in values.get("tags", ())])
        return create_tickets(
            session,
            [
                NewTicket(
                    values.get("title", "Card"),
                    values.get("description", ""),
                    creator.id,
                    created_at=values.get("created_at", THEN - timedelta(minutes=n)),
                    status=TicketStatus(values.get("status", "open")),
                    priority=TicketPriority(values.get("priority", "medium")),
                    assignee_id=values.get("assignee_id"),
                    tag_ids=tuple(ids[name] for name in values.get("tags", ())),
                )
                for n, values in enumerate(tickets)
            ],
        )


def found(database: Database, who: User, *arguments: Any, **named: Any) -> list[int]:
    with database.transaction(actor(who)) as session:
        page = search_tickets(session, *arguments, **named)
    assert page.total == len(page.tickets)
    return [ticket.id for ticket in page.tickets]


def test_without_anything_all_tickets_come_last_changed_first(database: Database, agent: User) -> None:
    ids = make(database, agent, {}, {}, {})
    assert found(database, agent) == ids
    assert found(database, agent, "", [], None, None, None, []) == ids


def test_all_words_must_be_there_in_any_order(database: Database, agent: User) -> None:
    first, second, _ = make(
        database,
        agent,
        {"title": "Refund failed"},
        {"title": "failed", "description": "where is my refund"},
        {"title": "refund"},
    )
    assert found(database, agent, "failed refund") == [first, second]
    assert found(database, agent, "  FAILED\n") == [first, second]


@pytest.mark.parametrize(
    "term", ["%", "_", "100%", "status:open", "-refund", "(", ")", "OR", "NOT", '"', "a\\", ":*", "|"]
)
def test_no_character_has_a_meaning(database: Database, agent: User, term: str) -> None:
    """Trap 6: `%` and `_` in what the user typed are wildcards unless escaped."""
    make(database, agent, {"title": "Refund, please", "status": "open"})
    words = "".join(character if character.isalnum() else " " for character in term).split()
    nothing_to_look_for = all(word.lower() in {"a", "or", "not"} for word in words)
    assert bool(found(database, agent, term)) is (nothing_to_look_for or words == ["refund"])


@pytest.mark.parametrize("term", ["refund\0", "\ud800refund", "refund " * 50, "x" * 2000, "é" * 2000])
def test_hostile_terms_are_words_too(database: Database, agent: User, term: str) -> None:
    make(database, agent, {"title": "Refund"})
    found(database, agent, term)


def test_filters_narrow_together(database: Database, factory: Factory, agent: User) -> None:
    other = factory.user(Role.AGENT)
    wanted = {"status": "waiting_on_customer", "priority": "high", "assignee_id": agent.id, "tags": ["billing"]}
    [right, *_] = make(
        database,
        agent,
        wanted,
        wanted | {"status": "closed"},
        wanted | {"priority": "low"},
        wanted | {"assignee_id": other.id},
        wanted | {"tags": ["login"]},
        wanted | {"created_at": THEN - timedelta(days=1)},
    )
    statuses = [TicketStatus.WAITING_ON_CUSTOMER, "open"]
    assert found(database, agent, "card", statuses, "high", agent.id, THEN - timedelta(hours=1), ["billing"]) == [right]
    assert found(database, agent, "", ["waiting_on_customer"], None, other.id) != []


def test_zero_asks_for_what_nobody_has(database: Database, agent: User) -> None:
    free, _ = make(database, agent, {}, {"assignee_id": agent.id})
    assert found(database, agent, assignee_id=0) == [free]


def test_created_after_leaves_out_the_moment_itself(database: Database, agent: User) -> None:
    make(database, agent, {"created_at": THEN})
    assert found(database, agent, created_after=THEN) == []
    before = (THEN - timedelta(microseconds=1)).astimezone(ZoneInfo("Australia/Lord_Howe"))
    assert len(found(database, agent, created_after=before)) == 1


def test_two_tags_mean_both_or_any_as_the_caller_says(database: Database, agent: User) -> None:
    """Trap 5: and a ticket with both stands there once, whichever is asked for."""
    both, one, _ = make(database, agent, {"tags": ["billing", "login"]}, {"tags": ["login"]}, {"tags": ["other"]})
    assert found(database, agent, tags=["Billing", "LOGIN"]) == [both]
    assert found(database, agent, tags=["billing", "login"], tag_match="any") == [both, one]
    assert found(database, agent, tags=["login", "login", "unknown"], tag_match="any") == [both, one]
    assert found(database, agent, tags=["login", "unknown"]) == []


def test_pages_have_the_total_of_all(database: Database, agent: User) -> None:
    ids = make(database, agent, *({"tags": ["a", "b"]} for _ in range(7)))
    pages = []
    with database.transaction(actor(agent)) as session:
        for offset in (0, 3, 6, 9, 10_000):
            tickets, total = search_tickets(session, tags=["a", "b"], limit=3, offset=offset)
            pages.append([ticket.id for ticket in tickets])
            assert total == 7
    assert pages == [ids[:3], ids[3:6], ids[6:], [], []]


def test_more_than_can_be_counted_says_so(database: Database, agent: User) -> None:
    ids = make(database, agent, *({} for _ in range(10_002)))
    with database.transaction(actor(agent)) as session:
        page = search_tickets(session, limit=2)
        assert (len(page.tickets), page.total, page.is_capped) == (2, 10_001, True)
        deepest = search_tickets(session, limit=200, offset=10_000)
        assert [ticket.id for ticket in deepest.tickets] == ids[10_000:]
        assert not search_tickets(session, "nothing").is_capped


@pytest.mark.parametrize("count", [1, 50, 200])
def test_the_number_of_statements_does_not_grow_with_the_page(database: Database, agent: User, count: int) -> None:
    make(database, agent, *({"tags": ["a"], "assignee_id": agent.id} for _ in range(count)))
    with database.transaction(actor(agent)) as session:
        session.connection()
        with count_statements(database.engine) as statements:
            search_tickets(session, "card", limit=200)
    assert len(statements) == 7  # custom plans, the count, the page, its tickets, requesters, assignees, tags


def test_deleted_tickets_and_those_of_others_are_not_found(database: Database, factory: Factory, agent: User) -> None:
    customer, stranger = factory.user(), factory.user()
    own, gone = make(database, customer, {}, {})
    make(database, stranger, {})
    with database.transaction(SYSTEM) as session:
        soft_delete_ticket(session, gone)
    assert found(database, customer) == [own]
    assert gone not in found(database, agent)


def test_customers_match_neither_notes_nor_tags(database: Database, factory: Factory, agent: User) -> None:
    customer = factory.user()
    ticket = factory.ticket(customer, message="Hello")
    factory.comment(ticket, agent, "difficult", is_internal=True)
    assert found(database, agent, "difficult") == [ticket.id]
    assert found(database, customer, "difficult") == []
    with pytest.raises(ForbiddenError):
        found(database, customer, tags=["x"])


REFUSED: list[tuple[str, Any]] = [
    ("limit", 0),
    ("limit", -1),
    ("limit", 201),
    ("limit", 10**6),
    ("offset", -1),
    ("offset", 10_001),
    ("offset", 2**63),
    ("status_list", ["done"]),
    ("status_list", "open"),
    ("status_list", ["open", "\0"]),
    ("priority", "highest"),
    ("assignee_id", -1),
    ("assignee_id", 2**63),
    ("created_after", THEN.replace(tzinfo=None)),
    ("created_after", datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))),
    ("tags", "billing"),
    ("tags", [""]),
    ("tags", ["\0"]),
    ("tags", ["x" * 101]),
    ("tags", ["x"] * 21),
    ("search_term", "x" * 2001),
    ("search_term", "x " * 51),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda value: repr(value)[:40])
def test_what_makes_no_sense_is_refused_with_its_field(database: Database, agent: User, name: str, value: Any) -> None:
    with database.transaction(actor(agent)) as session, pytest.raises(InvalidError) as raised:
        search_tickets(session, **{name: value})
    assert raised.value.field == name
    assert len(raised.value.message) < 300


def test_an_unknown_way_to_match_tags_is_refused(database: Database, agent: User) -> None:
    some: Any = "some"
    with database.transaction(actor(agent)) as session, pytest.raises(InvalidError) as raised:
        search_tickets(session, tags=["a"], tag_match=some)
    assert raised.value.field == "tag_match"
