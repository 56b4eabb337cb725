"""People, organizations, teams and tags over HTTP: who may do what."""

import httpx
import pytest

from deskbell.accounts.models import Role
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
USERS = "/api/v1/users"


async def test_agents_add_customers_and_administrators_anybody(
    agent: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    customer = {"email": "a@example.test", "full_name": "Ann\u0000a\nB", "time_zone": "Europe/Berlin"}
    added = await agent.post(USERS, json=customer)
    assert added.status_code == 201, added.text
    assert (added.json()["full_name"], added.json()["role"]) == ("Anna B", "customer")
    assert (await agent.get(added.headers["Location"])).json() == added.json()
    taken = await agent.post(USERS, json={"email": "A@EXAMPLE.test"})
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    colleague = {"email": "b@example.test", "role": "agent", "password": "correct horse battery"}
    assert (await agent.post(USERS, json=colleague)).status_code == 403
    assert (await admin.post(USERS, json=colleague)).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": "a@b.test", "time_zone": "Mars/Olympus"},
        {"email": "a@b.test", "organization_id": 999_999},
        {"email": "a@b.test", "role": "owner"},
        {"email": "a@b.test", "password": "short"},
        {"email": "a@b.test", "full_name": "x" * 256},
        {"email": "a" * 65 + "@b.test"},
        {"email": "a@b.test", "is_staff": True},
    ],
)
async def test_what_makes_no_sense_is_refused(admin: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    assert (await admin.post(USERS, json=wrong)).status_code == 422


async def test_a_customer_knows_only_themselves(desk: Desk, customer: httpx.AsyncClient) -> None:
    me, other = (await customer.get("/api/v1/me")).json(), await desk.make(lambda f: f.user())
    assert [item["id"] for item in (await customer.get(USERS)).json()["items"]] == [me["id"]]
    assert (await customer.get(f"{USERS}/{other.id}")).status_code == 404
    assert (await customer.patch(f"{USERS}/{other.id}", json={"full_name": "x"})).status_code == 404
    assert (await customer.post(USERS, json={"email": "x@example.test"})).status_code == 403
    for change in ({"role": "admin"}, {"email": "new@example.test"}, {"is_active": False}, {"organization_id": None}):
        assert (await customer.patch(f"{USERS}/{me['id']}", json=change)).status_code == 403, change
    changed = await customer.patch("/api/v1/me", json={"full_name": "New", "time_zone": "Asia/Tokyo", "locale": "ja"})
    assert changed.status_code == 200, changed.text
    assert (await customer.get("/api/v1/me")).json()["full_name"] == "New"
    assert changed.json()["updated_at"] > changed.json()["created_at"]


async def test_agents_change_customers_but_not_colleagues(desk: Desk, agent: httpx.AsyncClient) -> None:
    customer, colleague = await desk.make(lambda f: (f.user(), f.user(Role.AGENT)))
    url = f"{USERS}/{customer.id}"
    assert (await agent.patch(url, json={"email": "new@example.test"})).json()["email"] == "new@example.test"
    assert (await agent.patch(url, json={"role": "agent"})).status_code == 403
    assert (await agent.patch(f"{USERS}/{colleague.id}", json={"full_name": "x"})).status_code == 403
    assert (await agent.patch(url, json={"email": colleague.email.upper()})).status_code == 409


async def test_administrators_change_roles_and_let_people_go(desk: Desk, admin: httpx.AsyncClient) -> None:
    user = await desk.make(lambda f: f.user(Role.AGENT))
    ticket, theirs = await desk.make(lambda f: f.ticket()), await desk.as_(user)
    number = f"/api/v1/tickets/{ticket.ticket_number}"
    await admin.patch(number, json={"assignee_id": user.id})
    changed = await admin.patch(f"{USERS}/{user.id}", json={"role": "admin", "is_active": False})
    assert (changed.status_code, changed.json()["role"], changed.json()["is_active"]) == (200, "admin", False)
    assert (await theirs.get("/api/v1/me")).status_code == 401
    assert (await admin.get(number)).json()["assignee"] is None
    me = (await admin.get("/api/v1/me")).json()["id"]
    for change in ({"is_active": False}, {"role": "customer"}):
        assert (await admin.patch(f"{USERS}/{me}", json=change)).status_code == 422


async def test_the_list_of_people_is_filtered(desk: Desk, agent: httpx.AsyncClient) -> None:
    organization = await desk.make(lambda f: f.organization())
    user = await desk.make(lambda f: f.user(email="Zoe@Example.test", organization=organization))
    for params in ({"email": "zoe@example.TEST"}, {"organization_id": organization.id}):
        assert [item["id"] for item in (await agent.get(USERS, params=params)).json()["items"]] == [user.id]
    roles = {item["role"] for item in (await agent.get(USERS, params={"role": "agent"})).json()["items"]}
    assert roles == {"agent"}
    assert (await agent.get(USERS, params={"is_active": "false"})).json()["items"] == []


async def test_members_of_an_organization_share_what_it_shares(desk: Desk, agent: httpx.AsyncClient) -> None:
    organization = await desk.make(lambda f: f.organization("Example Bank"))
    one, two = await desk.make(lambda f: [f.user(organization=organization) for _ in range(2)])
    ticket, colleague = await desk.make(lambda f: f.ticket(one)), await desk.as_(two)
    url, shared = f"/api/v1/tickets/{ticket.ticket_number}", f"/api/v1/organizations/{organization.id}"
    assert (await colleague.get(url)).status_code == 404
    changed = await agent.patch(shared, json={"shares_tickets": True})
    assert (changed.status_code, changed.json()["shares_tickets"]) == (200, True)
    assert (await colleague.get(url)).status_code == 200
    assert [item["id"] for item in (await colleague.get("/api/v1/organizations")).json()["items"]] == [organization.id]
    assert (await colleague.patch(shared, json={"name": "Mine"})).status_code == 403
    assert (await colleague.post("/api/v1/organizations", json={"name": "Mine"})).status_code == 403
    assert (await agent.post("/api/v1/organizations", json={"name": "EXAMPLE bank"})).status_code == 409
    assert (await agent.patch(shared, json={"name": " "})).status_code == 422
    assert (await agent.get("/api/v1/organizations/999999")).status_code == 404


async def test_teams_are_made_by_administrators(
    desk: Desk, admin: httpx.AsyncClient, agent: httpx.AsyncClient, customer: httpx.AsyncClient
) -> None:
    made = await admin.post("/api/v1/teams", json={"name": "Cards"})
    assert made.status_code == 201, made.text
    assert (await admin.post("/api/v1/teams", json={"name": "CARDS"})).status_code == 409
    url = f"/api/v1/teams/{made.json()['id']}"
    colleague, owner = await desk.make(lambda f: (f.user(Role.AGENT), f.user()))
    member = f"{url}/members/{colleague.id}"
    assert [(await admin.put(member)).status_code for _ in range(2)] == [204, 409]
    assert [item["id"] for item in (await agent.get(f"{url}/members")).json()["items"]] == [colleague.id]
    assert (await admin.put(f"{url}/members/{owner.id}")).status_code == 422
    assert (await admin.put(f"{url}/members/999999")).status_code == 404
    assert (await agent.delete(member)).status_code == 403
    assert [(await admin.delete(member)).status_code for _ in range(2)] == [204, 204]
    ticket = await desk.make(lambda f: f.ticket())
    given = await agent.patch(f"/api/v1/tickets/{ticket.ticket_number}", json={"team_id": made.json()["id"]})
    assert given.json()["team"]["name"] == "Cards"
    for path in ("/api/v1/teams", url, f"{url}/members"):
        assert (await agent.get(path)).status_code == 200
        assert (await customer.get(path)).status_code == 403
    assert (await agent.post("/api/v1/teams", json={"name": "Mine"})).status_code == 403


async def test_tags_belong_to_the_desk(
    desk: Desk, admin: httpx.AsyncClient, agent: httpx.AsyncClient, customer: httpx.AsyncClient
) -> None:
    made = await agent.post("/api/v1/tags", json={"name": "Billing", "color": "#1D4ED8"})
    assert (made.status_code, made.json()["color"]) == (201, "#1d4ed8")
    assert (await agent.post("/api/v1/tags", json={"name": "billing"})).status_code == 409
    assert (await agent.post("/api/v1/tags", json={"name": "x", "color": "blue"})).status_code == 422
    ticket = await desk.make(lambda f: f.ticket())
    url = f"/api/v1/tickets/{ticket.ticket_number}"
    for _ in range(2):
        tagged = await agent.put(f"{url}/tags/BILLING")
        assert [tag["id"] for tag in tagged.json()["tags"]] == [made.json()["id"]]
    assert [(await agent.delete(f"{url}/tags/billing")).status_code for _ in range(2)] == [204, 204]
    tag = f"/api/v1/tags/{made.json()['id']}"
    assert [(await client.delete(tag)).status_code for client in (customer, agent, admin, admin)] == [
        403,
        403,
        204,
        404,
    ]
    assert (await customer.get("/api/v1/tags")).status_code == 403


async def test_a_customer_does_not_tag_even_their_own_ticket(desk: Desk) -> None:
    owner = await desk.make(lambda f: f.user())
    ticket, customer = await desk.make(lambda f: f.ticket(owner)), await desk.as_(owner)
    url = f"/api/v1/tickets/{ticket.ticket_number}/tags/mine"
    assert [(await customer.put(url)).status_code, (await customer.delete(url)).status_code] == [403, 403]
