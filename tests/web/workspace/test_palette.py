"""The command palette finds by few letters, for each what they may go to."""

import pytest

from deskbell.accounts.models import Role
from deskbell.testing.factories import Factory
from deskbell.testing.statements import count_statements
from deskbell.tickets.models import Ticket
from deskbell.web.workspace.palette import fitness
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio


async def found(browser: Browser, written: str) -> dict[str, list[str]]:
    answer = await browser.client.get("/workspace/palette", params={"q": written})
    assert answer.status_code == 200, answer.text
    return {group["name"]: [item["label"] for item in group["items"]] for group in answer.json()["groups"]}


async def test_tickets_people_views_and_actions_are_found(desk: Pages, agent: Browser) -> None:
    def write(factory: Factory) -> Ticket:
        kim = factory.user(full_name="Kim Quill", email="kim@quills.test")
        return factory.ticket(kim, title="A quilt is torn")

    ticket = await desk.make(write)
    await agent.send("/views/new", name="Quick wins")
    assert (await found(agent, "qui"))["Tickets"] == ["A quilt is torn"]
    assert (await found(agent, "kim q"))["People"] == ["Kim Quill"]
    assert (await found(agent, "quick"))["Views"] == ["Quick wins"]
    assert (await found(agent, "nwtk"))["Actions"] == ["New ticket"]
    digits = ticket.ticket_number.rpartition("-")[2]
    for written in (digits, ticket.ticket_number, ticket.ticket_number.lower()):
        assert (await found(agent, written))["Tickets"] == ["A quilt is torn"]


async def test_only_administrators_are_shown_the_way_to_their_desk(desk: Pages) -> None:
    agent, admin = await desk.browser_of(Role.AGENT), await desk.browser_of(Role.ADMIN)
    assert "Administration" not in (await found(agent, ""))["Actions"]
    assert "Administration" in (await found(admin, ""))["Actions"]


@pytest.mark.parametrize(
    "written", ['"', "\\", "(", "status:", "-", "*", "a" * 200, "'; drop table users", "%", "\u202e", "AND"]
)
async def test_nothing_that_is_typed_is_an_error(agent: Browser, written: str) -> None:
    assert (await found(agent, written))["Search tickets"] == [written]


async def test_it_costs_few_statements(desk: Pages, agent: Browser) -> None:
    await desk.make(lambda f: f.tickets(30))
    await found(agent, "warm up")
    with count_statements(desk.database.async_engine.sync_engine) as statements:
        await found(agent, "ticket mes")
    assert len(statements) <= 8, statements


def test_what_begins_alike_fits_best() -> None:
    assert [fitness("in", label) for label in ("Inbox", "All in", "Administration", "Views")] == [0, 1, 2, 3]
