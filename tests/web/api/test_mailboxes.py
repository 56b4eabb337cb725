"""Mailboxes over HTTP: added, changed, tried and filled up, by administrators alone, and no secret ever comes out."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, undefer

from deskbell.accounts.models import Role
from deskbell.kernel.address import Address
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.models import SECRETS, Mailbox, MailboxFolder
from deskbell.mail.mailboxes.rules import FACTS
from deskbell.testing.factories import SYSTEM
from deskbell.testing.statements import count_statements
from deskbell.web.schemas.mailboxes import MailboxChange, MailboxOut
from tests.web.api.conftest import Desk
from tests.web.waiting import slow_server, waiting_transactions

pytestmark = pytest.mark.anyio
MAILBOXES = "/api/v1/mailboxes"
FETCHED = {"address": "help@example.org", "imap_host": "imap.example.org", "imap_password": "swordfish"}


async def add(admin: httpx.AsyncClient, **facts: Any) -> dict[str, Any]:
    answer = await admin.post(MAILBOXES, json={**FETCHED, **facts})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"{MAILBOXES}/{found['id']}"
    return found


async def opened(desk: Desk, mailbox_id: int, name: str = "imap_password") -> str | None:
    """Open a secret, as the system does."""

    def read(session: Session) -> str | None:
        option = undefer(getattr(Mailbox, name))
        sealed = getattr(session.get_one(Mailbox, mailbox_id, options=[option], populate_existing=True), name)
        return resources_of(session).vault.open(sealed, f"mailboxes.{name}", mailbox_id) if sealed else None

    async with desk.database.async_transaction(SYSTEM) as session:
        return await session.run_sync(read)


async def jobs(desk: Desk, name: str) -> int:
    counted = text("select count(*) from jobs.procrastinate_jobs where task_name = :name")
    async with desk.database.async_transaction(SYSTEM) as session:
        return int(await session.scalar(counted, {"name": name}) or 0)


async def test_a_mailbox_is_added_read_changed_and_rests(desk: Desk, admin: httpx.AsyncClient) -> None:
    team = await desk.make(lambda f: f.team())
    made = await add(admin, name="Help", team_id=team.id, tags=["vip", "Cards"], imap_folders=["INBOX", "Lost"])
    url = f"{MAILBOXES}/{made['id']}"
    assert (await admin.get(url)).json() == made
    assert (made["tags"], made["kept"], made["team_id"]) == (["Cards", "vip"], ["imap_password"], team.id)
    assert (made["is_active"], made["acknowledges"], made["standing"]["code"]) == (True, True, "waiting")
    assert await opened(desk, made["id"]) == "swordfish"
    changed = await admin.patch(url, json={"rate": 30, "tags": [], "signature": "Help\r\n"})
    assert changed.status_code == 200, changed.text
    same = {**made, "rate": 30, "tags": [], "signature": "Help", "updated_at": changed.json()["updated_at"]}
    assert changed.json() == (await admin.get(url)).json() == same
    rests = (await admin.patch(url, json={"is_active": False})).json()
    assert (rests["is_active"], rests["standing"]["code"], rests["rate"]) == (False, "off", 30)
    assert (await admin.delete(url)).status_code == 405
    assert (await admin.patch(url, json={"rate": None, "is_active": True})).json()["rate"] is None


async def test_a_mailbox_needs_nothing_but_its_address(admin: httpx.AsyncClient) -> None:
    made = (await admin.post(MAILBOXES, json={"address": "sales@example.org"})).json()
    assert (made["name"], made["kept"], made["standing"]["code"]) == ("sales@example.org", [], "delivered")
    assert (made["imap_folders"], made["priority"], made["is_plus"]) == (["INBOX"], "medium", True)


async def test_no_secret_comes_out_by_any_way(desk: Desk, admin: httpx.AsyncClient) -> None:
    made = await add(admin, smtp_host="smtp.example.org", smtp_user="x", smtp_password="swordfish")
    url = f"{MAILBOXES}/{made['id']}"
    answers = [
        await admin.get(MAILBOXES),
        await admin.get(url),
        await admin.patch(url, json={"smtp_password": "swordfish two"}),
        await admin.patch(url, json={"dkim_key": "swordfish"}),
        await admin.patch(url, json={"imap_password": ["swordfish"]}),
        await admin.post(MAILBOXES, json={**FETCHED, "imap_port": 0}),
        await admin.get("/api/v1/audit"),
        await admin.post(f"{url}/test", json={"imap_host": "127.0.0.1", "imap_port": 1}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422, 422, 422, 200, 422]
    assert [answer.url.path for answer in answers if "swordfish" in answer.text] == []
    assert await opened(desk, made["id"], "smtp_password") == "swordfish two"


async def test_an_empty_secret_stays_and_null_removes_it(desk: Desk, admin: httpx.AsyncClient) -> None:
    made = await add(admin)
    url = f"{MAILBOXES}/{made['id']}"
    assert (await admin.patch(url, json={"imap_password": "", "name": "x"})).json()["kept"] == ["imap_password"]
    assert await opened(desk, made["id"]) == "swordfish"
    moved = await admin.patch(url, json={"imap_host": "imap.evil.example"})
    assert (moved.status_code, moved.json()["field"]) == (422, "imap_password")
    gone = await admin.patch(url, json={"imap_host": "", "imap_password": None})
    assert (gone.status_code, gone.json()["kept"]) == (200, [])


@pytest.mark.parametrize(
    ("facts", "status", "field"),
    [
        ({"address": "nobody"}, 422, "address"),
        ({"address": "HELP@example.org"}, 409, "address"),
        ({"imap_password": ""}, 422, "imap_password"),
        ({"team_id": 999_999}, 422, "team_id"),
        ({"imap_host": "https://x"}, 422, "imap_host"),
        ({"dkim_key": "nothing"}, 422, "dkim_key"),
        ({"imap_password": "\ud800"}, 422, None),
        ({"imap_password": "a\0"}, 422, "imap_password"),
        ({"tags": ["x" * 101]}, 422, None),
        ({"kept": []}, 422, None),
        ({"is_active": False}, 422, None),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_field(
    admin: httpx.AsyncClient, facts: dict[str, Any], status: int, field: str | None
) -> None:
    await add(admin)
    body = json.dumps({**FETCHED, "address": "other@example.org", **facts})  # escaped: httpx sends no half of a pair
    answer = await admin.post(MAILBOXES, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert len((await admin.get(MAILBOXES)).json()["items"]) == 1


async def test_the_list_pages_and_takes_as_many_statements_for_many_as_for_one(
    desk: Desk, admin: httpx.AsyncClient
) -> None:
    costs, ids = [], []
    for number in (1, 4):
        ids += [(await add(admin, address=f"a{number}{n}@example.org", tags=["x"]))["id"] for n in range(number)]
        with count_statements(desk.database.async_engine.sync_engine) as statements:
            assert len((await admin.get(MAILBOXES)).json()["items"]) == len(ids)
        costs.append(len(statements))
    assert costs[0] == costs[1]
    seen: list[int] = []
    following: str | None = f"{MAILBOXES}?limit=2"
    while following:
        found = await admin.get(following)
        seen += [one["id"] for one in found.json()["items"]]
        following = found.links.get("next", {}).get("url")
    assert seen == ids


async def test_gaps_are_shown_and_filled(desk: Desk, admin: httpx.AsyncClient) -> None:
    made = await add(admin)
    url = f"{MAILBOXES}/{made['id']}"
    assert (await admin.get(f"{url}/folders")).json() == {"items": []}
    folder = MailboxFolder(mailbox_id=made["id"], name="INBOX", problem="LOGIN failed", missing=[4, 7])
    async with desk.database.async_transaction(SYSTEM) as session:
        session.add(folder)
    [shown] = (await admin.get(f"{url}/folders")).json()["items"]
    assert (shown["name"], shown["missing"], shown["problem"]) == ("INBOX", [4, 7], "LOGIN failed")
    standing = (await admin.get(url)).json()["standing"]
    assert (standing["code"], standing["problem"], standing["missing"]) == ("failing", "LOGIN failed", 2)
    filled = await admin.post(f"{url}/folders/{shown['id']}/fill")
    assert (filled.status_code, filled.json(), await jobs(desk, "mail.fill_gaps")) == (202, {"count": 2}, 1)
    compared = await admin.post(f"{url}/compare")
    assert (compared.status_code, compared.json(), await jobs(desk, "mail.compare_folder")) == (202, {"count": 1}, 1)
    other = await add(admin, address="other@example.org")
    strange = f"{MAILBOXES}/{other['id']}/folders/{shown['id']}/fill"
    assert [(await admin.post(path)).status_code for path in (strange, f"{MAILBOXES}/999/compare")] == [404, 404]


async def test_connections_are_tried_step_by_step_and_nothing_is_saved(desk: Desk, admin: httpx.AsyncClient) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    here = {"imap_host": "127.0.0.1", "imap_port": server.sockets[0].getsockname()[1], "imap_security": "none"}
    tried = await admin.post(f"{MAILBOXES}/test", json={**FETCHED, **here})
    assert tried.status_code == 200, tried.text
    found = tried.json()
    assert [(one["stage"], one["is_ok"]) for one in found["steps"]][:2] == [("resolve", True), ("connect", True)]
    assert (found["is_ok"], found["steps"][-1]["is_ok"]) == (False, False)
    assert (await admin.get(MAILBOXES)).json()["items"] == []
    made = await add(admin, **here)
    url = f"{MAILBOXES}/{made['id']}"
    for changes in (None, {"name": "x"}):
        again = (await admin.post(f"{url}/test", json=changes)).json()
        assert [one["stage"] for one in again["steps"]] == [one["stage"] for one in found["steps"]]
    server.close()
    assert (await admin.get(url)).json() == made
    nothing = await admin.post(f"{url}/test", json={"imap_host": "", "imap_password": None})
    assert nothing.json() == {"is_ok": True, "steps": []}
    assert (await admin.post(f"{MAILBOXES}/999/test")).status_code == 404
    wrong = await admin.post(f"{MAILBOXES}/test", json={**FETCHED, "address": "nobody"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "address")
    del desk


async def test_no_transaction_waits_for_a_server(live: Desk, fresh_address: Address) -> None:
    """One that did would hold a connection for as long as somebody else's server likes, and vacuuming up."""
    admin = await live.as_role(Role.ADMIN)
    async with slow_server() as server, asyncio.timeout(60):
        asked = {**FETCHED, "imap_host": "127.0.0.1", "imap_port": server.port, "imap_security": "none"}
        tried = asyncio.create_task(admin.post(f"{MAILBOXES}/test", json=asked))
        await server.is_waited_for.wait()
        assert waiting_transactions(fresh_address) == 0
        server.may_go_on.set()
        assert (await tried).json()["is_ok"] is False


