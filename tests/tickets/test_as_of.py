"""A ticket as it was, whatever happened to it since, whichever way."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from sqlalchemy import inspect, text

from deskbell.accounts.models import Role
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets import actions
from deskbell.tickets.as_of import as_of
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.errors import NoSuchTicketError
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.queries import get_thread
from tests.audit.world import STEPS, Step, World, unrestricted

DERIVED = {"version", "updated_at"}


def columns(thing: object) -> dict[str, Any]:
    """The columns of something as JSON has them; times in UTC, as the database's own JSON."""
    state: Any = inspect(thing)
    values = {name: getattr(thing, name) for name in state.mapper.column_attrs.keys() if name not in DERIVED}  # noqa: SIM118 - no dict
    return {k: v.astimezone(UTC) if isinstance(v, datetime) else v for k, v in values.items()}


def picture(ticket: Ticket) -> dict[str, Any]:
    """All of a ticket that `as_of` tells, in comparable form."""
    people = [ticket.requester, ticket.agent, *(comment.writer for comment in ticket.comments)]
    return columns(ticket) | {
        "comments": [columns(it) | {"files": [file.id for file in it.attachments]} for it in ticket.comments],
        "attachments": [columns(it) for it in ticket.attachments],
        "tags": [columns(it) for it in ticket.tags],
        "people": [person and person.id for person in people],
        "named": [thing and thing.id for thing in (ticket.team, ticket.organization)],
    }


def now(world: World) -> list[dict[str, Any]]:
    with world.database.transaction(SYSTEM) as session:
        return [picture(get_thread(session, ticket.ticket_number)) for ticket in world.tickets]


def then(world: World, at: datetime) -> list[dict[str, Any]]:
    with world.database.transaction(actor(world.agents[0])) as session:
        return [picture(as_of(session, ticket.ticket_number, at).ticket) for ticket in world.tickets]


@given(STEPS)
@settings(max_examples=15)
@example([("put tag", 0, 0), ("take all tags", 0, 0), ("put them back", 0, 0), ("untag", 0, 0), ("remove a tag", 0, 0)])
@example([("reply", 0, 1), ("move", 1, 0)])
@example([("reply", 0, 1), ("move", 1, 0), ("move", 0, 0), ("remove comments", 0, 0), ("remove comments", 1, 0)])
def test_a_ticket_can_be_read_as_it_was_after_each_step(clone_address: Address, steps: list[Step]) -> None:
    """Use cases, bulk statements and raw SQL; compared with what was read at the time."""
    with unrestricted(clone_address) as database:
        world = World(database)
        seen = [(world.now(), now(world))]
        for step in steps:
            world.run(step)
            seen.append((world.now(), now(world)))
        for at, pictures in seen:
            assert then(world, at) == pictures


def test_what_was_imported_is_as_old_as_it_says(database: Database, factory: Factory) -> None:
    """Its row is younger than itself: before the import it was as it was imported."""
    person, begin = factory.user(), datetime(2024, 5, 1, tzinfo=UTC)
    new = NewTicket("Old", "Text", person.id, None, begin, status=TicketStatus.CLOSED, updated_at=begin)
    with database.transaction(SYSTEM) as session:
        [ticket_id] = create_tickets(session, [new])
        actions.change_title(session, session.get_one(Ticket, ticket_id).ticket_number, "Renamed")
        old = as_of(session, ticket_id, begin + timedelta(days=1)).ticket
        assert (old.title, old.status, old.created_at) == ("Old", TicketStatus.CLOSED, begin)
        with pytest.raises(NoSuchTicketError, match="since 2024-05-01 00:00:00 UTC, and not before"):
            as_of(session, ticket_id, begin - timedelta(seconds=1))


def test_the_future_is_as_it_is_now(database: Database, factory: Factory) -> None:
    ticket = factory.ticket()
    with database.transaction(SYSTEM) as session:
        for at in (datetime(2999, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
            assert picture(as_of(session, ticket.ticket_number.lower(), at).ticket) == picture(
                get_thread(session, ticket.ticket_number)
            )


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])
@pytest.mark.parametrize("at", [datetime.min, datetime(1, 1, 2), datetime(1900, 1, 1)])  # noqa: DTZ001, DTZ901 - the zone comes
def test_no_time_is_too_early_to_be_asked_for(
    database: Database, factory: Factory, at: datetime, zone: timezone
) -> None:
    ticket = factory.ticket()
    with database.transaction(SYSTEM) as session, pytest.raises(NoSuchTicketError, match="not before"):
        as_of(session, ticket.id, at.replace(tzinfo=zone))


def test_a_time_without_a_zone_is_refused(database: Database, factory: Factory) -> None:
    number = factory.ticket().ticket_number
    with database.transaction(SYSTEM) as session, pytest.raises(InvalidError, match="no time zone") as raised:
        as_of(session, number, datetime(2026, 11, 20, 14, 5))  # noqa: DTZ001 - that is what is refused
    assert raised.value.field == "at"


def test_what_never_was_is_not_found(database: Database) -> None:
    with database.transaction(SYSTEM) as session:
        for what in ("DB-99999", 2**63 - 1, 0):
            with pytest.raises(NoSuchTicketError, match=f"There is no ticket.* {what}"):
                as_of(session, what, datetime.now(UTC))


def test_the_past_is_for_the_desk_alone(database: Database, factory: Factory) -> None:
    customer = factory.user()
    number = factory.ticket(customer).ticket_number
    with database.transaction(actor(customer)) as session, pytest.raises(ForbiddenError):
        as_of(session, number, datetime.now(UTC))


def test_a_ticket_that_was_deleted_for_good_is_found_by_its_id(clone_address: Address) -> None:
    with unrestricted(clone_address) as database:
        world = World(database)
        [ticket, _], before = world.tickets, now(world)
        at = world.now()
        world.as_owner(f"delete from tickets where id = {ticket.id}")  # noqa: S608 - a number
        with database.transaction(SYSTEM) as session:
            assert picture(as_of(session, ticket.id, at).ticket) == before[0]
            with pytest.raises(NoSuchTicketError):
                as_of(session, ticket.id, world.now())


def test_reading_what_was_writes_nothing(database: Database, factory: Factory) -> None:
    """The objects look like rows; they must not become some when the transaction ends."""
    ticket = factory.ticket()
    factory.comment(ticket, factory.user(Role.AGENT))
    count = text("select (select count(*) from tickets), (select count(*) from comments)")
    with database.transaction(SYSTEM) as session:
        before = session.execute(count).one()
        it = as_of(session, ticket.id, datetime.now(UTC)).ticket
        session.flush()
        assert it not in session
        assert session.execute(count).one() == before


def test_a_long_history_takes_as_many_statements_as_a_short_one(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    at = datetime.now(UTC)
    costs = []
    for _ in range(2):
        for number in range(10):
            factory.comment(ticket, agent, f"Comment {number}")
            factory.attachment(ticket)
        with database.transaction(actor(agent)) as session, count_statements(database.engine) as statements:
            as_of(session, ticket.id, at)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 10
