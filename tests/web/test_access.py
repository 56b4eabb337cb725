"""Who reads what is recorded: whichever route it comes by, and only what was really shown."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.routing import Mount, Route

from deskbell.accounts.login import open_session
from deskbell.accounts.models import Role, User
from deskbell.audit.access_queries import AccessFilter, accesses
from deskbell.audit.models import AccessKind, AccessLog
from deskbell.audit.recording import AccessRecorder
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.mail.inbound.ledger import receive
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.models import Ticket
from deskbell.web.access import ANSWERS, READS, SHOWS_NOTHING
from deskbell.web.app import API
from deskbell.web.csrf import COOKIE, csrf_token_for
from deskbell.web.pages.rendering import error_page
from deskbell.web.site import PAGES
from deskbell.web.templating import build_environment
from tests.web.api.conftest import KEY, app_on, short_log

pytestmark = pytest.mark.anyio
__all__ = ["short_log"]  # a fixture
LONG = 3600.0


class Desk:
    """The whole site, on a database of its own, and what it recorded."""

    def __init__(self, database: Database, stack: AsyncExitStack) -> None:
        self.database, self.stack, self.factory = database, stack, Factory(database)
        self.recorder = AccessRecorder(database, clock=SystemClock(), room=1000, every=LONG)
        stack.callback(self.recorder.close)
        self.app: FastAPI = app_on(database, access=self.recorder, pages=PAGES, error_page=error_page)
        self.app.state.templates = build_environment()
        self.agent, self.admin = self.factory.user(Role.AGENT), self.factory.user(Role.ADMIN)
        self.customer = self.factory.user(Role.CUSTOMER)
        self.ticket: Ticket = self.factory.ticket(requester=self.customer)
        self.factory.comment(self.ticket, self.agent, "An answer.")

    async def client(self, user: User, **further: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.factory.token(user)}", **further}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False, client=("203.0.113.7", 5))
        return await self.stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://desk.test", headers=headers)
        )

    def recorded(self) -> list[AccessLog]:
        """What was recorded since it was last asked for."""
        self.recorder.flush()
        with self.database.transaction(SYSTEM) as session:
            found = list(session.scalars(select(AccessLog).order_by(AccessLog.id)))
        new, self.seen = found[getattr(self, "seen", 0) :], len(found)
        return new


@pytest.fixture
async def desk(fresh_database: Database) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        yield Desk(fresh_database, stack)
    await fresh_database.aclose()


def log_in(desk: Desk, user: User) -> str:
    now = SystemClock().now()
    with desk.database.transaction(SYSTEM) as session:
        return open_session(session, user.id, lifetime=timedelta(days=1), now=now)


def gets(app: FastAPI) -> Iterator[str]:
    for route in app.router.routes:
        assert not isinstance(route, Mount) or route.name == "static"
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            yield route.path


async def test_each_get_is_recorded_or_says_why_not(desk: Desk) -> None:
    """Whoever adds a route says in `deskbell/web/access.py` what it shows."""
    paths = set(gets(desk.app))
    assert len(paths) > 30
    assert not READS.keys() & SHOWS_NOTHING.keys()
    assert sorted(paths - READS.keys() - SHOWS_NOTHING.keys()) == []
    assert sorted((READS.keys() | SHOWS_NOTHING.keys()) - paths) == []
    assert all(SHOWS_NOTHING.values())


async def test_changes_that_answer_with_more_than_was_sent_are_those_that_are_there(desk: Desk) -> None:
    there = {
        (method, route.path)
        for route in desk.app.router.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    assert sorted(ANSWERS.keys() - there) == []


@pytest.fixture
def world(desk: Desk) -> dict[str, Any]:
    """What stands for each parameter in a path."""
    organization = desk.factory.organization()
    attachment = desk.factory.attachment(desk.ticket)
    with desk.database.transaction(SYSTEM) as session:
        message = receive(session, b"From: kim@example.test\nSubject: Hello\n\nHello\n", source="test")
    return {
        "number": desk.ticket.ticket_number,
        "user_id": desk.customer.id,
        "organization_id": organization.id,
        "attachment_id": attachment.id,
        "message_id": message.id,
    }


async def test_each_reading_leaves_an_entry(desk: Desk, world: dict[str, Any]) -> None:
    """Those of the API; pages have tests of their own."""
    admin = await desk.client(desk.admin)
    view = await admin.post("/api/v1/views", json={"name": "All", "query": ""})
    world["view_id"] = view.json()["id"]
    assert desk.recorded() == []
    for path, kind in READS.items():
        if not path.startswith("/api/"):
            continue
        query = "?at=2100-01-01T00:00:00Z" if path.endswith("as-of") else ""
        answer = await admin.get(path.format(**world) + query)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        [entry] = desk.recorded()
        about = "ticket" if "{number}" in path else ""
        assert (entry.kind, entry.act, entry.channel, entry.role) == (kind, f"GET {path}", "api", "admin")
        assert (entry.user_id, entry.ticket_id) == (
            desk.admin.id,
            desk.ticket.id if about or kind is AccessKind.ATTACHMENT else None,
        )
        assert entry.address == "203.0.113.7"
        assert entry.request_id == answer.headers["x-request-id"]
        assert entry.token_id
        many = answer.json().get("items") if answer.headers["content-type"] == "application/json" else None
        assert entry.shown == (1 if many is None else len(many))


async def test_what_shows_nothing_leaves_no_entry(desk: Desk) -> None:
    admin = await desk.client(desk.admin)
    for path in SHOWS_NOTHING:
        if "{" not in path:
            await admin.get(path, params={"start_date": "2026-11-01", "end_date": "2026-12-01"})
    assert desk.recorded() == []


async def test_the_same_secret_is_recognised_on_the_way_without_a_lookup(desk: Desk) -> None:
    agent = await desk.client(desk.agent)
    for _ in range(3):
        await agent.get(f"/api/v1/tickets/{desk.ticket.ticket_number}")
    found = desk.recorded()
    assert len({entry.token_id for entry in found}) == 1
    assert [(entry.user_id, entry.ticket_id) for entry in found] == [(desk.agent.id, desk.ticket.id)] * 3


async def test_who_may_not_or_finds_nothing_was_shown_nothing(desk: Desk) -> None:
    customer, nobody = (
        await desk.client(desk.factory.user()),
        await desk.client(desk.agent, Authorization="Bearer dbt_x"),
    )
    number = desk.ticket.ticket_number
    answers = [
        await customer.get(f"/api/v1/tickets/{number}"),
        await customer.get("/api/v1/audit"),
        await customer.get("/api/v1/tickets?limit=many"),
        await nobody.get(f"/api/v1/tickets/{number}"),
        await customer.patch(f"/api/v1/tickets/{number}", json={}),
    ]
    assert [answer.status_code for answer in answers] == [404, 403, 422, 401, 404]
    assert desk.recorded() == []


async def test_an_answer_that_was_there_already_counts_as_shown(desk: Desk) -> None:
    agent = await desk.client(desk.agent)
    path = f"/api/v1/tickets/{desk.ticket.ticket_number}"
    tag = (await agent.get(path)).headers["etag"]
    assert (await agent.get(path, headers={"If-None-Match": tag})).status_code == 304
    assert [entry.kind for entry in desk.recorded()] == ["ticket", "ticket"]


async def test_a_change_that_changes_nothing_is_a_way_to_read(desk: Desk) -> None:
    agent = await desk.client(desk.agent)
    path = f"/api/v1/tickets/{desk.ticket.ticket_number}"
    assert (await agent.patch(path, json={})).status_code == 200
    [entry] = desk.recorded()
    assert (entry.kind, entry.act, entry.ticket_id) == ("ticket", "PATCH /api/v1/tickets/{number}", desk.ticket.id)
    assert (await agent.delete(path)).status_code == 204
    assert desk.recorded() == []


async def test_lists_and_searches_keep_what_was_asked(desk: Desk) -> None:
    agent = await desk.client(desk.agent)
    await agent.get("/api/v1/tickets", params={"q": "status:open", "status": "open", "limit": 3})
    await agent.get("/api/v1/search", params={"q": "nothing\0of\nthis"})
    await agent.get("/api/v1/users", params={"email": desk.customer.email})
    assert [(entry.kind, entry.query, entry.shown) for entry in desk.recorded()] == [
        ("ticket list", "status:open status=open", 0 if desk.ticket.status != "open" else 1),
        ("search", "nothingof this", 0),
        ("user list", f"email={desk.customer.email}", 1),
    ]


async def test_a_customer_is_recorded_like_anybody(desk: Desk) -> None:
    customer = await desk.client(desk.customer)
    await customer.get(f"/api/v1/tickets/{desk.ticket.ticket_number}")
    [entry] = desk.recorded()
    assert (entry.role, entry.user_id, entry.ticket_id) == ("customer", desk.customer.id, desk.ticket.id)


async def test_pages_are_recorded_with_the_session(desk: Desk) -> None:
    browser = await desk.client(desk.agent, Authorization="")
    secret = log_in(desk, desk.agent)
    browser.cookies.set(COOKIE, secret)
    assert (await browser.get("/tickets", params={"q": "answer"})).status_code == 200
    assert (await browser.get(f"/tickets/{desk.ticket.ticket_number}")).status_code == 200
    listed, shown = desk.recorded()
    assert (listed.kind, listed.query, listed.shown, listed.channel) == ("ticket list", "answer", 1, "web")
    assert (shown.kind, shown.ticket_id, shown.token_id) == ("ticket", desk.ticket.id, None)
    assert listed.session_id == shown.session_id is not None


async def test_a_refused_form_shows_the_ticket_and_is_recorded(desk: Desk) -> None:
    browser = await desk.client(desk.agent, Authorization="", Origin="http://desk.test")
    browser.cookies.set(COOKIE, secret := log_in(desk, desk.agent))
    form = {"csrf_token": csrf_token_for(KEY, secret), "version": "1", "content": ""}
    answer = await browser.post(f"/tickets/{desk.ticket.ticket_number}/reply", data=form)
    assert answer.status_code in {409, 412, 422}, answer.text
    assert [(entry.kind, entry.ticket_id) for entry in desk.recorded()] == [("ticket", desk.ticket.id)]


async def test_an_administrator_asks_who_looked_and_is_recorded_too(desk: Desk) -> None:
    agent, admin = await desk.client(desk.agent), await desk.client(desk.admin)
    number = desk.ticket.ticket_number
    await agent.get(f"/api/v1/tickets/{number}")
    await agent.get("/api/v1/tickets")
    desk.recorder.flush()
    answer = await admin.get("/api/v1/access-log", params={"ticket": number, "user_id": desk.agent.id})
    [item] = answer.json()["items"]
    assert (item["kind"], item["ticket_number"], item["user_id"]) == ("ticket", number, desk.agent.id)
    desk.recorder.flush()
    [own] = (await admin.get("/api/v1/access-log", params={"kind": "access log"})).json()["items"]
    assert (own["user_id"], own["query"]) == (desk.admin.id, f"ticket={number} user_id={desk.agent.id}")
    assert (await agent.get("/api/v1/access-log")).status_code == 403


async def test_pages_of_the_log_follow_each_other(desk: Desk) -> None:
    agent, admin = await desk.client(desk.agent), await desk.client(desk.admin)
    for _ in range(5):
        await agent.get("/api/v1/tickets")
    desk.recorder.flush()
    found, path = [], f"/api/v1/access-log?limit=2&user_id={desk.agent.id}"
    while path:
        answer = await admin.get(path)
        found += [item["id"] for item in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url", "")
    assert len(found) == 5
    assert found == sorted(found, reverse=True)


async def test_times_bound_the_log(desk: Desk) -> None:
    agent, admin = await desk.client(desk.agent), await desk.client(desk.admin)
    await agent.get("/api/v1/tickets")
    [entry] = desk.recorded()
    at = entry.at.isoformat()
    for query, count in (({"since": at}, 1), ({"until": at}, 0)):
        answer = await admin.get("/api/v1/access-log", params={**query, "user_id": desk.agent.id})
        assert len(answer.json()["items"]) == count


async def test_without_a_recorder_nothing_is_written(fresh_database: Database) -> None:
    factory = Factory(fresh_database)
    token = factory.token(factory.user(Role.AGENT))
    transport = httpx.ASGITransport(app=app_on(fresh_database))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        answer = await client.get("/api/v1/tickets", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    with fresh_database.transaction(SYSTEM) as session:
        assert session.execute(accesses(AccessFilter())).all() == []
    await fresh_database.aclose()


def test_every_router_of_the_api_is_looked_at() -> None:
    """The walk over the routes is worth nothing for routers that the tests' application leaves out."""
    assert {module.__name__.rpartition(".")[2] for module in API} >= {"access", "audit", "history", "search", "tickets"}
