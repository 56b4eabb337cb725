"""The history over HTTP."""

import httpx
import pytest

from deskbell.accounts.models import Role
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio


async def test_a_tickets_history_tells_who_did_what_through_what(desk: Desk) -> None:
    colleague = await desk.make(lambda f: f.user(Role.AGENT, full_name="Alex Agent"))
    ticket, other = await desk.make(lambda f: (f.ticket(), f.ticket()))
    agent, url = await desk.as_(colleague), f"/api/v1/tickets/{ticket.ticket_number}"
    await agent.patch(url, json={"status": "in_progress"})
    await agent.post(f"{url}/comments", json={"content": "Hello"})
    await agent.put(f"{url}/tags/billing")
    await agent.post(f"{url}/attachments", files={"file": ("a.txt", b"a")})
    await agent.patch(f"/api/v1/tickets/{other.ticket_number}", json={"status": "closed"})
    history = await agent.get(f"{url}/audit")
    assert history.status_code == 200, history.text
    items = history.json()["items"]
    tables = [item["table_name"] for item in items]
    assert tables == ["attachments", "ticket_tags", "tickets", "comments", "tickets", "tickets"]
    moved = next(item for item in items if item["changes"] == {"status": ["open", "in_progress"]})
    assert (moved["user_name"], moved["channel"], moved["action"]) == ("Alex Agent", "api", "UPDATE")
    assert moved["act"] == "PATCH /api/v1/tickets/{number}"
    assert not any((item["changes"] or {}).get("status") == ["open", "closed"] for item in items)


async def test_the_whole_log_is_for_the_desk_alone(agent: httpx.AsyncClient, customer: httpx.AsyncClient) -> None:
    opened = (await customer.post("/api/v1/tickets", json={"description": "x"})).json()
    params = {"table": "tickets", "record_id": opened["id"]}
    assert [item["action"] for item in (await agent.get("/api/v1/audit", params=params)).json()["items"]] == ["CREATE"]
    for path in ("/api/v1/audit", f"/api/v1/tickets/{opened['ticket_number']}/audit"):
        assert (await customer.get(path)).status_code == 403
    assert (await agent.get("/api/v1/audit", params={"record_id": 1})).status_code == 422
    assert (await agent.get("/api/v1/audit", params={"table": "tickets; drop"})).status_code == 422


async def test_secrets_are_recorded_as_changed_and_no_more(admin: httpx.AsyncClient) -> None:
    await admin.post("/api/v1/tokens", json={"name": "x"})
    await admin.post("/api/v1/users", json={"email": "p@example.test", "password": "correct horse battery"})
    text = (await admin.get("/api/v1/audit", params={"limit": 200})).text
    assert "argon2" not in text
    assert "token_hash" not in text
