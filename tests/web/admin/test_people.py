"""Forms about people, organizations, teams, tags, views and tokens do what they say, and say why they do not."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import LoginSession, Role, TeamMember, User
from deskbell.accounts.passwords import verify_password
from deskbell.search.models import Sharing
from deskbell.search.views import create_view
from deskbell.testing.factories import SYSTEM, actor
from deskbell.tickets.models import Tag, Ticket, TicketTag
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio


async def ask(desk: Pages, statement: object) -> list[object]:
    async with desk.database.async_transaction(SYSTEM) as session:
        return list((await session.execute(statement)).scalars())  # type: ignore[call-overload]


async def said(admin: Browser, answer: object) -> str:
    """Follow a form to where it leads, and return what the page says."""
    assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]
    page = (await admin.client.get(answer.headers["location"])).text  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.split('class="notice success"')[1].split("</div>")[0]))


async def test_somebody_is_added_with_a_password_that_is_shown_once(desk: Pages, admin: Browser) -> None:
    form = {"email": "kim@example.org", "full_name": "Kim", "role": "agent", "with_password": "true"}
    page = (await admin.send("/admin/people", None, **form)).text
    [password] = re.findall(r'class="secret">([^<]+)<', page)
    [hashed] = await ask(desk, select(User.password_hash).where(User.email == "kim@example.org"))
    assert verify_password(password, str(hashed))
    listed = (await admin.client.get("/admin/people?q=KIM&role=agent")).text
    assert "kim@example.org" in listed
    assert password not in listed
    assert "kim@example.org" not in (await admin.client.get("/admin/people?q=im")).text


async def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(desk: Pages, admin: Browser) -> None:
    await desk.make(lambda f: f.user(email="taken@example.org"))
    for field, form in {
        "email": {"email": "nobody", "full_name": "Typed here"},
        "organization": {"email": "a@example.org", "full_name": "Typed here", "organization": "Nowhere Ltd"},
        "time_zone": {"email": "a@example.org", "full_name": "Typed here", "time_zone": "Mars/Olympus"},
    }.items():
        answer = await admin.send("/admin/people", None, **form)
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), answer.text
        assert 'value="Typed here"' in answer.text
    taken = await admin.send("/admin/people", email="TAKEN@example.org")
    assert (taken.status_code, 'id="email-error"' in taken.text) == (409, True)


async def test_who_is_deactivated_is_out_and_keeps_no_unresolved_ticket(desk: Pages, admin: Browser) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    browser = await desk.browser(agent)
    ticket = await desk.make(lambda f: f.ticket())
    await browser.client.get("/tickets")
    async with desk.database.async_transaction(SYSTEM) as session:
        (await session.get_one(Ticket, ticket.id)).assignee_id = agent.id
    page = (await admin.client.get(f"/admin/people/{agent.id}")).text
    assert "Their unresolved tickets become unassigned" in page
    answer = await admin.send(f"/admin/people/{agent.id}/deactivate")
    assert "no longer log in" in await said(admin, answer)
    assert (await browser.client.get("/tickets")).status_code == 303
    assert await ask(desk, select(Ticket.assignee_id).where(Ticket.id == ticket.id)) == [None]
    assert "They can log in again." in await said(admin, await admin.send(f"/admin/people/{agent.id}/activate"))


async def test_nobody_deactivates_or_demotes_themselves(desk: Pages) -> None:
    boss = await desk.make(lambda f: f.user(Role.ADMIN, email="boss@example.org"))
    browser = await desk.browser(boss)
    answer = await browser.send(f"/admin/people/{boss.id}/deactivate")
    assert (answer.status_code, "cannot deactivate yourself" in answer.text) == (422, True)
    answer = await browser.send(f"/admin/people/{boss.id}", email="boss@example.org", role="agent")
    assert (answer.status_code, 'id="role-error"' in answer.text) == (422, True)


async def test_a_new_password_logs_out_everywhere(desk: Pages, admin: Browser) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    await desk.make(lambda f: f.token(agent))
    await desk.browser(agent)
    page = (await admin.send(f"/admin/people/{agent.id}/password")).text
    assert "1 API token of theirs still works" in page
    assert await ask(desk, select(LoginSession.id).where(LoginSession.user_id == agent.id)) == []
    page = (await admin.send(f"/admin/people/{agent.id}/password", end_tokens="true")).text
    assert "still work" not in page


async def test_log_ins_are_ended(desk: Pages, admin: Browser) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT))
    await desk.browser(agent)
    assert "logged out everywhere" in await said(admin, await admin.send(f"/admin/people/{agent.id}/log-out"))
    assert await ask(desk, select(LoginSession.id).where(LoginSession.user_id == agent.id)) == []


async def test_an_organization_is_made_shared_and_joined(desk: Pages, admin: Browser) -> None:
    made = await admin.send("/admin/organizations", name="Acme")
    path = made.headers["location"]
    assert "Acme was added." in await said(admin, made)
    assert (await admin.send("/admin/organizations", name="ACME")).status_code == 409
    await admin.send(path, name="Acme & Sons", shares_tickets="true")
    user = await desk.make(lambda f: f.user())
    await admin.send(f"/admin/people/{user.id}", email="x@example.org", organization="acme & sons")
    page = (await admin.client.get(path)).text
    assert "Acme &amp; Sons" in page
    assert "x@example.org" in page
    assert "Shared by members" in (await admin.client.get("/admin/organizations?q=acme")).text


async def test_a_team_is_made_and_agents_come_and_go(desk: Pages, admin: Browser) -> None:
    agent, customer = await desk.make(lambda f: f.user(Role.AGENT)), await desk.make(lambda f: f.user())
    path = (await admin.send("/admin/teams", name="Refunds", description="Money back")).headers["location"]
    assert "in the team" in await said(admin, await admin.send(f"{path}/members", user_id=str(agent.id)))
    for user_id, status in ((agent.id, 409), (customer.id, 422), ("", 422), (2**40, 404)):
        assert (await admin.send(f"{path}/members", user_id=str(user_id))).status_code == status
    await admin.send(path, name="Refunds & returns")
    assert "Refunds &amp; returns" in (await admin.client.get("/admin/teams")).text
    await admin.send(f"{path}/members/{agent.id}/remove")
    assert await ask(desk, select(TeamMember.user_id)) == []


async def test_a_tag_is_renamed_merged_and_deleted(desk: Pages, admin: Browser) -> None:
    one, other = await desk.make(lambda f: f.tag("reund")), await desk.make(lambda f: f.tag("refund"))
    numbers = await desk.make(lambda f: f.tickets(3, tags=[one]))
    await desk.make(lambda f: f.tickets(2, tags=[one, other]))
    wrong = await admin.send(f"/admin/tags/{one.id}", name="REFUND", color="#112233")
    assert (wrong.status_code, 'id="name-error"' in wrong.text) == (409, True)
    wrong = await admin.send(f"/admin/tags/{one.id}", name="reund", color="red")
    assert (wrong.status_code, 'id="color-error"' in wrong.text) == (422, True)
    await admin.send(f"/admin/tags/{one.id}", name="refunds", color="#112233", description="Money")
    assert "refunds" in (await admin.client.get("/admin/tags?q=refu")).text
    assert (await admin.send(f"/admin/tags/{one.id}/merge", into=str(one.id))).status_code == 422
    assert "merged into refund" in await said(
        admin, await admin.send(f"/admin/tags/{one.id}/merge", into=str(other.id))
    )
    bearing = await ask(desk, select(TicketTag.ticket_id).where(TicketTag.tag_id == other.id))
    assert (len(bearing), set(numbers) <= set(bearing)) == (5, True)
    assert "refund was deleted." in await said(admin, await admin.send(f"/admin/tags/{other.id}/delete"))
    assert await ask(desk, select(Tag.id)) == []


async def test_a_shared_view_is_taken_over_and_deleted(desk: Pages, admin: Browser) -> None:
    agent = await desk.make(lambda f: f.user(Role.AGENT, full_name="Avery"))
    async with desk.database.async_transaction(actor(agent)) as session:
        view = await session.run_sync(make_view)
    assert "Avery" in (await admin.client.get("/admin/views")).text
    assert "is yours now" in await said(admin, await admin.send(f"/admin/views/{view}/take-over"))
    assert "Avery" not in (await admin.client.get("/admin/views")).text
    assert "Mornings was deleted." in await said(admin, await admin.send(f"/admin/views/{view}/delete"))


async def test_a_token_is_shown_once_works_and_is_revoked(desk: Pages, admin: Browser) -> None:
    page = (await admin.send("/admin/tokens", name="Nightly", only_read="true", expires_at="2099-12-31")).text
    [secret] = re.findall(r'class="secret">([^<]+)<', page)
    program = await desk.client(Authorization=f"Bearer {secret}")
    assert (await program.get("/api/v1/me")).status_code == 200
    listed = (await admin.client.get("/admin/tokens")).text
    assert secret not in listed
    [number] = re.findall(r"/admin/tokens/(\d+)/revoke", listed)
    assert "Nightly no longer works." in await said(admin, await admin.send(f"/admin/tokens/{number}/revoke"))
    assert (await program.get("/api/v1/me")).status_code == 401
    assert "Nightly" in (await admin.client.get("/admin/tokens?alive=no")).text
    wrong = await admin.send("/admin/tokens", name="Late", expires_at="2001-01-01")
    assert (wrong.status_code, 'id="expires_at-error"' in wrong.text) == (422, True)


async def test_what_is_said_is_said_once_and_cannot_be_forged(admin: Browser) -> None:
    answer = await admin.send("/admin/teams", name="Once")
    assert "Once was added" in await said(admin, answer)
    assert "was added" not in (await admin.client.get(answer.headers["location"])).text
    admin.client.cookies.set("deskbell_said", "IllvdSB3b24i.forged", path="/admin")
    assert 'class="notice success"' not in (await admin.client.get("/admin/teams")).text


def make_view(session: Session) -> int:
    return create_view(session, name="Mornings", query="status:open", shared_with=Sharing.EVERYONE).id
