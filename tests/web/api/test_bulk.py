"""Many tickets at once over HTTP, and figures about them: what is done, what is refused, and never a 5xx."""

from typing import Any

import httpx
import pytest

from deskbell.accounts.actions import set_active
from deskbell.accounts.models import Role
from deskbell.testing.factories import Factory
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
BULK = "/api/v1/tickets/bulk"
STATISTICS = "/api/v1/statistics"
BIG = 2**63
NOBODY = 10**9


async def test_tickets_are_moved_and_the_rest_is_explained(desk: Desk, agent: httpx.AsyncClient) -> None:
    tickets = await desk.make(lambda f: [f.ticket() for _ in range(3)])
    ids = [ticket.id for ticket in tickets]
    await agent.delete(f"/api/v1/tickets/{tickets[2].ticket_number}")
    wanted = {"ticket_ids": [*ids, ids[0], NOBODY], "status": "resolved"}
    first = await agent.post(f"{BULK}/status", json=wanted)
    assert first.status_code == 200, first.text
    assert first.json() == {"changed": 2, "unchanged": [], "deleted": [ids[2]], "missing": [NOBODY]}
    second = await agent.post(f"{BULK}/status", json=wanted)
    assert second.json() == {"changed": 0, "unchanged": ids[:2], "deleted": [ids[2]], "missing": [NOBODY]}
    read = await agent.get(f"/api/v1/tickets/{tickets[0].ticket_number}")
    assert (read.json()["status"], read.json()["version"]) == ("resolved", 2)


