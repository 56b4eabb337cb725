"""Opening a ticket for oneself, which is pipelined: no less is asked and checked than on any other way."""

import httpx
import psycopg
import pytest
from sqlalchemy import func, select, text

from deskbell.accounts.models import Role
from deskbell.audit.models import AuditLog, Operation
from deskbell.kernel.address import Address
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.models import Ticket
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
TICKETS = "/api/v1/tickets"
BODY = {"title": "Card", "description": "It **is** not here."}


async def change(desk: Desk, statement: str) -> None:
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.execute(text(statement))


async def count(desk: Desk) -> int:
    async with desk.database.async_transaction(SYSTEM) as session:
        return await session.scalar(select(func.count()).select_from(Ticket)) or 0


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER])
async def test_what_it_answers_is_what_reading_shows(live: Desk, role: Role) -> None:
    """It is written as that of a ticket that has nothing yet: what is added along with one must not be left out."""
    client = await live.as_role(role)
    opened = await client.post(TICKETS, json=BODY)
    assert opened.status_code == 201, opened.text
    found = await client.get(opened.headers["location"])
    assert (opened.json(), opened.headers["etag"]) == (found.json(), found.headers["etag"])


async def test_a_token_that_no_longer_counts_opens_nothing(live: Desk) -> None:
    """Whom it stood for is remembered, and the ticket sent along with the question whether it still does."""
    client = await live.as_role(Role.AGENT)
    assert (await client.post(TICKETS, json=BODY)).status_code == 201
    changes = {"update api_tokens set scopes = '{read}'": 403, "update api_tokens set revoked_at = now()": 401}
    for statement, refused in changes.items():
        await change(live, statement)
        assert (await client.post(TICKETS, json=BODY)).status_code == refused
    assert await count(live) == 1


async def test_who_has_become_a_customer_opens_it_as_one(live: Desk) -> None:
    client = await live.as_role(Role.AGENT)
    assert (await client.post(TICKETS, json=BODY)).status_code == 201
    await change(live, "update users set role = 'customer'")
    assert (await client.post(TICKETS, json=BODY)).status_code == 201
    [shown, *_] = (await client.get(TICKETS)).json()["items"]
    assert shown["requester"]["email"], "one's own address"
    assert (await client.post(TICKETS, json={**BODY, "requester_email": "x@example.test"})).status_code == 403


async def test_a_connection_that_the_server_has_closed_meanwhile_costs_nothing(
    live: Desk, deskbell_fresh_address: Address
) -> None:
    client = await live.as_role(Role.AGENT)
    for _ in range(3):
        assert (await client.post(TICKETS, json=BODY)).status_code == 201
        cut(deskbell_fresh_address)
    assert await count(live) == 3


def cut(address: Address) -> None:
    with psycopg.connect(address.dsn, autocommit=True) as admin:
        admin.execute(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


async def test_a_key_makes_it_happen_once(live: Desk) -> None:
    client = await live.as_role(Role.AGENT)
    answers = [await client.post(TICKETS, json=BODY, headers={"Idempotency-Key": "k-1"}) for _ in range(3)]
    assert {answer.json()["ticket_number"] for answer in answers} == {answers[0].json()["ticket_number"]}
    assert await count(live) == 1


async def test_it_is_recorded_who_opened_it_and_through_what(live: Desk) -> None:
    user = await live.make(lambda f: f.user(Role.AGENT))
    client = await live.as_(user)
    opened: httpx.Response = await client.post(TICKETS, json=BODY)
    async with live.database.async_transaction(SYSTEM) as session:
        operation = (await session.scalars(select(Operation).order_by(Operation.id.desc()).limit(1))).one()
        entries = await session.scalars(select(AuditLog.table_name).where(AuditLog.operation_id == operation.id))
        assert (operation.user_id, operation.channel, operation.act) == (user.id, "api", f"POST {TICKETS}")
        assert entries.all() == ["tickets"]
    assert opened.json()["requester"]["id"] == user.id
