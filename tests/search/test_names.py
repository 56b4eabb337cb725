"""Names in queries: looked up at once, and a hint where nothing bears them."""

import pytest

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.search.language import Span
from deskbell.search.names import Hint
from deskbell.search.queries import Prepared, compile_query, prepare
from deskbell.testing.factories import Factory, actor
from deskbell.testing.statements import count_statements


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT, email="sam@bank.example")


@pytest.fixture
def customer(factory: Factory) -> User:
    """Of the Example Bank, beside whom there are other customers, organizations, teams and tags."""
    factory.organization("Other Bank")
    factory.user(email="kim@other.example")
    factory.team(name="Billing team")
    for name in ("billing", "bill%ng", "me", "two, with comma"):
        factory.tag(name)
    return factory.user(email="ann@bank.example", organization=factory.organization("Example Bank"))


def prepared(database: Database, person: User, query: str) -> Prepared:
    with database.transaction(actor(person)) as session:
        return prepare(session, query)


def hints(database: Database, person: User, query: str) -> list[tuple[str, str | None]]:
    return [(hint.message, hint.suggestion) for hint in prepared(database, person, query).hints]


@pytest.mark.parametrize(
    ("query", "statements"),
    [
        ("", 0),
        ('card "not arrived" status:open created>-7d is:overdue sort:priority', 0),
        ("assignee:me assignee:none tag:none", 0),
        ("tag:billing", 1),
        ('tag:a,b -tag:c (team:x OR organization:y) assignee:a@b.example requester:c@d.example tag:"none"', 1),
    ],
)
def test_all_names_cost_one_statement_and_none_costs_none(
    database: Database, agent: User, query: str, statements: int
) -> None:
    with database.transaction(actor(agent)) as session:
        session.connection()
        with count_statements(database.engine) as sent:
            compile_query(session, prepare(session, query))
    assert len(sent) == statements


@pytest.mark.usefixtures("customer")
def test_a_name_that_nothing_bears_has_a_hint_with_the_nearest_one(database: Database, agent: User) -> None:
    with database.transaction(actor(agent)) as session:
        [hint] = prepare(session, "card tag:biling").hints
    assert hint == Hint("There is no tag “biling”. Did you mean `billing`?", Span(9, 15), "billing")


@pytest.mark.usefixtures("customer")
@pytest.mark.parametrize(
    ("query", "message", "suggestion"),
    [
        ("assignee:samm@bank.example", "There is no person “samm@bank.example”.", "sam@bank.example"),
        ('organization:"Exampel Bank"', "There is no organization “Exampel Bank”.", '"Example Bank"'),
        ("team:biling", "There is no team “biling”.", '"Billing team"'),
        ('tag:"two with comma"', "There is no tag “two with comma”.", '"two, with comma"'),
        ("tag:zzz", "There is no tag “zzz”.", None),
        ("tag:bill_ng", "There is no tag “bill_ng”.", "bill%ng"),
    ],
)
def test_the_hint_is_of_the_same_kind_and_can_be_put_in_the_place(
    database: Database, agent: User, query: str, message: str, suggestion: str | None
) -> None:
    [(said, suggested)] = hints(database, agent, query)
    assert said.startswith(message)
    assert suggested == suggestion


@pytest.mark.usefixtures("customer")
@pytest.mark.parametrize(
    "query", ["tag:billing,BILLING", "tag:bill%ng", 'tag:"me"', "assignee:SAM@bank.example,me,none"]
)
def test_a_name_that_is_known_in_any_case_has_none(database: Database, agent: User, query: str) -> None:
    assert hints(database, agent, query) == []


@pytest.mark.parametrize(
    "query",
    [
        "requester:kim@other.exampel",
        "requester:kim@other.example",
        "assignee:sam@bank.example",
        'organization:"Other Bank"',
        'organization:"Exampel Bank"',
    ],
)
def test_no_hint_tells_a_customer_of_somebody_else(database: Database, agent: User, customer: User, query: str) -> None:
    """What is there and what is not look the same to them; only their own address and organization are suggested."""
    assert agent
    [(_, suggested)] = hints(database, customer, query)
    assert suggested in {None, "ann@bank.example", '"Example Bank"'}
    with database.transaction(actor(customer)) as session:
        assert session.scalars(compile_query(session, query)).all() == []


def test_an_equals_sign_is_text_and_has_a_hint_where_a_field_stands_before_it(database: Database, agent: User) -> None:
    said = "status=open is searched for as text. Did you mean `status:open`?"
    assert hints(database, agent, 'status=open x=5 "status=closed"') == [(said, "status:open")]
