"""The administrator's view of the server, over HTTP."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.jobs import add_job
from deskbell.testing.factories import SYSTEM
from deskbell.testing.statements import count_statements
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
URL = "/api/v1/system"
ASKED = [
    ("GET", ""),
    ("GET", "/slow-queries"),
    ("DELETE", "/slow-queries"),
    ("GET", "/jobs"),
    ("POST", "/jobs/1/retry"),
]
FAIL = (
    "with worker as (insert into jobs.procrastinate_workers default values returning id)"
    " update jobs.procrastinate_jobs set status = 'doing', worker_id = (select id from worker) where id = :job"
    " returning worker_id"
)


def fail_job(session: Session) -> int:
    job = add_job(session, "mail.file_message", message_id=7)
    worker = session.scalar(text(FAIL), {"job": job})
    ended = text("select jobs.fail_job(:job, :worker, 'ValueError: broken', null)")
    session.execute(ended, {"job": job, "worker": worker})
    return job


async def failed_job(desk: Desk) -> int:
    async with desk.database.async_transaction(SYSTEM) as session:
        return await session.run_sync(fail_job)


@pytest.fixture
async def boss(desk: Desk) -> httpx.AsyncClient:
    """A client of an administrator."""
    return await desk.as_role(Role.ADMIN)


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_only_administrators_may(desk: Desk, method: str, path: str) -> None:
    for role in (Role.AGENT, Role.CUSTOMER):
        answer = await (await desk.as_role(role)).request(method, URL + path)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await (await desk.client()).request(method, URL + path)).status_code == 401


async def test_the_state_is_told(boss: httpx.AsyncClient) -> None:
    state = (await boss.get(URL)).json()
    assert {
        "server",
        "tables",
        "indexes",
        "connections",
        "transactions",
        "partitioned",
        "queue",
        "disks",
    } <= state.keys()
    assert "tickets" in [table["name"] for table in state["tables"]]
    assert all(table["is_ready"] for table in state["partitioned"])


async def test_slow_statements_are_told_in_order(boss: httpx.AsyncClient) -> None:
    await boss.get(URL)
    answer = (await boss.get(f"{URL}/slow-queries", params={"sort": "calls", "limit": 5})).json()
    calls = [one["calls"] for one in answer["statements"]]
    assert (answer["advice"], calls) == (None, sorted(calls, reverse=True))
    assert len(calls) <= 5
    for wrong in ({"sort": "name"}, {"limit": 0}, {"limit": 101}):
        assert (await boss.get(f"{URL}/slow-queries", params=wrong)).status_code == 422


async def test_counting_begins_anew(boss: httpx.AsyncClient) -> None:
    assert (await boss.delete(f"{URL}/slow-queries")).status_code == 204


async def test_a_failed_job_is_listed_and_tried_again(desk: Desk, boss: httpx.AsyncClient) -> None:
    job = await failed_job(desk)
    [found] = (await boss.get(f"{URL}/jobs", params={"state": "failed"})).json()["items"]
    assert (found["id"], found["state"], found["reason"]) == (job, "failed", "ValueError: broken")
    assert found["arguments"] == {"message_id": 7}
    assert (await boss.post(f"{URL}/jobs/{job}/retry")).status_code == 204
    assert (await boss.get(f"{URL}/jobs", params={"state": "failed"})).json()["items"] == []
    again = await boss.post(f"{URL}/jobs/{job}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert (await boss.post(f"{URL}/jobs/{2**62}/retry")).status_code == 404
    assert (await boss.get(f"{URL}/jobs", params={"state": "lost"})).status_code == 422


async def test_jobs_come_in_pages(desk: Desk, boss: httpx.AsyncClient) -> None:
    made = [await failed_job(desk) for _ in range(3)]
    first = (await boss.get(f"{URL}/jobs", params={"limit": 2})).json()
    second = (await boss.get(f"{URL}/jobs", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [job["id"] for job in (*first["items"], *second["items"])] == made[::-1]
    assert second["next_cursor"] is None
    foreign = {"limit": 2, "state": "failed", "cursor": first["next_cursor"]}
    assert (await boss.get(f"{URL}/jobs", params=foreign)).status_code == 422


async def test_each_costs_the_same_statements_however_much_there_is(desk: Desk, boss: httpx.AsyncClient) -> None:
    costs = []
    for _ in range(2):
        await failed_job(desk)
        for path in ("", "/slow-queries", "/jobs"):
            with count_statements(desk.database.async_engine.sync_engine) as statements:
                assert (await boss.get(URL + path)).status_code == 200
            costs.append(len([one for one in statements if "set_config('role', 'none'" not in one]))
    assert costs == [8, 3, 2] * 2
