"""The FastAPI integration: sessions for the host's own routes, by Deskbell's accounts or the host's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from deskbell.accounts.actions import create_token
from deskbell.accounts.login import open_session
from deskbell.accounts.models import Role, User
from deskbell.integrations.fastapi import Deskbell
from deskbell.kernel.actor import Actor
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import actor_of
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.labels import create_tag
from deskbell.tickets.models import Tag
from deskbell.web.csrf import COOKIE, csrf_token_for

pytestmark = pytest.mark.anyio


def application(helpdesk: Deskbell) -> FastAPI:
    app = FastAPI(lifespan=helpdesk.lifespan)
    helpdesk.install(app)
    helpdesk.mount(app)
    Session = Annotated[AsyncSession, Depends(helpdesk.session, scope="function")]  # noqa: N806 - a type

    @app.get("/who")
    async def who(session: Session) -> str:
        actor = actor_of(session.sync_session)
        return f"{actor.kind} {actor.user_id} {actor.channel} {actor.act}"

    @app.post("/write/{how}")
    async def write(session: Session, how: str) -> str:
        await session.run_sync(create_tag, name=how)
        match how:
            case "crash":
                raise ZeroDivisionError
            case "http":
                raise HTTPException(418)
            case "twice":
                await session.run_sync(create_tag, name=how)
            case "commit":
                await session.commit()
        return how

    return app


@asynccontextmanager
async def serving(app: FastAPI, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run the application with its lifespan."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop.test", headers=headers) as client,
    ):
        yield client


def tags(desk: Desk) -> list[str]:
    with desk.database.transaction(SYSTEM) as session:
        return list(session.scalars(select(Tag.name)))


def bearer(factory: Factory, user: User) -> str:
    return f"Bearer {factory.token(user)}"


async def test_a_token_says_who_acts_and_what_they_do(desk: Desk, committed: Factory) -> None:
    agent = committed.user(Role.AGENT)
    async with serving(application(Deskbell(desk=desk)), Authorization=bearer(committed, agent)) as client:
        answer = await client.get("/who")
    assert answer.json() == f"agent {agent.id} api GET /who"


@pytest.mark.parametrize(
    ("how", "status", "kept"),
    [("plain", 200, True), ("crash", 500, False), ("http", 418, False), ("twice", 409, False), ("commit", 500, False)],
)
async def test_only_what_went_well_is_kept(
    desk: Desk, committed: Factory, how: str, status: int, *, kept: bool
) -> None:
    agent = committed.user(Role.AGENT)
    async with serving(application(Deskbell(desk=desk)), Authorization=bearer(committed, agent)) as client:
        assert (await client.post(f"/write/{how}")).status_code == status
        assert bool(tags(desk)) is kept, "committed before the answer is there"
        assert (await client.post("/write/next")).status_code == 200, "the one connection was given back"


async def test_a_token_that_may_only_read_changes_nothing(desk: Desk, committed: Factory) -> None:
    agent = committed.user(Role.AGENT)
    with desk.database.transaction(SYSTEM) as session:
        _, secret = create_token(session, agent.id, name="reader", scopes=("read",))
    async with serving(application(Deskbell(desk=desk)), Authorization=f"Bearer {secret}") as client:
        assert (await client.get("/who")).status_code == 200
        refused = await client.post("/write/plain")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert tags(desk) == []


async def test_a_browsers_session_needs_its_csrf_token_for_changes(desk: Desk, committed: Factory) -> None:
    agent = committed.user(Role.AGENT)
    with desk.database.transaction(SYSTEM) as session:
        secret = open_session(session, agent.id, lifetime=desk.settings.session_lifetime, now=SystemClock().now())
    proof = {"X-CSRF-Token": csrf_token_for(desk.key, secret)}
    async with serving(application(Deskbell(desk=desk)), Cookie=f"{COOKIE}={secret}") as client:
        assert (await client.get("/who")).json() == f"agent {agent.id} web GET /who"
        assert (await client.post("/write/plain")).json()["code"] == "csrf"
        assert (await client.post("/write/plain", headers=proof)).status_code == 200


async def test_who_says_nothing_must_log_in(desk: Desk) -> None:
    async with serving(application(Deskbell(desk=desk))) as client:
        for headers in ({}, {"Authorization": "Bearer dbt_unknown"}, {"Authorization": "Bearer dbs_unknown"}):
            answer = await client.get("/who", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_the_hosts_own_users_are_people_of_the_desk(desk: Desk, committed: Factory) -> None:
    agent = committed.user(Role.AGENT)

    async def signed_in(x_user: Annotated[str, Header()] = "") -> Actor | None:
        return await helpdesk.actor_for(x_user, at_most=Role.AGENT, create=True) if x_user else None

    helpdesk = Deskbell(desk=desk, actor=signed_in)
    async with serving(application(helpdesk)) as client:
        assert (await client.get("/who")).status_code == 401
        as_agent = await client.get("/who", headers={"X-User": agent.email})
        assert as_agent.json() == f"agent {agent.id} web GET /who"
        as_new = await client.get("/who", headers={"X-User": "nia@shop.example"})
        assert as_new.json().startswith("customer ")
        refused = await client.post("/write/plain", headers={"X-User": "nia@shop.example"})
        assert refused.status_code == 403
        assert tags(desk) == []


async def test_the_whole_site_stands_behind_the_hosts_routes(desk: Desk) -> None:
    app = application(Deskbell(desk=desk))
    Deskbell(desk=desk).mount_site(app)
    async with serving(app) as client:
        assert "Log in" in (await client.get("/login")).text
        assert (await client.get("/who")).status_code == 401
        assert (await client.get("/helpdesk/healthz")).json() == (await client.get("/healthz")).json()


async def test_a_desk_that_cannot_be_opened_is_a_problem_of_its_own_path(settings: Settings) -> None:
    """Without the lifespan it is opened by the first request that needs it."""
    app = FastAPI()
    helpdesk = Deskbell(settings.model_copy(update={"secret_key": None}))
    helpdesk.mount(app)
    app.add_api_route("/", lambda: "fine")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop.test") as client:
        assert (await client.get("/")).json() == "fine"
        answer = await client.get("/helpdesk/healthz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "DESKBELL_SECRET_KEY" not in answer.text
