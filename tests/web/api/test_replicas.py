"""Figures over HTTP come from a replica, as whoever asks, and a moment after a ticket was opened they count it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event

from deskbell.accounts.models import Role
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.replicas import Standbys
from deskbell.kernel.settings import DatabaseSettings
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import as_application
from tests.replication import Standby, factory_on
from tests.web.api.conftest import Desk, app_on

pytestmark = pytest.mark.anyio
STATISTICS = "/api/v1/statistics?start_date=2026-01-01&end_date=2035-01-01"


@pytest.fixture
async def replicated_desk(replicated: tuple[Address, Standby], tmp_path: Path) -> AsyncIterator[Desk]:
    """The application on a database with a standby."""
    primary, standby = replicated
    plain = open_database(primary, tmp_path)
    standbys = Standbys((as_application(standby.address),), max_lag=10)
    database = Database(plain.address, DatabaseSettings(), standbys=standbys)
    database._info = plain._info
    async with AsyncExitStack() as stack:
        yield Desk(app_on(database), database, stack, factory_on(database))
    await database.aclose()


def answers_of(database: Database) -> list[str]:
    """Remember which questions the replica gets, but for those about itself."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "pg_control_system" not in statement and "set_config" not in statement:
            seen.append(statement)

    event.listen(database.standbys[0].async_engine.sync_engine, "before_cursor_execute", note)
    return seen


async def total(client: httpx.AsyncClient) -> int:
    response = await client.get(STATISTICS)
    assert response.status_code == 200, response.text
    return int(response.json()["total"])


async def test_a_ticket_that_somebody_opened_a_moment_ago_is_in_the_statistics(replicated_desk: Desk) -> None:
    desk = replicated_desk
    seen = answers_of(desk.database)
    customer = await desk.as_role(Role.CUSTOMER)
    for number in range(1, 6):
        opened = await customer.post("/api/v1/tickets", json={"title": "Card", "description": "It has not arrived."})
        assert opened.status_code == 201, opened.text
        assert await total(customer) == number
    assert len(seen) >= 5


async def test_a_revoked_token_is_refused_though_the_replica_does_not_know_yet(
    replicated_desk: Desk, replicated: tuple[Address, Standby]
) -> None:
    desk, standby = replicated_desk, replicated[1]
    agent = await desk.as_role(Role.AGENT)
    assert (await agent.get(STATISTICS)).status_code == 200
    standby.execute("select pg_wal_replay_pause()")
    try:
        tokens = (await agent.get("/api/v1/tokens")).json()["items"]
        assert (await agent.delete(f"/api/v1/tokens/{tokens[0]['id']}")).status_code == 204
        assert (await agent.get(STATISTICS)).status_code == 401
    finally:
        standby.execute("select pg_wal_replay_resume()")


async def test_the_primary_answers_where_the_replica_does_not_keep_up(
    replicated_desk: Desk, replicated: tuple[Address, Standby]
) -> None:
    desk, standby = replicated_desk, replicated[1]
    customer = await desk.as_role(Role.CUSTOMER)
    standby.execute("select pg_wal_replay_pause()")
    try:
        await customer.post("/api/v1/tickets", json={"title": "Card", "description": "It has not arrived."})
        seen = answers_of(desk.database)
        assert await total(customer) == 1
        assert not seen
    finally:
        standby.execute("select pg_wal_replay_resume()")


async def test_counts_of_views_come_from_the_replica_and_are_for_the_desk_alone(replicated_desk: Desk) -> None:
    desk = replicated_desk
    agent = await desk.as_role(Role.AGENT)
    made = await agent.post("/api/v1/views", json={"name": "open", "query": "status:open"})
    assert made.status_code == 201, made.text
    seen = answers_of(desk.database)
    counted = (await agent.get("/api/v1/views/counts")).json()["items"]
    assert made.json()["id"] in {each["view_id"] for each in counted}
    assert seen
    assert (await (await desk.as_role(Role.CUSTOMER)).get("/api/v1/views/counts")).status_code == 403


async def test_administrators_see_how_far_behind_each_replica_is(replicated_desk: Desk) -> None:
    desk = replicated_desk
    admin, agent = await desk.as_role(Role.ADMIN), await desk.as_role(Role.AGENT)
    [replica] = (await admin.get("/api/v1/system/replicas")).json()["items"]
    assert (replica["is_reachable"], replica["is_standby"], replica["problem"]) == (True, True, None)
    assert (await agent.get("/api/v1/system/replicas")).status_code == 403
