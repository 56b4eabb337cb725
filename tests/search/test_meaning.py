"""What a query finds is what it says: the database, and a plain look at each of forty random tickets, always agree."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.clock import FixedClock
from deskbell.kernel.database import Database
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.search.language import Condition, Operator, Query, Value, Words, parse, print_query
from deskbell.search.queries import compile_query
from deskbell.testing.factories import SYSTEM
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import clone
from deskbell.tickets.models import TicketPriority, TicketStatus
from tests.search.desk import NOW, ORGANIZATIONS, TAGS, TEAMS, Desk, fill, lexemes
from tests.search.naive import Reader
from tests.search.trees import trees

READERS = (
    ("eve@example.test", "UTC"),
    ("Sam@example.test", "America/New_York"),
    ("kim@example.test", "Asia/Kathmandu"),
    ("zoë@example.test", "Europe/Berlin"),
)
"""Two agents; a customer whose organization shares its tickets; one who has none."""

TEXTS = (
    *("card", "cards", "CARD", "arrived", "the", "has", "invoice.pdf", "invoice", "49.00", "00", "café", "cafe", "b_c"),
    *(
        "card arrived",
        "card the arrived",
        "the card",
        "refund card",
        "1042",
        "img 1042",
        "!!",
        "%",
        "_",
        "c\\d",
        "finis",
    ),
)
PREFIXES = ("ca", "ref", "caf", "card arr", "card the a", "the", "invoice p", "b", "ar")


def conditions(field: str, operators: str, *values: str) -> st.SearchStrategy[Condition]:
    """Return conditions on the field; `=` stands for a list of values, quoted where they must be."""
    made = [Value(value.strip('"'), value.startswith('"')) for value in values]
    several = st.lists(st.sampled_from(made), min_size=1, max_size=2).map(tuple)
    lists = st.builds(Condition, st.just(field), st.just(Operator.IS), several)
    others = [Operator(operator) for operator in operators.split()]
    if not others:
        return lists
    ones = st.sampled_from([value for value in made if value.text != "none" and ".." not in value.text])
    return lists | st.builds(Condition, st.just(field), st.sampled_from(others), ones.map(lambda value: (value,)))


COMPARISONS = "> >= < <="
DAYS = ("2026", "2026-03", "2026-03-30", "today", "yesterday", "2026-03-01..yesterday", "-8d..now", "2026-03-31T07:00")
MOMENTS = st.builds(
    Condition,
    st.sampled_from(["created", "updated", "resolved", "due"]),
    st.sampled_from([Operator(operator) for operator in COMPARISONS.split()]),
    st.sampled_from(["-7d", "-24h", "now", "-1mo", "+2d", "-30m"]).map(lambda text: (Value(text),)),
)
FOR_ALL = (
    conditions("status", "", *(status.value for status in TicketStatus)),
    conditions("priority", COMPARISONS, *(priority.value for priority in TicketPriority)),
    conditions("channel", "", "mail", "web", "cli"),
    conditions("number", "", "DB-1003", "db-1004", "1005", "x"),
    conditions("assignee", "", "me", "none", "sam@EXAMPLE.test", "zoë@example.test", '"me"'),
    conditions("requester", "", "me", "ann@example.test", "kim@example.test", "Zoë@example.test"),
    conditions("organization", "", "none", *(f'"{name}"' for name in ORGANIZATIONS), "unknown"),
    conditions("created", COMPARISONS, *DAYS),
    conditions("updated", COMPARISONS, *DAYS),
    conditions("resolved", COMPARISONS, "none", *DAYS),
    conditions("due", COMPARISONS, "none", "tomorrow", *DAYS),
    conditions("comments", COMPARISONS, "0", "1", "2", "1..3", "5"),
    conditions("is", "", "open", "unresolved", "resolved", "closed", "overdue", "unassigned", "reopened"),
    conditions("has", "", "attachment", "comment", "response", "assignee", "organization", "due"),
    MOMENTS,
)
FOR_STAFF = (
    conditions("tag", "", "none", '"none"', *(f'"{name}"' for name in TAGS), "BILLING", "unknown"),
    conditions("team", "", "none", *(f'"{name}"' for name in TEAMS)),
    conditions("is", "", "deleted", "open"),
    conditions("has", "", "note", "team", "tag"),
)
WORDS = st.sampled_from([*(Words(text) for text in TEXTS), *(Words(text, is_prefix=True) for text in PREFIXES)])
STAFF_QUERIES = st.builds(Query, trees(WORDS | st.one_of(*FOR_ALL, *FOR_STAFF), 8))
CUSTOMER_QUERIES = st.builds(Query, trees(WORDS | st.one_of(*FOR_ALL), 8))


@dataclass(frozen=True)
class World:
    """The database with the forty tickets, and the same in memory."""

    database: Database
    desk: Desk
    readers: dict[str, Reader]

    def check(self, email: str, query: Query) -> None:
        """Compare what is found, both as a tree and from its text."""
        reader = self.readers[email]
        kind = ActorKind(reader.who.role.value)
        actor = Actor(kind, reader.who.id, Channel.API, time_zone=reader.zone.key)
        with self.database.transaction(actor) as session:
            found = [ticket.id for ticket in session.scalars(compile_query(session, print_query(query)))]
        assert len(found) == len(set(found))
        assert set(found) == reader.finds(parse(print_query(query)))


@pytest.fixture(scope="module")
def world(server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clone(server, "search_meaning") as address:
        database = open_database(address, tmp_path_factory.mktemp("attachments"))
        resources: Resources = database._info[RESOURCES_KEY]  # type: ignore[assignment]  # the keys say what is there
        database._info[RESOURCES_KEY] = replace(resources, clock=FixedClock(NOW))
        with database.transaction(SYSTEM) as session:
            desk = fill(session, Random(11))  # noqa: S311 - the same tickets each time
            asked = {word for text in TEXTS + PREFIXES for word in (text, text.split()[-1])}
            stems = lexemes(session, asked)
        readers = {email: Reader(desk, desk.people[email], ZoneInfo(zone), stems) for email, zone in READERS}
        yield World(database, desk, readers)
        database.close()


@given(query=STAFF_QUERIES)
def test_an_agent_finds_exactly_what_the_query_says(world: World, query: Query) -> None:
    world.check("eve@example.test", query)
    world.check("Sam@example.test", query)


@given(query=CUSTOMER_QUERIES)
def test_a_customer_finds_exactly_what_the_query_says_of_what_they_may_see(world: World, query: Query) -> None:
    world.check("kim@example.test", query)
    world.check("zoë@example.test", query)


def test_the_tickets_are_not_all_alike(world: World) -> None:
    """Else the tests above would compare little."""
    for text in (
        "card",
        "tag:billing",
        "is:overdue",
        "has:note",
        "is:deleted",
        "assignee:me",
        '"card arrived"',
        "created:today",
    ):
        found = world.readers["Sam@example.test"].finds(parse(text))
        assert 0 < len(found) < len(world.desk.items), text
