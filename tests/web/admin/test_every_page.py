"""Every page of the administrator's desk: administrators see it, nobody else does, and nothing on it is markup."""

from collections.abc import Iterator

import pytest
from starlette.routing import Route

from deskbell.accounts.models import Role
from deskbell.mail.inbound.ledger import receive
from deskbell.mail.mailboxes.actions import Wanted, create_mailbox
from deskbell.mail.mailboxes.models import MailboxFolder
from deskbell.testing.factories import Factory
from deskbell.testing.statements import count_statements
from deskbell.web.admin.routes import ADMIN
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio

HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"
MOST_STATEMENTS = 14
FIXED = {"number": 0, "kind": "answered", "locale": "en", "folder_id": 1}


def routes(method: str) -> Iterator[str]:
    for router in ADMIN:
        for route in router.routes:
            if isinstance(route, Route) and method in (route.methods or ()):
                yield route.path


def build(f: Factory) -> dict[str, int]:
    """Make one of everything, each with a name that is markup."""
    organization = f.organization(HOSTILE)
    team = f.team(f.user(Role.AGENT, full_name=HOSTILE), name=HOSTILE)
    tag = f.tag(HOSTILE[:60])
    ticket = f.ticket()
    with f.database.transaction(None) as session:  # type: ignore[arg-type]  # one session for all
        raw = f"From: {HOSTILE} <a@example.org>\nSubject: {HOSTILE}\nMessage-ID: <x@y>\n\n{HOSTILE}\n".encode()
        message = receive(session, raw, source=HOSTILE).id
        wanted = Wanted({"name": HOSTILE, "address": "help@example.org", "signature": HOSTILE}, tags=[HOSTILE[:60]])
        mailbox = create_mailbox(session, wanted)
        session.add(MailboxFolder(mailbox_id=mailbox.id, name=HOSTILE, problem=HOSTILE, missing=[4, 7]))
    return {
        "user_id": ticket.creator_id,
        "organization_id": organization.id,
        "team_id": team.id,
        "tag_id": tag.id,
        "message_id": message,
        "mailbox_id": mailbox.id,
    }


async def world(desk: Pages, admin: Browser) -> dict[str, int]:
    ids = await desk.make(build)
    found = (await admin.client.get("/api/v1/audit?limit=1", headers={"Accept": "application/json"})).json()
    return {**ids, **FIXED, "operation_id": found["items"][0]["operation_id"]}


async def test_an_administrator_sees_every_page(desk: Pages, admin: Browser) -> None:
    ids = await world(desk, admin)
    paths = [path.format(**ids) for path in routes("GET") if "/files/" not in path]
    assert len(paths) > 20
    for path in paths:
        answer = await admin.client.get(path)
        assert answer.status_code == 200, path
        if "text/html" in answer.headers["content-type"]:
            assert "<script>alert" not in answer.text, path
            is_frame = "sandbox" in answer.headers["content-security-policy"]
            assert answer.text.count("<h1>") == (0 if is_frame else 1), path
            assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER])
async def test_nobody_else_sees_or_does_anything(desk: Pages, admin: Browser, role: Role) -> None:
    ids = await world(desk, admin) | {"job_id": 1, "token_id": 1, "view_id": 1}
    browser = await desk.browser_of(role)
    for path in routes("GET"):
        answer = await browser.client.get(path.format(**ids))
        assert (answer.status_code, "sections" in answer.text) == (403, False), path
    for path in routes("POST"):
        assert (await browser.send(path.format(**ids), name="x")).status_code == 403, path


async def test_who_is_not_logged_in_is_asked_to(desk: Pages) -> None:
    answer = await (await desk.browser()).client.get("/admin/people?q=a")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fadmin%2Fpeople%3Fq%3Da")


async def test_forms_want_their_token(admin: Browser) -> None:
    for path in routes("POST"):
        names = ("user_id", "organization_id", "team_id", "tag_id", "view_id", "token_id", "job_id", "message_id")
        ids = {**dict.fromkeys((*names, "mailbox_id"), 1), **FIXED}
        answer = await admin.client.post(path.format(**ids), data={"name": "x"})
        assert (answer.status_code, "Load the page again" in answer.text) == (403, True), path


async def test_what_is_not_there_is_not_found(admin: Browser) -> None:
    for path in routes("GET"):
        if "{" in path:
            names = ("user_id", "organization_id", "team_id", "tag_id", "message_id", "operation_id", "mailbox_id")
            ids = {**dict.fromkeys(names, 2**40), **FIXED, "locale": "tlh"}
            assert (await admin.client.get(path.format(**ids))).status_code == 404, path


async def test_pages_cost_the_same_statements_however_much_there_is(desk: Pages, admin: Browser) -> None:
    ids = await world(desk, admin)
    costs: list[dict[str, int]] = []
    for _ in range(2):
        await desk.make(build_more)
        found = {}
        for path in (each for each in routes("GET") if "/files/" not in each):
            with count_statements(desk.database.async_engine.sync_engine) as statements:
                assert (await admin.client.get(path.format(**ids))).status_code == 200, path
            found[path] = len([one for one in statements if "set_config('role', 'none'" not in one])
        costs.append(found)
    assert costs[0] == costs[1]
    assert max(costs[0].values()) <= MOST_STATEMENTS, costs[0]


def build_more(f: Factory) -> None:
    for _ in range(5):
        f.ticket(f.user())
        f.tag()
        f.team(f.user(Role.AGENT))
        f.organization()
        f.token(f.user(Role.AGENT))
        with f.database.transaction(None) as session:  # type: ignore[arg-type]  # one session for all
            mailbox = create_mailbox(session, Wanted({"address": f"{f.tag().name}@example.org"}))
            session.add(MailboxFolder(mailbox_id=mailbox.id, name="INBOX", missing=[1]))
            receive(session, mailbox.address.encode(), source="test", mailbox_id=mailbox.id)


async def test_a_cursor_of_another_list_is_refused(admin: Browser, desk: Pages) -> None:
    await desk.make(lambda f: [f.user() for _ in range(60)])
    page = (await admin.client.get("/admin/people")).text
    cursor = page.split("cursor=")[1].split('"')[0]
    assert (await admin.client.get(f"/admin/people?cursor={cursor}")).status_code == 200
    for path in (
        f"/admin/people?role=agent&cursor={cursor}",
        f"/admin/audit?cursor={cursor}",
        "/admin/people?cursor=x",
    ):
        assert (await admin.client.get(path)).status_code == 422, path
