"""What a request costs: as many statements for fifty as for one."""

from functools import partial

import httpx
import pytest

from deskbell.accounts.models import Role, User
from deskbell.testing.factories import Factory
from deskbell.testing.statements import count_statements
from deskbell.tickets.models import Ticket
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio


def tickets_of(owner: User, count: int, factory: Factory) -> list[Ticket]:
    return [factory.ticket(owner) for _ in range(count)]


async def cost(desk: Desk, client: httpx.AsyncClient, url: str) -> int:
    with count_statements(desk.database.async_engine.sync_engine) as statements:
        answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    return len([statement for statement in statements if "set_config('role', 'none'" not in statement])


async def test_a_list_of_fifty_costs_what_a_list_of_one_costs(desk: Desk) -> None:
    owner, colleague = await desk.make(lambda f: (f.user(organization=f.organization()), f.user(Role.AGENT)))
    agent, customer = await desk.as_(colleague), await desk.as_(owner)
    costs = []
    for count in (1, 49):
        tickets = await desk.make(partial(tickets_of, owner, count))
        for ticket in tickets[:3]:
            await agent.patch(f"/api/v1/tickets/{ticket.ticket_number}", json={"assignee_id": colleague.id})
            await agent.put(f"/api/v1/tickets/{ticket.ticket_number}/tags/urgent")
        costs.append([await cost(desk, client, "/api/v1/tickets?limit=50") for client in (agent, customer)])
    assert costs[0] == costs[1] == [2, 2]


async def test_a_long_thread_costs_what_a_short_one_costs(desk: Desk, agent: httpx.AsyncClient) -> None:
    writer, ticket = await desk.make(lambda f: (f.user(Role.AGENT), f.ticket()))
    costs = []
    for count in (1, 20):

        def write(factory: Factory, count: int = count) -> None:
            for _ in range(count):
                factory.comment(ticket, writer)

        await desk.make(write)
        costs.append(await cost(desk, agent, f"/api/v1/tickets/{ticket.ticket_number}"))
    assert costs[0] == costs[1] == 2


async def test_opening_a_ticket_for_oneself_looks_nobody_up(desk: Desk, agent: httpx.AsyncClient) -> None:
    """Who asks, the ticket, its document: a requester who is loaded as well costs a fifth of the request."""
    await agent.post("/api/v1/tickets", json={"title": "Card", "description": "Who asks is known from now on."})
    with count_statements(desk.database.async_engine.sync_engine) as statements:
        answer = await agent.post("/api/v1/tickets", json={"title": "Card", "description": "Not here yet."})
    assert answer.status_code == 201, answer.text
    assert len([statement for statement in statements if "set_config('role', 'none'" not in statement]) == 3


async def test_a_ticket_for_oneself_belongs_to_ones_organization(desk: Desk) -> None:
    owner = await desk.make(lambda f: f.user(organization=f.organization()))
    customer = await desk.as_(owner)
    answer = await customer.post("/api/v1/tickets", json={"description": "Not here yet."})
    assert answer.json()["organization"]["id"] == owner.organization_id
