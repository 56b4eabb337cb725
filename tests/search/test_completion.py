"""What an editor offers at each place of an unfinished query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.search.completion import Completion, complete
from deskbell.search.language import parse
from deskbell.search.language.fragments import Fragment, fragment_at
from deskbell.testing.factories import Factory, actor
from deskbell.testing.statements import count_statements


def at_cursor(text: str) -> Fragment:
    """Return the fragment where `|` stands."""
    return fragment_at(text.replace("|", ""), text.index("|"))


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("|", Fragment("", 0, 0)),
        ("card sta|", Fragment("sta", 5, 8)),
        ("card sta|tus:open x", Fragment("sta", 5, 12)),
        ("card -sta|", Fragment("sta", 6, 9)),
        ("(a OR sta|)", Fragment("sta", 6, 9)),
        ('"not arr|ived"', Fragment('"not arr', 0, 12, is_quoted=True)),
        ("status:|", Fragment("", 7, 7, "status", ":")),
        ("status:op|en x", Fragment("op", 7, 11, "status", ":")),
        ("status:open,cl|", Fragment("cl", 12, 14, "status", ":")),
        ("status:open,|", Fragment("", 12, 12, "status", ":")),
        ("-status:op|", Fragment("op", 8, 10, "status", ":")),
        ("priority>=h|", Fragment("h", 10, 11, "priority", ">=")),
        ('tag:"two wo|', Fragment("two wo", 4, 11, "tag", ":", is_quoted=True)),
        ('tag:"two wo|rds" x', Fragment("two wo", 4, 15, "tag", ":", is_quoted=True)),
        ('tag:"two wo|rds', Fragment("two wo", 4, 11, "tag", ":", is_quoted=True)),
        ('tag:"a, b",c|', Fragment("c", 11, 12, "tag", ":")),
        ('tag:"|', Fragment("", 4, 5, "tag", ":", is_quoted=True)),
        ("status:open |", Fragment("", 12, 12)),
    ],
)
def test_the_piece_at_the_cursor_is_found(text: str, fragment: Fragment) -> None:
    assert at_cursor(text) == fragment


@given(st.text(st.characters(), max_size=40) | st.text('ab:>",\\- ()*', max_size=40), st.integers(-5, 50))
def test_any_text_has_a_piece_at_any_place(text: str, cursor: int) -> None:
    fragment = fragment_at(text, cursor)
    place = min(max(cursor, 0), len(text))
    assert 0 <= fragment.start <= place <= fragment.end <= len(text)


@pytest.fixture
def agent(factory: Factory) -> User:
    """Of a desk with some names to complete."""
    for name in ("billing", "Bills", "card", "two words", "none", "100%"):
        factory.tag(name)
    factory.team(name="Second level")
    factory.user(email="sandra@else.example", full_name="Sandra Customer")
    factory.user(email="ann@bank.example", full_name="Ann", organization=factory.organization("Example Bank"))
    factory.organization("Other Bank")
    return factory.user(Role.AGENT, email="sam@bank.example", full_name="Sam Agent")


def offers(database: Database, person: User, text: str) -> list[Completion]:
    with database.transaction(actor(person)) as session:
        return complete(session, text.replace("|", ""), text.index("|"))


def labels(database: Database, person: User, text: str) -> list[str]:
    return [offer.label for offer in offers(database, person, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sta|", ["status:"]),
        ("statsu|", ["status:"]),
        ("card -as|", ["assignee:", "has:assignee"]),
        ("over|", ["is:overdue"]),
        ("sor|", ["sort:"]),
        ("priority|", ["priority:", "priority>", "priority>=", "priority<", "priority<="]),
        ("status:op|", ["open"]),
        ("status:open,clo|", ["closed"]),
        ("priority>=h|", ["high"]),
        ("status>o|", []),
        ("is:un|", ["unresolved", "unassigned", "unread"]),
        ("has:att|", ["attachment"]),
        ("sort:pri|", ["priority", "priority-asc", "priority-desc"]),
        ("created:|", ["today", "yesterday", "tomorrow"]),
        ("due:no|", ["none"]),
        ("created>-|", ["-24h", "-7d", "-30d", "-1y"]),
        ("comments>|", []),
        ("number:|", []),
        ("nothing:a|", []),
        ('"sta|', []),
    ],
)
def test_fields_values_flags_and_sorts_are_offered(
    database: Database, agent: User, text: str, expected: list[str]
) -> None:
    assert labels(database, agent, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag:bil|", ["Bills", "billing"]),
        ("tag:biling|", ["billing", "Bills"]),
        ("tag:100%|", ["100%"]),
        ("tag:%|", []),
        ("assignee:|", ["me", "none", "sam@bank.example"]),
        ("assignee:sa|", ["sam@bank.example"]),
        ("requester:sand|", ["sandra@else.example"]),
        ('requester:"Sandra C|', ["sandra@else.example"]),
        ("team:second|", ["Second level"]),
        ("organization:ex|", ["Example Bank"]),
    ],
)
def test_names_are_offered(database: Database, agent: User, text: str, expected: list[str]) -> None:
    assert labels(database, agent, text) == expected


def test_an_offer_takes_the_place_of_what_was_written_and_reads_as_what_it_says(
    database: Database, agent: User
) -> None:
    text = "card tag:tw| status:open"
    [offer] = offers(database, agent, text)
    assert (offer.kind, offer.insert, offer.start, offer.end) == ("tag", '"two words"', 9, 11)
    written = text.replace("|", "")
    assert parse(written[: offer.start] + offer.insert + written[offer.end :])
    assert [offer.insert for offer in offers(database, agent, "tag:non|")] == ["none", '"none"']


def test_names_cost_one_statement_and_the_rest_none(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session:
        session.connection()
        for text, statements in (("sta", 0), ("status:", 0), ("tag:bil", 1), ("assignee:", 1)):
            with count_statements(database.engine) as sent:
                complete(session, text, len(text))
            assert len(sent) == statements


def test_at_most_twenty_are_offered(database: Database, factory: Factory, agent: User) -> None:
    for number in range(30):
        factory.tag(f"many {number}")
    assert len(labels(database, agent, "tag:many|")) == 20
    assert len(labels(database, agent, "|")) <= 20


def test_customers_are_offered_what_they_may_see_alone(database: Database, factory: Factory, agent: User) -> None:
    assert agent
    ann = factory.user(email="me@bank.example", organization=factory.organization("Third Bank"))
    assert labels(database, ann, "tag:|") == labels(database, ann, "team:|") == labels(database, ann, "is:del|") == []
    assert labels(database, ann, "organization:|") == ["none", "Third Bank"]
    assert labels(database, ann, "organization:other|") == []
    assert labels(database, ann, "requester:|") == ["me", "me@bank.example"]
    assert labels(database, ann, "assignee:|") == ["me", "none"]
    assert not {"tag:", "team:"} & {*labels(database, ann, "|"), *labels(database, ann, "ta|")}


def test_a_text_that_is_far_too_long_is_not_completed(database: Database, agent: User) -> None:
    assert offers(database, agent, "x" * 100_000 + "|") == []