async def test_tickets_are_given_to_somebody_and_to_nobody(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket, colleague = await desk.make(lambda f: (f.ticket(), f.user(Role.AGENT)))
    for person, status in ((colleague.id, "in_progress"), (None, "in_progress")):
        answer = await agent.post(f"{BULK}/assign", json={"ticket_ids": [ticket.id], "assignee_id": person})
        assert answer.json()["changed"] == 1
        read = (await agent.get(f"/api/v1/tickets/{ticket.ticket_number}")).json()
        assert (read["assignee"] and read["assignee"]["id"], read["status"]) == (person, status)


async def test_tickets_are_created_in_order(desk: Desk, agent: httpx.AsyncClient) -> None:
    customer = await desk.make(lambda f: f.user(organization=f.organization()))
    new = [
        {
            "requester_id": customer.id,
            "title": f"Ticket {n}",
            "tags": ["new"],
            "created_at": "2026-01-02T03:04:05+01:00",
        }
        for n in range(3)
    ]
    answer = await agent.post(BULK, json={"tickets": new})
    assert answer.status_code == 201, answer.text
    assert answer.json()["created"] == 3
    for n, created in enumerate(answer.json()["tickets"]):
        read = (await agent.get(f"/api/v1/tickets/{created['ticket_number']}")).json()
        assert (read["id"], read["title"], read["created_at"]) == (created["id"], f"Ticket {n}", "2026-01-02T02:04:05Z")
        assert (read["organization"]["id"], read["tags"][0]["name"]) == (customer.organization_id, "new")
        assert (read["channel"], read["status"]) == ("api", "open")


async def test_a_repeated_request_creates_nothing_twice(desk: Desk, agent: httpx.AsyncClient) -> None:
    customer = await desk.make(lambda f: f.user())
    body = {"tickets": [{"requester_id": customer.id, "title": "Once"}]}
    answers = [await agent.post(BULK, json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"


async def test_a_ticket_that_is_wrong_is_named(desk: Desk, agent: httpx.AsyncClient) -> None:
    customer = await desk.make(lambda f: f.user())
    good = {"requester_id": customer.id, "title": "Good"}
    for wrong, field in (
        ({"requester_id": NOBODY, "title": "x"}, "requester_id"),
        ({**good, "assignee_id": customer.id}, "assignee_id"),
        ({**good, "title": " "}, "title"),
        ({**good, "tags": ["\0"]}, "name"),
        ({**good, "created_at": "2026-01-02T00:00:00Z", "resolved_at": "2026-01-01T00:00:00Z"}, "resolved_at"),
    ):
        answer = await agent.post(BULK, json={"tickets": [good, wrong]})
        assert answer.status_code == 422, answer.text
        problem = answer.json()
        assert (problem["row"], problem["field"]) == (1, field)
        assert problem["detail"].startswith("tickets[1]: ")
    assert (await agent.get("/api/v1/tickets")).json()["items"] == []


async def test_a_field_that_is_malformed_is_pointed_at(agent: httpx.AsyncClient) -> None:
    answer = await agent.post(BULK, json={"tickets": [{"requester_id": 1, "title": "x", "status": "done"}]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/tickets/0/status"


IDS: list[Any] = [[], [0], [-1], [BIG], ["1"], [1.5], [True], [None], None, 1, "1", {}, list(range(1, 100_002))]
STATUSES: list[Any] = ["done", "", "\0", None, 1, "RESOLVED"]


@pytest.mark.parametrize("ids", IDS, ids=lambda ids: repr(ids)[:20])
async def test_ids_that_are_none_are_refused(agent: httpx.AsyncClient, ids: Any) -> None:
    for path, more in (("status", {"status": "open"}), ("assign", {"assignee_id": None})):
        answer = await agent.post(f"{BULK}/{path}", json={"ticket_ids": ids, **more})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"].startswith("ticket_ids")


@pytest.mark.parametrize("status", STATUSES, ids=repr)
async def test_a_status_that_is_none_is_refused(agent: httpx.AsyncClient, status: Any) -> None:
    answer = await agent.post(f"{BULK}/status", json={"ticket_ids": [1], "status": status})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "status")


async def test_who_cannot_be_given_tickets_is_refused(desk: Desk, agent: httpx.AsyncClient) -> None:
    def somebody_who_left(factory: Factory) -> int:
        person = factory.user(Role.AGENT)
        with factory.database.transaction(person) as session:  # type: ignore[arg-type]  # the fixture's own stand-in
            set_active(session, person.id, active=False)
        return person.id

    ticket, customer = await desk.make(lambda f: (f.ticket(), f.user()))
    gone = await desk.make(somebody_who_left)
    for person, status in ((NOBODY, 404), (customer.id, 422), (gone, 422), (0, 422), (BIG, 422), ("x", 422)):
        answer = await agent.post(f"{BULK}/assign", json={"ticket_ids": [ticket.id], "assignee_id": person})
        assert answer.status_code == status, answer.text
    missing = await agent.post(f"{BULK}/assign", json={"ticket_ids": [ticket.id]})
    assert missing.json()["errors"][0]["field"] == "assignee_id"


async def test_customers_and_read_only_tokens_may_not(desk: Desk, customer: httpx.AsyncClient) -> None:
    agent = await desk.as_role(Role.AGENT)
    made = await agent.post("/api/v1/tokens", json={"name": "reports", "scopes": ["read"]})
    reader = await desk.client(Authorization=f"Bearer {made.json()['secret']}")
    ticket = await desk.make(lambda f: f.ticket())
    requests: dict[str, dict[str, Any]] = {
        "": {"tickets": [{"requester_id": 1, "title": "x"}]},
        "/status": {"ticket_ids": [ticket.id], "status": "closed"},
        "/assign": {"ticket_ids": [ticket.id], "assignee_id": None},
    }
    for path, body in requests.items():
        for client in (customer, reader):
            assert (await client.post(BULK + path, json=body)).status_code == 403
        assert (await (await desk.client()).post(BULK + path, json=body)).status_code == 401
    assert (
        await reader.get(STATISTICS, params={"start_date": "2026-01-01", "end_date": "2027-01-01"})
    ).status_code == 200


async def test_figures_of_a_period(desk: Desk, agent: httpx.AsyncClient) -> None:
    customer, colleague = await desk.make(lambda f: (f.user(), f.user(Role.AGENT, full_name="Anna")))
    new = {"requester_id": customer.id, "title": "x", "created_at": "2026-03-25T12:00:00Z"}
    done = {**new, "status": "resolved", "resolved_at": "2026-03-25T15:00:00Z", "assignee_id": colleague.id}
    await agent.post(BULK, json={"tickets": [new, done]})
    for start in ("2026-03-25", "2026-03-25T12:00:00Z", "2026-03-25T14:00:00+02:00"):
        answer = await agent.get(STATISTICS, params={"start_date": start, "end_date": "2026-03-26"})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "total": 2,
            "status_counts": {"open": 1, "in_progress": 0, "waiting_on_customer": 0, "resolved": 1, "closed": 0},
            "priority_counts": {"low": 0, "medium": 2, "high": 0, "urgent": 0},
            "avg_resolution_hours": 3.0,
            "assignee_stats": [{"name": "Anna", "ticket_count": 1, "avg_resolution_hours": 3.0}],
        }
    stranger = await desk.as_role(Role.CUSTOMER)
    theirs = await stranger.get(STATISTICS, params={"start_date": "2026-03-25", "end_date": "2026-03-26"})
    assert theirs.json()["total"] == 0


PERIODS = [
    ("2026-03-26", "2026-03-25", "end_date"),
    ("2026-03-25", "2026-03-25", "end_date"),
    ("2006-03-25", "2026-03-25", "end_date"),
    ("yesterday", "2026-03-25", "start_date"),
    ("2026-02-30", "2026-03-25", "start_date"),
    ("2026-03-25", "2026-03-26T12:00", "end_date"),
    ("0001-01-01T00:00:00+14:00", "2026-03-26", "start_date"),
    ("\0", "2026-03-26", "start_date"),
]


@pytest.mark.parametrize(("start", "end", "field"), PERIODS)
async def test_a_period_that_makes_no_sense_is_refused(
    agent: httpx.AsyncClient, start: str, end: str, field: str
) -> None:
    answer = await agent.get(STATISTICS, params={"start_date": start, "end_date": end})
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field


async def test_a_period_has_two_ends(agent: httpx.AsyncClient) -> None:
    answer = await agent.get(STATISTICS, params={"start_date": "x" * 41})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"start_date", "end_date"}
