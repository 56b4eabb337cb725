"""Every error is a problem document that tells nothing of the inside."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
import structlog
from fastapi import APIRouter

from deskbell.accounts.models import Role
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import SetupError
from deskbell.web.middleware import BodyLimit
from tests.web.api.conftest import Desk, app_on

pytestmark = pytest.mark.anyio
TICKETS = "/api/v1/tickets"
SECURITY_HEADERS = {"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options"}


def check(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Assert the one shape of errors, and return the document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers.keys() >= {name.lower() for name in SECURITY_HEADERS}
    problem: dict[str, object] = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"/problems/{code}")
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem


async def test_no_such_address_and_no_such_method(desk: Desk) -> None:
    client = await desk.client()
    check(await client.get("/api/v1/nothing"), 404, "not_found")
    check(await client.get("/nothing"), 404, "not_found")
    refused = await client.put(TICKETS)
    check(refused, 405, "method_not_allowed")
    assert refused.headers["Allow"]


async def test_what_does_not_fit_is_named_with_a_pointer(agent: httpx.AsyncClient) -> None:
    wanted = {"description": 7, "title": "x" * 501, "priority": "huge", "a/b~c": 1, "requester_id": "1"}
    problem = check(await agent.post(TICKETS, json=wanted), 422, "invalid")
    errors = problem["errors"]
    assert isinstance(errors, list)
    found = {error["field"]: error for error in errors}
    assert set(found) == {"description", "title", "priority", "a/b~c", "requester_id"}
    assert found["title"]["pointer"] == "#/title"
    assert found["a/b~c"]["pointer"] == "#/a~1b~0c"
    assert "500" in found["title"]["message"]
    check(await agent.get(TICKETS, params={"limit": "201"}), 422, "invalid")


@pytest.mark.parametrize(
    "body",
    [b"{", b'"\xff"', b"[" * 100_000, b'{"description": ' + b"9" * 5000 + b"}", b"", b"null", b"[]", b'{"\\ud800": 1}'],
    ids=["cut short", "not UTF-8", "deep", "long number", "empty", "null", "list", "surrogate name"],
)
async def test_what_cannot_be_read_is_refused(agent: httpx.AsyncClient, body: bytes) -> None:
    refused = await agent.post(TICKETS, content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code in {400, 422}, refused.text
    check(refused, refused.status_code, refused.json()["code"])


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30])
async def test_ids_beyond_bigint_are_refused_before_the_database(agent: httpx.AsyncClient, number: int) -> None:
    assert (await agent.get(f"/api/v1/users/{number}")).status_code == 422
    assert (await agent.post(TICKETS, json={"description": "x", "requester_id": number})).status_code == 422
    assert (await agent.get("/api/v1/audit", params={"table": "tickets", "record_id": number})).status_code == 422


async def test_a_body_that_is_too_large_is_refused_announced_or_not(agent: httpx.AsyncClient) -> None:
    large = json.dumps({"description": "x" * (4 * 1024 * 1024)}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    for content in (large, pieces()):
        refused = await agent.post(TICKETS, content=content, headers={"Content-Type": "application/json"})
        check(refused, 413, "too_large")


async def test_a_body_that_stops_coming_is_given_up(desk: Desk) -> None:
    app = BodyLimit(desk.app, limit_of=lambda _: 100, patience=0.01)
    stopped = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b'{"desc'
        await stopped.wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://desk.test") as client:
        refused = await client.post(TICKETS, content=half(), headers={"Content-Type": "application/json"})
    check(refused, 408, "too_slow")
    assert refused.headers["Connection"] == "close"


async def test_a_request_id_is_taken_over_when_it_is_harmless(desk: Desk) -> None:
    client = await desk.client()
    assert (await client.get("/healthz", headers={"X-Request-ID": "abc-1.2_3"})).headers["X-Request-ID"] == "abc-1.2_3"
    for bad in ("", "a b", "x" * 65, "a\tb"):
        assert (await client.get("/healthz", headers={"X-Request-ID": bad})).headers["X-Request-ID"] != bad


async def test_an_unexpected_error_tells_nothing(async_database: Database) -> None:
    broken = APIRouter()

    @broken.get("/api/broken")
    async def fail() -> None:
        raise RuntimeError("the password is hunter2")

    transport = httpx.ASGITransport(app=app_on(async_database, pages=[broken]))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        answer = await client.get("/api/broken")
    check(answer, 500, "internal")
    assert "hunter2" not in answer.text


async def test_what_setting_up_lacks_is_no_business_of_the_client(async_database: Database) -> None:
    broken = APIRouter()

    @broken.get("/api/broken")
    async def fail() -> None:
        raise SetupError("Cannot use /secret/folder")

    transport = httpx.ASGITransport(app=app_on(async_database, pages=[broken]))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        answer = await client.get("/api/broken")
    check(answer, 503, "unavailable")
    assert "secret" not in answer.text


async def test_a_commit_that_fails_is_an_error_and_not_a_201(live: Desk, fresh_address: Address) -> None:
    """The default scope of dependencies would have told 201 already."""
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        connection.execute("""create function fail() returns trigger language plpgsql as
                              $$ begin raise exception 'inner secret'; end $$""")
        connection.execute("""create constraint trigger fail after insert on tickets deferrable initially deferred
                              for each row execute function fail()""")
    customer = await live.as_role(Role.CUSTOMER)
    refused = await customer.post(TICKETS, json={"description": "x"})
    check(refused, 500, "internal")
    assert "secret" not in refused.text
    assert (await customer.get(TICKETS)).json()["items"] == []


async def test_what_was_answered_201_is_committed(live: Desk, fresh_address: Address) -> None:
    customer = await live.as_role(Role.CUSTOMER)
    opened = await customer.post(TICKETS, json={"description": "x"})
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        found = connection.execute("select ticket_number from tickets").fetchone()
    assert found == (opened.json()["ticket_number"],)


async def test_a_read_only_database_is_503_and_says_so(live: Desk, fresh_address: Address) -> None:
    customer = await live.as_role(Role.CUSTOMER)
    await live.database.async_engine.dispose()
    with psycopg.connect(fresh_address.dsn, autocommit=True) as connection:
        connection.execute(f"alter database {fresh_address.database} set default_transaction_read_only = on")
    refused = await customer.post(TICKETS, json={"description": "x"})
    problem = check(refused, 503, "unavailable")
    assert "read-only" in str(problem["detail"])
    assert refused.headers["Retry-After"]


async def test_a_database_that_is_away_is_503(async_database: Database) -> None:
    away = Database(
        Address("127.0.0.1", 9, "nowhere", "nobody", "x"),
        async_database.settings,
        resources=async_database._info["deskbell.resources"],  # type: ignore[arg-type]
    )
    transport = httpx.ASGITransport(app=app_on(away))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        token = {"Authorization": "Bearer dbt_x"}
        with structlog.testing.capture_logs() as lines:
            check(await client.get(TICKETS, headers=token), 503, "unavailable")
        assert [line["event"] for line in lines] == ["unavailable", "request"]
        assert all("exc_info" not in line for line in lines), "each request in an outage would log a traceback"
        check(await client.get("/readyz"), 503, "unavailable")
        assert (await client.get("/healthz")).status_code == 200
    await away.aclose()
