"""PostgreSQL writes the documents of tickets: they are what the schemas describe and the models hold, to the letter.

Through the read lane as well as through a session, for the desk and for customers.
"""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Organization, Role, User
from deskbell.kernel.actor import Actor
from deskbell.testing.factories import Factory, actor
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import get_thread
from deskbell.web.schemas.tickets import TicketOut, TicketSummary
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
TICKETS = "/api/v1/tickets"
HOSTILE = (
    "\"quoted\" \\back\\ \u2028 \x01\x1f\x7f \U0001f642 <b>&amp;</b> \ud7ff \ufffe é\u0301 'single' %s :name {brace} "
    + "x" * 5000
)


class World:
    """Somebody with a full ticket and with one that has nothing but what it must have, an agent, and a stranger."""

    def __init__(self, factory: Factory) -> None:
        home: Organization = factory.organization('Home "of" \\ all', shares_tickets=True)
        self.kim: User = factory.user(email="kim@example.test", full_name=HOSTILE[:200], organization=home)
        self.agent: User = factory.user(Role.AGENT, full_name="Åsa \u2028 Agent")
        self.bare: Ticket = factory.ticket(factory.user(), message="Bare")
        self.full: Ticket = factory.ticket(self.kim, message=HOSTILE, title=HOSTILE[:60])
        self.reply = factory.comment(self.full, self.agent, HOSTILE)
        factory.comment(self.full, self.agent, "A note", is_internal=True)
        factory.comment(self.full, self.kim, "Thanks")
        factory.comment(self.full, self.kim, "\n\n \t lines\r\n")


FILL = text("""
with team as (insert into teams (name) values ('Team \\ "x"') returning id),
     tag as (insert into tags (name, description) values ('zeta', '"d"'), ('Alpha', ''), ('beta', '\\') returning id),
     bears as (insert into ticket_tags (ticket_id, tag_id) select :ticket, id from tag),
     files as (insert into attachments (ticket_id, comment_id, file_name, media_type, size, sha256, storage_key,
                                        content_id, uploaded_by_id)
               select :ticket, c, name, 'text/plain', 2147483648, repeat('a', 64), name, nullif(name, 'a "b".txt'),
                      :agent
                 from (values (cast(null as bigint), 'a "b".txt'), (:reply, 'c\\d.txt'), (:reply, 'é.png')) f (c, name))
update tickets set team_id = (select id from team), assignee_id = :agent, status = 'resolved', priority = 'urgent',
       due_at = '2026-11-23 01:02:03+00', first_responded_at = '2026-11-23 01:02:03.000004+00',
       description_html = '<p>"x"</p>', description_folded = '> "y"'
 where id = :ticket
""")


async def make(desk: Desk) -> World:
    world: World = await desk.make(World)
    system = Actor.system()
    async with desk.database.async_transaction(system) as session:
        values = {"ticket": world.full.id, "agent": world.agent.id, "reply": world.reply.id}
        await session.execute(FILL, values)
    return world


async def expected(desk: Desk, who: User, number: str, schema: type[TicketSummary]) -> dict[str, Any]:
    """What the schema makes of the models."""

    def load(session: Session) -> str:
        return schema.of(get_thread(session, number)).model_dump_json()

    async with desk.database.async_transaction(actor(who)) as session:
        document: dict[str, Any] = json.loads(await session.run_sync(load))
        return document


def strictly(schema: type[TicketSummary], document: dict[str, Any]) -> None:
    """Refuse members that the schema does not describe, and values of another kind."""
    assert document.keys() == schema.model_fields.keys()
    schema.model_validate_json(json.dumps(document), strict=True)


@pytest.fixture(params=["desk", "live"])
def either(request: pytest.FixtureRequest) -> Desk:
    """The application on a session that is rolled back, and on the read lane."""
    found: Desk = request.getfixturevalue(request.param)
    return found


async def test_a_ticket_is_written_as_the_schema_writes_it(either: Desk) -> None:
    world = await make(either)
    for person in (world.agent, world.kim):
        client = await either.as_(person)
        for ticket in (world.full, world.bare) if person is world.agent else (world.full,):
            answer = await client.get(f"{TICKETS}/{ticket.ticket_number}")
            assert answer.status_code == 200, answer.text
            document = json.loads(answer.content)
            strictly(TicketOut, document)
            assert document == await expected(either, person, ticket.ticket_number, TicketOut)


