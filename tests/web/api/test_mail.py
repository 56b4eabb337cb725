"""Mail over HTTP: delivered, listed, shown and decided about, by whom that may be."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.kernel.address import Address
from deskbell.mail.filing.actions import file_message
from deskbell.testing.factories import SYSTEM
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
INBOUND, MESSAGES = "/api/v1/mail/inbound", "/api/v1/mail/messages"
RFC822 = {"Content-Type": "message/rfc822"}
LETTER = b"From: Kim <kim@example.test>\r\nMessage-ID: <1@example.test>\r\nSubject: My card\r\n\r\nIt is \xff late.\r\n"


async def deliver(client: httpx.AsyncClient, raw: bytes = LETTER, **parameters: Any) -> dict[str, Any]:
    answer = await client.post(INBOUND, content=raw, headers=RFC822, params=parameters)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"{MESSAGES}/{found['id']}"
    return found


async def file(desk: Desk, message_id: int) -> None:
    async with desk.database.async_transaction(SYSTEM) as session:
        await session.run_sync(file_message, message_id)


async def test_a_message_is_delivered_and_what_it_became_can_be_read(
    desk: Desk, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    addresses = ["help@example.test", "sam@example.test"]
    found = await deliver(admin, envelope_from="kim@example.test", envelope_to=addresses)
    assert (found["state"], found["is_known"]) == ("received", False)
    await file(desk, found["id"])
    url = f"{MESSAGES}/{found['id']}"
    shown = (await agent.get(url)).json()
    assert (shown["state"], shown["sender"], shown["subject"]) == ("ticket", "kim@example.test", "My card")
    assert shown["ticket"].startswith("DB-")
    [arrival] = shown["arrivals"]
    assert (arrival["envelope_from"], arrival["envelope_to"]) == ("kim@example.test", addresses)
    assert arrival["source"].startswith("http")
    raw = await agent.get(f"{url}/raw")
    assert (raw.content, raw.headers["Content-Type"]) == (LETTER, "message/rfc822")
    assert raw.headers["Content-Disposition"].startswith("attachment")


async def test_the_same_message_again_is_known(desk: Desk, admin: httpx.AsyncClient) -> None:
    first = await deliver(admin)
    await file(desk, first["id"])
    again = await deliver(admin)
    assert again == {"id": first["id"], "state": "ticket", "is_known": True}
    async with desk.database.async_transaction(SYSTEM) as session:
        counted = "select count(*) from jobs.procrastinate_jobs where task_name = 'mail.file_message'"
        assert await session.scalar(text(counted)) == 1


async def test_the_system_writes_it_down_and_who_delivered_it_is_again_themselves(
    desk: Desk, admin: httpx.AsyncClient
) -> None:
    await deliver(admin)
    async with desk.database.async_transaction(SYSTEM) as session:
        [row] = await session.execute(
            text("select user_id, channel from audit_logs where table_name = 'inbound_messages' and action = 'CREATE'")
        )
    assert (row.user_id, row.channel) == (None, "mail")


async def test_with_an_idempotency_key_the_first_answer_comes_again(desk: Desk, admin: httpx.AsyncClient) -> None:
    headers = {**RFC822, "Idempotency-Key": "letter-1"}
    answers = [await admin.post(INBOUND, content=LETTER, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    other = await admin.post(INBOUND, content=LETTER + b"x", headers=headers)
    assert other.json()["code"] == "idempotency_key_reused"
    del desk


async def test_only_administrators_deliver_and_tokens_of_theirs_with_the_scope(desk: Desk) -> None:
    async def status(client: httpx.AsyncClient, method: str = "POST", path: str = INBOUND) -> int:
        return (await client.request(method, path, content=LETTER, headers=RFC822)).status_code

    assert await status(await desk.client()) == 401
    assert await status(await desk.client(Authorization="Bearer dbt_none")) == 401
    for role in (Role.CUSTOMER, Role.AGENT):
        assert await status(await desk.as_role(role)) == 403
    ada = await desk.as_role(Role.ADMIN)
    for scopes, delivers, reads in ((["mail"], 202, 403), (["read"], 403, 200), (["mail", "read"], 202, 200)):
        made = await ada.post("/api/v1/tokens", json={"name": "x", "scopes": scopes})
        assert made.status_code == 201, made.text
        client = await desk.client(Authorization=f"Bearer {made.json()['secret']}")
        assert await status(client) == delivers, scopes
        assert await status(client, "GET", MESSAGES) == reads, scopes
        assert await status(client, "POST", "/api/v1/mail/replay") == 403, scopes
    sam = await desk.as_role(Role.AGENT)
    made = await sam.post("/api/v1/tokens", json={"name": "x", "scopes": ["mail"]})
    assert await status(await desk.client(Authorization=f"Bearer {made.json()['secret']}")) == 403


async def test_who_may_not_deliver_is_told_so_before_the_message_is_waited_for(desk: Desk) -> None:
    never = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"Subject: "
        await never.wait()

    agent = await desk.as_role(Role.AGENT)
    async with asyncio.timeout(60):
        refused = await agent.post(INBOUND, content=endless(), headers=RFC822)
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "message/rfc822", 422),
        (b" \r\n", "message/rfc822", 422),
        (LETTER, "text/plain", 422),
        (LETTER, "multipart/form-data; boundary=x", 422),
        (LETTER, "message/rfc822; charset=utf-8", 202),
        (b"\x00\xff no header at all", "message/rfc822", 202),
        (b"x" * 30_000_000, "message/rfc822", 202),
        (b"x" * (64 * 1024 * 1024 + 1), "message/rfc822", 413),
    ],
)
async def test_what_is_no_message_or_too_large_is_refused(
    admin: httpx.AsyncClient, body: bytes, kind: str, status: int
) -> None:
    answer = await admin.post(INBOUND, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text


async def test_a_large_body_is_taken_at_this_address_alone(admin: httpx.AsyncClient) -> None:
    refused = await admin.post("/api/v1/tickets", content=b"x" * 5_000_000, headers=RFC822)
    assert refused.status_code == 413


async def test_a_full_disk_and_a_database_that_is_away_are_503(live: Desk, fresh_address: Address) -> None:
    admin = await live.as_role(Role.ADMIN)
    full = "create function full_disk() returns trigger language plpgsql as $$ begin raise disk_full; end $$"
    trigger = "create trigger full_disk before insert on inbound_messages execute function full_disk()"
    with psycopg.connect(fresh_address.dsn) as owner:
        owner.execute(full)
        owner.execute(trigger)
    answer = await admin.post(INBOUND, content=LETTER, headers=RFC822)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "5")
    assert "disk" in answer.json()["detail"]


async def test_the_ledger_is_listed_by_what_one_looks_for(
    desk: Desk, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    ids = []
    for number in range(5):
        raw = LETTER.replace(b"<1@", b"<%d@" % number).replace(b"kim@", b"kim%d@" % (number % 2))
        ids.append((await deliver(admin, raw))["id"])
    for each in ids[:3]:
        await file(desk, each)

    async def listed(**wanted: Any) -> list[int]:
        answer = await agent.get(MESSAGES, params=wanted)
        assert answer.status_code == 200, answer.text
        return [message["id"] for message in answer.json()["items"]]

    assert await listed() == ids[::-1]
    assert await listed(state="received") == ids[:2:-1]
    assert await listed(sender=" KIM0@example.test") == [ids[2], ids[0]]
    ticket = (await agent.get(f"{MESSAGES}/{ids[1]}")).json()["ticket"]
    assert await listed(ticket=ticket) == [ids[1]]
    assert await listed(since="2099-01-01T00:00:00Z") == []
    assert await listed(mailbox_id=1) == []
    first = (await agent.get(MESSAGES, params={"limit": 2})).json()
    second = (await agent.get(MESSAGES, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [message["id"] for message in first["items"] + second["items"]] == ids[:0:-1]


async def test_messages_are_let_in_turned_away_and_read_again(
    desk: Desk, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    one, two, three = [(await deliver(admin, LETTER + bytes([each])))["id"] for each in b"abc"]
    async with desk.database.async_transaction(SYSTEM) as session:
        states = {one: "suspended", two: "suspended", three: "failed"}
        for each, state in states.items():
            await session.execute(text("update inbound_messages set state = :s where id = :i"), {"s": state, "i": each})

    async def act(path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        answer = await agent.post(f"/api/v1/mail/{path}", json=body)
        return answer.status_code, answer.json()

    status, released = await act(f"messages/{one}/release")
    assert (status, released["state"]) == (200, "received")
    assert released["released_by_id"]
    status, rejected = await act(f"messages/{two}/reject", {"why": "Advertising"})
    assert (status, rejected["state"], rejected["reason"]) == (200, "rejected", "Advertising")
    status, replayed = await act(f"messages/{three}/replay")
    assert (status, replayed["state"]) == (200, "received")
    assert (await act(f"messages/{one}/reject", {}))[0] == 409
    assert (await act("messages/999999/release"))[0] == 404
    assert await act("replay", {"state": "rejected"}) == (202, {"count": 1})
    assert (await act("replay", {"state": "ticket"}))[0] == 422


async def test_customers_see_nothing_of_the_ledger(desk: Desk, admin: httpx.AsyncClient) -> None:
    found = await deliver(admin)
    customer = await desk.as_role(Role.CUSTOMER)
    for path in ("", f"/{found['id']}", f"/{found['id']}/raw"):
        assert (await customer.get(MESSAGES + path)).status_code == 403
    for act in ("release", "reject", "replay"):
        answer = await customer.post(f"{MESSAGES}/{found['id']}/{act}", json={} if act == "reject" else None)
        assert answer.status_code == 403
    assert (await (await desk.as_role(Role.AGENT)).get(f"{MESSAGES}/{found['id'] + 1}")).status_code == 404
