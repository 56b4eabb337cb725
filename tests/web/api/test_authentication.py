"""Who one is to the API: tokens, sessions, CSRF, limits to guessing."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from deskbell.accounts.actions import create_token, set_active, set_password
from deskbell.accounts.errors import WrongCredentialsError
from deskbell.accounts.models import Role
from deskbell.testing.factories import SYSTEM
from deskbell.web.login import log_in as use_password
from tests.web.api.conftest import Desk, app_on

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse battery"
ME, SESSION, TICKETS = "/api/v1/me", "/api/v1/session", "/api/v1/tickets"


async def log_in(desk: Desk, role: Role = Role.AGENT) -> httpx.AsyncClient:
    user = await desk.make(lambda f: f.user(role, password=PASSWORD))
    client = await desk.client()
    answer = await client.post(SESSION, json={"email": user.email.upper(), "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return client


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer dbt_nobody", "Basic YTpi", "dbt_x", "Bearer dbs_x", "Bearer \xff"]
)
async def test_who_says_nothing_true_is_not_let_in(desk: Desk, header: str) -> None:
    client = await desk.client()
    refused = await client.get(ME, headers=[(b"Authorization", header.encode("latin-1"))] if header else None)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.headers["Content-Type"] == "application/problem+json"


async def test_a_token_says_who_one_is(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(Role.AGENT))
    me = (await (await desk.as_(user)).get(ME)).json()
    assert (me["id"], me["email"], me["role"], me["scopes"]) == (user.id, user.email, "agent", [])


async def test_a_revoked_token_is_worthless(agent: httpx.AsyncClient) -> None:
    made = (await agent.post("/api/v1/tokens", json={"name": "second"})).json()
    second = {"Authorization": f"Bearer {made['secret']}"}
    assert (await agent.get(ME, headers=second)).status_code == 200
    assert [(await agent.delete(f"/api/v1/tokens/{made['id']}")).status_code for _ in range(2)] == [204, 204]
    assert (await agent.get(ME, headers=second)).status_code == 401
    listed = (await agent.get("/api/v1/tokens")).json()["items"]
    assert [item["revoked_at"] is None for item in listed] == [True, False]
    assert all("secret" not in item for item in listed)


async def test_an_expired_token_is_worthless(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user())
    past = datetime.now(UTC) - timedelta(seconds=1)
    async with desk.database.async_transaction(SYSTEM) as session:
        secret = await session.run_sync(lambda s: create_token(s, user.id, name="old", expires_at=past)[1])
    client = await desk.client(Authorization=f"Bearer {secret}")
    assert (await client.get(ME)).status_code == 401


async def test_who_was_deactivated_is_not_let_in(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user())
    client = await desk.as_(user)
    assert (await client.get(ME)).status_code == 200
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.run_sync(lambda s: set_active(s, user.id, active=False))
    assert (await client.get(ME)).status_code == 401


async def test_a_read_token_only_reads(agent: httpx.AsyncClient) -> None:
    made = (await agent.post("/api/v1/tokens", json={"name": "reports", "scopes": ["read"]})).json()
    reader = {"Authorization": f"Bearer {made['secret']}"}
    assert (await agent.get(TICKETS, headers=reader)).status_code == 200
    assert (await agent.post(TICKETS, json={"description": "x"}, headers=reader)).status_code == 403
    assert (await agent.delete(f"/api/v1/tokens/{made['id']}", headers=reader)).status_code == 403


async def test_a_token_in_the_past_is_not_made(agent: httpx.AsyncClient) -> None:
    refused = await agent.post("/api/v1/tokens", json={"name": "x", "expires_at": "2020-01-01T00:00:00Z"})
    assert (refused.status_code, refused.json()["field"]) == (422, "expires_at")


async def test_nobody_revokes_the_tokens_of_others(desk: Desk, customer: httpx.AsyncClient) -> None:
    user = await desk.make(lambda f: f.user())
    theirs = (await (await desk.as_(user)).get("/api/v1/tokens")).json()["items"][0]
    assert (await customer.delete(f"/api/v1/tokens/{theirs['id']}")).status_code == 404


async def test_a_session_needs_its_csrf_token_for_changes(desk: Desk) -> None:
    client = await log_in(desk)
    assert (await client.get(ME)).status_code == 200
    assert (await client.post(TICKETS, json={"description": "with"})).status_code == 201
    good = client.headers.pop("X-CSRF-Token")
    for bad in (None, "", good[:-1] + ("A" if good[-1] != "A" else "B"), "\xff"):
        headers = [] if bad is None else [(b"X-CSRF-Token", bad.encode("latin-1"))]
        refused = await client.post(TICKETS, json={"description": "without"}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    assert (await client.get(TICKETS)).status_code == 200


async def test_a_csrf_token_is_good_for_its_own_session_alone(desk: Desk) -> None:
    mine, other = await log_in(desk), await log_in(desk)
    mine.headers["X-CSRF-Token"] = other.headers["X-CSRF-Token"]
    assert (await mine.post(TICKETS, json={"description": "x"})).status_code == 403


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(password=PASSWORD))
    for scheme in ("http", "https"):
        transport = httpx.ASGITransport(app=desk.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://desk.test") as client:
            answer = await client.post(SESSION, json={"email": user.email, "password": PASSWORD})
        cookie = answer.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert ("secure" in cookie) is (scheme == "https")
        assert ("Strict-Transport-Security" in answer.headers) is (scheme == "https")


async def test_logging_out_ends_the_session_on_the_server(desk: Desk) -> None:
    client = await log_in(desk)
    cookie = client.cookies["deskbell_session"]
    assert (await client.delete(SESSION)).status_code == 204
    assert "deskbell_session" not in client.cookies
    assert (await client.get(ME, headers={"Cookie": f"deskbell_session={cookie}"})).status_code == 401
    assert (await client.delete(SESSION)).status_code == 204


async def test_wrong_passwords_and_unknown_addresses_look_alike(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(password=PASSWORD))
    client = await desk.client()
    wrong = await client.post(SESSION, json={"email": user.email, "password": "wrong horse battery"})
    unknown = await client.post(SESSION, json={"email": "nobody@example.test", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    parts = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in (wrong, unknown)]
    assert parts[0] == parts[1]


async def test_guessing_is_slowed_down_by_account_and_by_address(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(password=PASSWORD))
    guess = {"email": user.email, "password": "wrong horse battery"}

    async def attempt(source: str, wanted: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app=desk.app, client=(source, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
            return await client.post(SESSION, json=wanted)

    assert [(await attempt(f"192.0.2.{n}", guess)).status_code for n in range(5)] == [401] * 5
    slowed = await attempt("192.0.2.99", {**guess, "password": PASSWORD})
    assert slowed.status_code == 429
    assert 1 <= int(slowed.headers["Retry-After"]) <= 60
    assert slowed.json()["retry_after"] == int(slowed.headers["Retry-After"])
    other = {"email": "x@example.test", "password": "wrong"}
    for n in range(5):
        await attempt("2001:db8::1", {**other, "email": f"x{n}@example.test"})
    assert (await attempt("2001:db8::2", other)).status_code == 429
    assert (await attempt("2001:db8:1::1", other)).status_code == 401


async def test_the_history_says_who_through_what_and_in_which_act(desk: Desk, agent: httpx.AsyncClient) -> None:
    await agent.post(TICKETS, json={"description": "By token"})
    browser = await log_in(desk, Role.ADMIN)
    await browser.post(TICKETS, json={"description": "By browser"})
    async with desk.database.async_transaction(SYSTEM) as session:
        statement = text("select channel, act from operations where act like 'POST %' order by id")
        rows = (await session.execute(statement)).all()
    assert [tuple(row) for row in rows] == [("api", "POST /api/v1/tickets"), ("web", "POST /api/v1/tickets")]


async def test_identity_never_leaks_into_the_next_request(live: Desk) -> None:
    """Trap 13: one connection serves two people in turn, and then nobody."""
    first, second = await live.make(lambda f: (f.user(), f.user(Role.AGENT)))
    clients = [await live.as_(first), await live.as_(second)]
    for _ in range(3):
        assert [(await client.get(ME)).json()["id"] for client in clients] == [first.id, second.id]
        assert (await (await live.client()).get(ME)).status_code == 401


async def test_another_key_makes_other_csrf_tokens_and_cursors(desk: Desk) -> None:
    client = await log_in(desk)
    other = app_on(desk.database)
    other.state.key = b"another key" * 3
    transport = httpx.ASGITransport(app=other)
    cookies = {"Cookie": f"deskbell_session={client.cookies['deskbell_session']}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test", headers=cookies) as stranger:
        stranger.headers["X-CSRF-Token"] = client.headers["X-CSRF-Token"]
        assert (await stranger.get(ME)).status_code == 200
        assert (await stranger.post(TICKETS, json={"description": "x"})).status_code == 403


async def attempt(desk: Desk, source: str, email: str, password: str) -> int:
    transport = httpx.ASGITransport(app=desk.app, client=(source, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        return (await client.post(SESSION, json={"email": email, "password": password})).status_code


async def test_an_address_with_nul_in_it_is_no_other_account(desk: Desk) -> None:
    """Else each NUL more gives a guesser another handful of attempts."""
    user = await desk.make(lambda f: f.user(password=PASSWORD))
    limits, clock = desk.app.state.login_limits, desk.app.state.resources.clock

    async def guess(n: int) -> None:
        email, now, lifetime = "\0" * n + user.email.upper(), clock.now(), timedelta(days=1)
        guess = use_password(
            desk.database, limits, email=email, password="x" * 10, lifetime=lifetime, now=now, address=f"{n}"
        )
        with pytest.raises(WrongCredentialsError):
            await guess

    for n in range(5):
        await guess(n)
    assert await attempt(desk, "192.0.2.1", user.email, PASSWORD) == 429


async def test_logging_in_often_does_not_lock_the_owner_out(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(password=PASSWORD))
    assert [await attempt(desk, f"192.0.2.{n}", user.email, PASSWORD) for n in range(7)] == [201] * 7


async def test_an_address_that_gets_in_is_counted_all_the_same(desk: Desk) -> None:
    people = await desk.make(lambda f: [f.user(password=PASSWORD) for _ in range(6)])
    results = [await attempt(desk, "192.0.2.1", user.email, PASSWORD) for user in people]
    assert results == [201] * 5 + [429]


async def test_all_of_the_old_internet_is_not_one_address(desk: Desk) -> None:
    """A dual-stack socket sees IPv4 addresses as ::ffff:a.b.c.d, which are one /64."""
    for n in range(5):
        assert await attempt(desk, "::ffff:192.0.2.1", f"x{n}@example.test", "wrong") == 401
    assert await attempt(desk, "::ffff:192.0.2.2", "y@example.test", "wrong") == 401
    assert await attempt(desk, "192.0.2.1", "z@example.test", "wrong") == 429


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
async def test_a_moment_that_utc_cannot_say_is_refused_and_is_no_500(agent: httpx.AsyncClient, moment: str) -> None:
    refused = await agent.post("/api/v1/tokens", json={"name": "x", "expires_at": moment})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires_at")


async def test_a_token_lives_no_longer_than_the_one_it_was_made_with(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(Role.AGENT))
    soon = datetime.now(UTC) + timedelta(hours=1)
    async with desk.database.async_transaction(SYSTEM) as session:
        secret = await session.run_sync(lambda s: create_token(s, user.id, name="for a visit", expires_at=soon)[1])
    client = await desk.client(Authorization=f"Bearer {secret}")

    async def made(**wanted: str) -> httpx.Response:
        return await client.post("/api/v1/tokens", json={"name": "x", **wanted})

    assert datetime.fromisoformat((await made()).json()["expires_at"]) == soon
    earlier = soon - timedelta(minutes=1)
    assert datetime.fromisoformat((await made(expires_at=earlier.isoformat())).json()["expires_at"]) == earlier
    refused = await made(expires_at=(soon + timedelta(seconds=1)).isoformat())
    assert (refused.status_code, refused.json()["field"]) == (422, "expires_at")
    child = (await made()).json()["secret"]
    grandchild = await client.post("/api/v1/tokens", json={"name": "y"}, headers={"Authorization": f"Bearer {child}"})
    assert datetime.fromisoformat(grandchild.json()["expires_at"]) == soon


async def test_who_is_logged_in_makes_tokens_that_last(desk: Desk) -> None:
    client = await log_in(desk)
    assert (await client.post("/api/v1/tokens", json={"name": "nightly"})).json()["expires_at"] is None


async def test_a_new_password_ends_tokens_where_that_is_said(desk: Desk) -> None:
    user = await desk.make(lambda f: f.user(Role.AGENT, password=PASSWORD))
    client, other = await desk.as_(user), await desk.as_role(Role.AGENT)
    async with desk.database.async_transaction(SYSTEM) as session:
        assert await session.run_sync(lambda s: set_password(s, user.id, "x")) == 1
    assert (await client.get(ME)).status_code == 200
    async with desk.database.async_transaction(SYSTEM) as session:
        assert await session.run_sync(lambda s: set_password(s, user.id, "y", end_tokens=True)) == 0
    assert [(await one.get(ME)).status_code for one in (client, other)] == [401, 200]
