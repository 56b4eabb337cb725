"""Queries that differ in their words alone share a statement: with the words put in, it is what each would have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor, ActorKind
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import ACTOR_KEY
from deskbell.kernel.fields import FIELDS_KEY
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.search.language import Condition, Operator, Query, Value, parse
from deskbell.search.queries import compile_query
from deskbell.search.templates import Readings, Template, template_of
from deskbell.wiring import FIELDS
from tests.search.trees import WORDS, trees

AGENT = Actor(ActorKind.AGENT, 7)
KNOWN = FIELDS.known_to(AGENT)
LASTING = st.sampled_from(
    [
        Condition("status", Operator.IS, (Value("open"), Value("closed"))),
        Condition("priority", Operator.FROM, (Value("high"),)),
        Condition("assignee", Operator.IS, (Value("me"),)),
        Condition("tag", Operator.IS, (Value("none"),)),
    ]
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Bound to nothing: these queries mention no names, so nothing is asked."""
    storage = LocalStorage(tmp_path_factory.mktemp("storage"))
    resources = Resources(SystemClock(), storage, "DB-", 1, 1)
    return Session(info={FIELDS_KEY: FIELDS, RESOURCES_KEY: resources, ACTOR_KEY: AGENT})


def sent(session: Session, query: Query, template: Template | None = None) -> tuple[bytes, dict[str, Any]]:
    """Return the text and the parameters of a query, or of its template with the words put in."""
    statement = Statement(compile_query(session, query if template is None else template.query))
    words: dict[str, Any] = {}
    if template is not None:
        pairs = zip(template.slots, template.words, strict=True)
        words = {name: word for slot, word in pairs for name in statement.names_of(slot)}
    return statement.sql, statement.by_position(words)


@given(tree=trees(WORDS | LASTING))
def test_a_template_is_the_statement_of_each_of_its_queries(session: Session, tree: Any) -> None:
    query = Query(tree)
    template = template_of(query, KNOWN)
    assert template is not None
    assert sent(session, query, template) == sent(session, query)


def test_words_do_not_make_another_template() -> None:
    one, other = (template_of(parse(text), KNOWN) for text in ("status:open card late", "status:open fee refund"))
    assert one is not None
    assert other is not None
    assert one.query == other.query
    assert (one.words, other.words) == (("card", "late"), ("fee", "refund"))
    assert not one.is_personal


@pytest.mark.parametrize(
    "text", ["created>-7d", "is:overdue", "tag:billing card", "number:5", "assignee:kim@example.org"]
)
def test_what_depends_on_the_time_or_on_names_has_no_template(text: str) -> None:
    assert template_of(parse(text), KNOWN) is None


def test_a_query_about_oneself_is_personal() -> None:
    template = template_of(parse("assignee:me status:open"), KNOWN)
    assert template is not None
    assert template.is_personal


def test_texts_with_the_same_template_have_the_same_shape_and_no_others() -> None:
    readings = Readings(FIELDS, 3)
    shapes = [readings.of(text, AGENT).shape for text in ("card", "money", "card money", "card status:open", "card*")]
    assert shapes[0] == shapes[1]
    assert len(set(shapes)) == 4
    assert readings.of("created>-7d", AGENT).shape is None
    assert readings.of("card money", AGENT).shape not in {*shapes[:2], *shapes[3:]}  # numbers go on where shapes go


def test_what_is_remembered_of_the_desk_is_not_given_to_customers() -> None:
    readings, customer = Readings(FIELDS, 3), Actor(ActorKind.CUSTOMER, 8)
    assert readings.of("team:none", AGENT).template is not None
    assert readings.of("team:none", customer).template is None
