"""Tickets over HTTP."""

import httpx
import pytest

from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio


async def test_a_customer_opens_a_ticket_and_reads_it_back(customer: httpx.AsyncClient) -> None:
    opened = await customer.post("/api/v1/tickets", json={"description": "My card has not arrived.\nPlease help."})
    assert opened.status_code == 201, opened.text
    assert opened.json()["title"] == "My card has not arrived."
    read = await customer.get(opened.headers["Location"])
    assert read.status_code == 200
    assert read.json() == opened.json()
    assert read.headers["ETag"] == opened.headers["ETag"]


async def test_the_list_shows_it(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: [f.ticket() for _ in range(3)])
    found = await agent.get("/api/v1/tickets", params={"limit": 2})
    assert found.status_code == 200, found.text
    assert len(found.json()["items"]) == 2
    assert found.headers["Link"]
