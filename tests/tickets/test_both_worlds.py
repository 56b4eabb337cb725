"""Every operation of the contract through the synchronous and the asynchronous session: same data, same result.

Each call is taken back, so that both worlds find the same desk.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, date, datetime, timedelta
from inspect import isfunction, signature
from typing import Any

import pytest
from sqlalchemy import inspect

import deskbell
from deskbell import (
    Actor,
    CreatedTicket,
    Database,
    DeskbellError,
    NewTicket,
    Role,
    bulk_assign_tickets,
    bulk_create_tickets,
    bulk_insert_with_return,
    bulk_update_ticket_status,
    get_ticket_statistics,
    get_tickets_with_details,
    get_user_with_tickets,
    restore_ticket,
    search_tickets,
    soft_delete_ticket,
)
from deskbell.kernel.orm import Base
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.labels import tag

pytestmark = pytest.mark.anyio
DAY = date(2026, 3, 25)
THEN = datetime(2026, 3, 25, 12, tzinfo=UTC)
NOBODY = 10**9


class TakenBackError(Exception):
    """Ends a transaction without leaving anything."""


@dataclass(frozen=True)
class World:
    """Who acts, and the tickets that are there: the last one deleted."""

    agent: int
    customer: int
    ids: list[int]


Operation = Callable[[Any, World], Any]
OPERATIONS: dict[str, Operation] = {
    "get_tickets_with_details": lambda s, _: get_tickets_with_details(s),
    "get_tickets_with_details of one status": lambda s, _: get_tickets_with_details(s, "open", limit=3),
    "get_user_with_tickets": lambda s, w: get_user_with_tickets(s, w.customer),
    "search_tickets": lambda s, w: search_tickets(
        s, "card", ["open", "resolved"], "medium", None, THEN - timedelta(days=1), ["billing"], limit=w.ids[1]
    ),
    "search_tickets for any tag": lambda s, _: search_tickets(s, tags=["billing", "x"], tag_match="any", offset=1),
    "get_ticket_statistics": lambda s, _: get_ticket_statistics(s, DAY, DAY + timedelta(days=7)),
    "bulk_create_tickets": lambda s, w: bulk_create_tickets(s, [NewTicket("New", "", w.customer, created_at=THEN)]),
    "bulk_insert_with_return": lambda s, w: bulk_insert_with_return(
        s, [{"title": f"{n}", "creator_id": w.customer, "tags": ["billing", "new"]} for n in range(20)]
    ),
    "bulk_update_ticket_status": lambda s, w: bulk_update_ticket_status(s, [*w.ids, NOBODY], "resolved"),
    "bulk_assign_tickets": lambda s, w: bulk_assign_tickets(s, [*w.ids, NOBODY], w.agent),
    "soft_delete_ticket": lambda s, w: soft_delete_ticket(s, w.ids[0]),
    "soft_delete_ticket again": lambda s, w: soft_delete_ticket(s, w.ids[-1]),
    "restore_ticket": lambda s, w: restore_ticket(s, w.ids[-1]),
    "restore_ticket again": lambda s, w: restore_ticket(s, w.ids[0]),
}
MISTAKES: dict[str, Operation] = {
    "an unknown status": lambda s, _: get_tickets_with_details(s, "done"),
    "an unknown person": lambda s, _: get_user_with_tickets(s, NOBODY),
    "an id that is none": lambda s, _: get_user_with_tickets(s, 2**63),
    "an offset too deep": lambda s, _: search_tickets(s, offset=2**63),
    "an unknown tag match": lambda s, _: search_tickets(s, tags=["x"], tag_match="some"),  # type: ignore[call-overload]  # the mistake
    "a reversed period": lambda s, _: get_ticket_statistics(s, DAY, DAY - timedelta(days=1)),
    "an unknown requester": lambda s, _: bulk_create_tickets(s, [NewTicket("x", "", NOBODY)]),
    "no tickets": lambda s, _: bulk_insert_with_return(s, []),
    "an id that is no number": lambda s, _: bulk_update_ticket_status(s, ["x"], "open"),  # type: ignore[list-item]  # the mistake
    "a customer as assignee": lambda s, w: bulk_assign_tickets(s, w.ids, w.customer),
    "an unknown ticket": lambda s, _: soft_delete_ticket(s, NOBODY),
    "an unknown number": lambda s, _: restore_ticket(s, "DB-0"),
}


@pytest.fixture
async def desk(fresh_database: Database) -> AsyncIterator[Database]:
    yield fresh_database
    await fresh_database.aclose()


@pytest.fixture
def world(desk: Database) -> World:
    factory = Factory(desk)
    agent, customer = factory.user(Role.AGENT), factory.user()
    tickets = [factory.ticket(customer) for _ in range(5)]
    for ticket in tickets[:3]:
        factory.comment(ticket, agent)
        factory.comment(ticket, agent, is_internal=True)
    with desk.transaction(actor(agent)) as session:
        for ticket in tickets:
            tag(session, ticket.ticket_number, "billing")
        bulk_assign_tickets(session, [tickets[1].id], agent.id)
        bulk_update_ticket_status(session, [tickets[2].id], "resolved")
        soft_delete_ticket(session, tickets[4].id)
    with desk.transaction(SYSTEM) as session:
        bulk_create_tickets(session, [NewTicket("Old", "", customer.id, created_at=THEN, assignee_id=agent.id)])
    return World(agent.id, customer.id, [ticket.id for ticket in tickets])


def plain(value: Any, depth: int = 4) -> Any:
    """Write a result as values that can be compared: entities as what of them is loaded, new ids from the first on."""
    if isinstance(value, Base):
        loaded: dict[str, Any] = inspect(value).dict
        return {key: plain(item, depth - 1) for key, item in loaded.items() if key[0] != "_" and depth}
    if isinstance(value, list) and value and isinstance(value[0], CreatedTicket):
        return [created.id - value[0].id for created in value]
    if isinstance(value, str | bytes):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [plain(item, depth) for item in value] if isinstance(value, Iterable) else value


def outcome(error: BaseException) -> tuple[object, ...]:
    assert isinstance(error, DeskbellError)
    return type(error), error.message, error.details


def through_session(database: Database, who: Actor, operation: Operation, world: World) -> Any:
    results = []
    with suppress(TakenBackError), database.transaction(who) as session:
        results.append(plain(operation(session, world)))
        raise TakenBackError
    return results[0]


async def through_async_session(database: Database, who: Actor, operation: Operation, world: World) -> Any:
    results = []
    with suppress(TakenBackError):
        async with database.async_transaction(who) as session:
            results.append(plain(await operation(session, world)))
            raise TakenBackError
    return results[0]


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER])
async def test_both_worlds_return_the_same(desk: Database, world: World, role: Role) -> None:
    who = Actor(deskbell.ActorKind(role.value), world.agent if role is Role.AGENT else world.customer)
    compared = 0
    for name, operation in OPERATIONS.items():
        if role is Role.AGENT or name in {"get_tickets_with_details", "get_user_with_tickets", "get_ticket_statistics"}:
            here = through_session(desk, who, operation, world)
            there = await through_async_session(desk, who, operation, world)
            assert here == there, name
            assert here not in (None, []), name
            compared += 1
    assert compared in {len(OPERATIONS), 3}


async def test_both_worlds_refuse_the_same(desk: Database, world: World) -> None:
    who = Actor(deskbell.ActorKind.AGENT, world.agent)
    for name, mistake in MISTAKES.items():
        with pytest.raises(DeskbellError) as here, desk.transaction(who) as session:
            mistake(session, world)
        with pytest.raises(DeskbellError) as there:
            async with desk.async_transaction(who) as session:
                await mistake(session, world)
        assert outcome(here.value) == outcome(there.value), name


def test_no_operation_is_left_out() -> None:
    functions = {name: value for name in deskbell.__all__ if isfunction(value := getattr(deskbell, name))}
    operations = {name for name, value in functions.items() if "session" in signature(value).parameters}
    assert operations == {name.split()[0] for name in OPERATIONS}