async def test_a_list_is_written_as_the_schema_writes_it(either: Desk) -> None:
    world = await make(either)
    for person, queries in (
        (world.agent, ("", "bare", "status:resolved", "sort:created")),
        (world.kim, ("", "thanks")),
    ):
        client = await either.as_(person)
        for query in queries:
            listed = (await client.get(TICKETS, params={"q": query})).json()["items"]
            assert listed, query
            for document in listed:
                strictly(TicketSummary, document)
                assert document == await expected(either, person, document["ticket_number"], TicketSummary), query


async def test_a_customer_is_sent_no_tags_no_team_no_notes_and_no_address(either: Desk) -> None:
    world = await make(either)
    client = await either.as_(world.kim)
    for url in (TICKETS, f"{TICKETS}/{world.full.ticket_number}", f"{TICKETS}?q=thanks", "/api/v1/search?q=thanks"):
        body = (await client.get(url)).text
        assert world.full.ticket_number in body
        for secret in ("A note", "zeta", "Team", world.agent.email):
            assert secret not in body, (url, secret)


async def test_a_deleted_ticket_and_the_answers_of_changes_have_the_same_shape(either: Desk) -> None:
    world = await make(either)
    agent = await either.as_(world.agent)
    url = f"{TICKETS}/{world.full.ticket_number}"
    changed = await agent.patch(url, json={"priority": "low"})
    assert changed.json() == (await agent.get(url)).json()
    assert (await agent.delete(url)).status_code == 204
    deleted = (await agent.get(url)).json()
    assert deleted["deleted_at"] is not None
    assert deleted == await expected(either, world.agent, world.full.ticket_number, TicketOut)
    assert (await agent.post(f"{url}/restore")).json()["deleted_at"] is None


async def test_a_revoked_token_a_deactivated_person_and_a_new_role_count_from_the_next_request_on(live: Desk) -> None:
    """The lane begins to read as whom a secret last stood for: what it read for somebody else is dropped."""
    world = await make(live)
    agent, kim = await live.as_(world.agent), await live.as_(world.kim)
    for _ in range(3):
        assert len((await agent.get(TICKETS)).json()["items"]) == 2
        assert len((await kim.get(TICKETS)).json()["items"]) == 1

    async def run(statement: str) -> None:
        async with live.database.async_transaction(Actor.system()) as session:
            await session.execute(text(statement), {"agent": world.agent.id, "kim": world.kim.id})

    await run("update users set role = 'customer' where id = :agent")
    assert (await agent.get(TICKETS)).json()["items"] == []
    assert (await agent.get(f"{TICKETS}/{world.full.ticket_number}")).status_code == 404
    await run("update users set is_active = false where id = :kim")
    refused = [await kim.get(TICKETS), await kim.get(f"{TICKETS}/{world.full.ticket_number}")]
    assert [answer.status_code for answer in refused] == [401, 401]
    assert world.full.ticket_number not in "".join(answer.text for answer in refused)
    await run("update api_tokens set revoked_at = now() where user_id = :agent")
    assert (await agent.get(TICKETS)).status_code == 401


async def test_many_people_at_once_each_get_their_own(live: Desk) -> None:
    import anyio  # noqa: PLC0415 - for this test alone

    people = await live.make(lambda f: [f.user() for _ in range(6)])
    await live.make(lambda f: [f.ticket(person, message=f"Of {person.id}.") for person in people for _ in range(2)])
    clients = [await live.as_(person) for person in people]
    wrong: list[str] = []

    async def look(client: httpx.AsyncClient, person: User) -> None:
        for _ in range(25):
            answer = await client.get(TICKETS)
            if {item["requester"]["id"] for item in answer.json()["items"]} != {person.id}:
                wrong.append(answer.text)

    async with anyio.create_task_group() as group:
        for client, person in zip(clients, people, strict=True):
            for _ in range(3):
                group.start_soon(look, client, person)
    assert wrong == []


async def test_a_connection_that_the_server_has_closed_is_never_handed_out(live: Desk) -> None:
    agent = await live.as_role(Role.AGENT)
    await agent.get(TICKETS)
    for _ in range(3):
        async with live.database.async_transaction(Actor.system()) as session:
            await session.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user::text"
                    " and pid <> pg_backend_pid()"
                )
            )
        assert (await agent.get(TICKETS)).status_code == 200
