"""`If-Match` prevents lost updates, `If-None-Match` saves the transfer."""

import anyio
import httpx
import pytest

from deskbell.accounts.models import Role
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(desk: Desk) -> str:
    ticket = await desk.make(lambda f: f.ticket())
    return f"/api/v1/tickets/{ticket.ticket_number}"


async def test_who_was_slower_is_told_the_current_version(agent: httpx.AsyncClient, url: str) -> None:
    seen = {"If-Match": (await agent.get(url)).headers["ETag"]}
    first = await agent.patch(url, json={"priority": "high"}, headers=seen)
    assert first.status_code == 200, first.text
    refusals = [
        await agent.patch(url, json={"priority": "low"}, headers=seen),
        await agent.post(f"{url}/comments", json={"content": "x"}, headers=seen),
        await agent.post(f"{url}/comments", json={"content": "x", "is_internal": True}, headers=seen),
        await agent.delete(url, headers=seen),
        await agent.post(f"{url}/restore", headers=seen),
    ]
    assert [refused.status_code for refused in refusals] == [412] * len(refusals)
    assert refusals[0].json()["code"] == "stale"
    assert (refusals[0].json()["seen"], refusals[0].json()["current"]) == (1, first.json()["version"])
    found = (await agent.get(url)).json()
    assert (found["priority"], found["comments"], found["deleted_at"]) == ("high", [], None)


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "*", ' "1" ', '"1-abc123"'])
async def test_the_version_alone_will_do(agent: httpx.AsyncClient, url: str, tag: str) -> None:
    assert (await agent.patch(url, json={"title": "New"}, headers={"If-Match": tag})).status_code == 200


@pytest.mark.parametrize("tag", ["1", '"x"', '"1', "", '"1", "2"', '"' + "9" * 30 + '"'])
async def test_what_is_no_tag_is_refused(agent: httpx.AsyncClient, url: str, tag: str) -> None:
    refused = await agent.patch(url, json={"title": "New"}, headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["field"]) == (422, "If-Match")


async def test_a_ticket_that_is_known_is_not_sent_again(agent: httpx.AsyncClient, url: str) -> None:
    tag = (await agent.get(url)).headers["ETag"]
    known = await agent.get(url, headers={"If-None-Match": f'"other", {tag}'})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    await agent.put(f"{url}/tags/new")
    tagged = await agent.get(url, headers={"If-None-Match": tag})
    assert tagged.status_code == 200, "a tag changes what is shown, though not the version"


async def test_of_two_changes_at_once_one_is_refused(live: Desk) -> None:
    agent, ticket = await live.as_role(Role.AGENT), await live.make(lambda f: f.ticket())
    answers: list[int] = []

    async def change(priority: str) -> None:
        url = f"/api/v1/tickets/{ticket.ticket_number}"
        answer = await agent.patch(url, json={"priority": priority}, headers={"If-Match": '"1"'})
        answers.append(answer.status_code)

    async with anyio.create_task_group() as group:
        for priority in ("low", "high", "urgent"):
            group.start_soon(change, priority)
    assert sorted(answers) == [200, 412, 412]
