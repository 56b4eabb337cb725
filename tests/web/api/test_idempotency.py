"""A POST that is repeated with its `Idempotency-Key` happens once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import cast

import anyio
import httpx
import pytest
from sqlalchemy import QueuePool, text

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, ActorKind
from deskbell.testing.factories import SYSTEM
from deskbell.web.idempotency import LIFETIME
from tests.web.api.conftest import Desk
from tests.web.api.test_authentication import PASSWORD, SESSION

pytestmark = pytest.mark.anyio
TICKETS = "/api/v1/tickets"
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


async def test_the_same_request_gets_the_same_answer(customer: httpx.AsyncClient) -> None:
    first, second = [await customer.post(TICKETS, json={"description": "Once"}, headers=KEY) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    for name in ("ETag", "Location", "Content-Type"):
        assert second.headers[name] == first.headers[name]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len((await customer.get(TICKETS)).json()["items"]) == 1


async def test_the_quoted_form_of_the_draft_is_the_same_key(customer: httpx.AsyncClient) -> None:
    quoted = {"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'}
    first = await customer.post(TICKETS, json={"description": "Once"}, headers=KEY)
    assert (await customer.post(TICKETS, json={"description": "Once"}, headers=quoted)).content == first.content


@pytest.mark.parametrize("change", ["body", "address"])
async def test_a_key_is_good_for_one_request_alone(customer: httpx.AsyncClient, change: str) -> None:
    opened = await customer.post(TICKETS, json={"description": "Once"}, headers=KEY)
    url = TICKETS if change == "body" else f"{opened.headers['Location']}/comments"
    refused = await customer.post(url, json={"description": "Twice"}, headers=KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_one_person(desk: Desk) -> None:
    people = [await desk.as_role(Role.CUSTOMER) for _ in range(2)]
    answers = [await person.post(TICKETS, json={"description": "Mine"}, headers=KEY) for person in people]
    assert answers[0].json()["ticket_number"] != answers[1].json()["ticket_number"]


async def test_a_request_that_failed_may_be_repeated(customer: httpx.AsyncClient) -> None:
    refused = await customer.post(TICKETS, json={"description": ""}, headers=KEY)
    assert refused.status_code == 422
    late = await customer.post(TICKETS, json={"description": "x", "requester_email": "a@example.test"}, headers=KEY)
    assert late.status_code == 403
    assert (await customer.post(TICKETS, json={"description": "Now"}, headers=KEY)).status_code == 201


@pytest.mark.parametrize("key", ["", '""', "a b", "ä", "x" * 256])
async def test_a_key_that_is_none_is_refused(customer: httpx.AsyncClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    refused = await customer.post(TICKETS, json={"description": "x"}, headers=headers)
    assert (refused.status_code, refused.json()["field"]) == (422, "Idempotency-Key")


async def test_a_day_later_the_key_is_free_again(desk: Desk, customer: httpx.AsyncClient) -> None:
    me = (await customer.get("/api/v1/me")).json()["id"]
    await customer.post(TICKETS, json={"description": "Yesterday"}, headers=KEY)
    async with desk.database.async_transaction(Actor(ActorKind.CUSTOMER, me)) as session:
        age = {"age": LIFETIME + timedelta(seconds=1)}
        await session.execute(
            text("update idempotency_keys set created_at = clock_timestamp() - cast(:age as interval)"), age
        )
    today = await customer.post(TICKETS, json={"description": "Today"}, headers=KEY)
    assert (today.status_code, today.json()["description"]) == (201, "Today")


async def test_uploads_are_compared_by_their_content_not_their_boundary(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    url = f"{TICKETS}/{ticket.ticket_number}/attachments"
    first, second = [await agent.post(url, files={"file": ("a.txt", b"one")}, headers=KEY) for _ in range(2)]
    assert first.status_code == 201, first.text
    assert second.content == first.content
    assert (await agent.post(url, files={"file": ("a.txt", b"two")}, headers=KEY)).status_code == 422
    assert len((await agent.get(f"{TICKETS}/{ticket.ticket_number}")).json()["attachments"]) == 1


async def test_the_secret_of_a_token_is_kept_nowhere(desk: Desk, agent: httpx.AsyncClient) -> None:
    first, second = [await agent.post("/api/v1/tokens", json={"name": "x"}, headers=KEY) for _ in range(2)]
    secret = first.json()["secret"]
    assert secret.startswith("dbt_")
    assert second.json() == {**first.json(), "secret": None}
    async with desk.database.async_transaction(SYSTEM) as session:
        bodies = (await session.execute(text("select body from idempotency_keys"))).scalars().all()
    assert len(bodies) == 1
    assert secret.encode() not in bytes(bodies[0])


async def test_of_two_at_once_one_waits_and_gets_the_others_answer(live: Desk) -> None:
    customer = await live.as_role(Role.CUSTOMER)
    answers: list[httpx.Response] = []

    async def send() -> None:
        answers.append(await customer.post(TICKETS, json={"description": "Once"}, headers=KEY))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(send)
    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 4
    assert len((await customer.get(TICKETS)).json()["items"]) == 1


async def test_a_body_that_never_comes_holds_no_connection(live: Desk) -> None:
    """One customer with some twenty such requests would stop the whole desk."""
    customer = await live.as_role(Role.CUSTOMER)
    asked, rest = anyio.Event(), anyio.Event()

    async def withheld() -> AsyncIterator[bytes]:
        asked.set()
        await rest.wait()
        yield b"{}"

    async with anyio.create_task_group() as group:
        group.start_soon(partial(customer.post, f"{TICKETS}/DB-1/restore", content=withheld(), headers=KEY))
        await asked.wait()
        assert cast("QueuePool", live.database.async_engine.pool).checkedout() == 0
        rest.set()


async def test_a_form_with_a_session_and_a_key_is_no_500(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(password=PASSWORD))
    client = await desk.client()
    token = (await client.post(SESSION, json={"email": user.email, "password": PASSWORD})).json()["csrf_token"]
    sent = await client.post(f"{TICKETS}/DB-1/restore", data={"csrf_token": token}, headers=KEY)
    assert sent.status_code == 404