ROUTES = (
    ("GET", "", 200),
    ("POST", "", 201),
    ("POST", "/test", 200),
    ("GET", "/{id}", 200),
    ("PATCH", "/{id}", 200),
    ("POST", "/{id}/test", 200),
    ("GET", "/{id}/folders", 200),
    ("POST", "/{id}/compare", 202),
    ("POST", "/{id}/folders/{folder}/fill", 202),
)


async def test_mailboxes_are_for_administrators(desk: Desk, admin: httpx.AsyncClient) -> None:
    made = (await admin.post(MAILBOXES, json={"address": "sales@example.org"})).json()
    folder = MailboxFolder(mailbox_id=made["id"], name="INBOX")
    async with desk.database.async_transaction(SYSTEM) as session:
        session.add(folder)
    everybody = {
        401: [await desk.client(), await desk.client(Authorization="Bearer dbt_none")],
        403: [await desk.as_role(Role.AGENT), await desk.as_role(Role.CUSTOMER)],
        0: [admin],
    }
    for method, path, well in ROUTES:
        url = MAILBOXES + path.format(id=made["id"], folder=folder.id)
        body = {"address": "new@example.org"} if path in {"", "/test"} else {}
        for status, clients in everybody.items():
            for client in clients:
                answer = await client.request(method, url, json=None if method == "GET" else body)
                assert answer.status_code == (status or well), (method, path, answer.text)
                if status and method != "GET":  # who may not ask is not told what is wrong with the question
                    assert (await client.request(method, url, json={"nothing": 1})).status_code == status


async def test_a_token_that_reads_changes_and_tries_nothing(desk: Desk, admin: httpx.AsyncClient) -> None:
    token = (await admin.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]})).json()["secret"]
    reader = await desk.client(Authorization=f"Bearer {token}")
    assert (await reader.get(MAILBOXES)).status_code == 200
    for path in ("", "/test"):
        assert (await reader.post(MAILBOXES + path, json={"address": "a@example.org"})).status_code == 403


def test_each_fact_and_secret_of_a_mailbox_has_its_field() -> None:
    """Whoever adds a column that can be chosen adds it here as well."""
    assert MailboxChange.model_fields.keys() == {*FACTS, *SECRETS, "tags", "is_active"}
    assert {*FACTS, "tags", "is_active", "kept"} <= MailboxOut.model_fields.keys()
    assert not MailboxOut.model_fields.keys() & set(SECRETS)
