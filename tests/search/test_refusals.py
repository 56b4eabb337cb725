"""Conditions that mean nothing: the error says where, what stood there, what could, and what was probably meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.kernel.actor import Actor, ActorKind
from deskbell.kernel.fields import Context, Fields
from deskbell.search.fields import condition
from deskbell.search.language import Condition, QueryError, parse
from deskbell.search.names import Names
from deskbell.search.sorting import order_of
from deskbell.wiring import FIELDS
from tests.search.desk import NOW

AGENT = Actor(ActorKind.AGENT, 1)
CUSTOMER = Actor(ActorKind.CUSTOMER, 2)


def read(text: str, who: Actor = AGENT) -> None:
    """Compile all conditions of a query, without a database."""
    query, known = parse(text), FIELDS.known_to(who)
    for leaf in query.leaves():
        if isinstance(leaf, Condition):
            condition(leaf, known, Names(), Context(who, NOW, "DB-"))
    order_of(query.sort, FIELDS.sorts)


REFUSED = [
    ("card statsu:open", 5, 11, "statsu", "status:", "There is no field statsu:. Did you mean `status:`?"),
    ("assigned:me", 0, 8, "assigned", "assignee:", "There is no field assigned:"),
    ("prio:high", 0, 4, "prio", "priority:", "There is no field prio:"),
    ("https://bank.example/x", 0, 5, "https", None, "To search for this as text, put it in quotation marks"),
    ("Re:card", 0, 2, "re", None, "There is no field re:"),
    ("qqq>3", 0, 3, "qqq", None, "There is no field qqq>"),
    ("card status:opn", 12, 15, "opn", "open", "status: cannot be “opn”"),
    ("status:open,clsed", 12, 17, "clsed", "closed", "Did you mean `closed`?"),
    ("status:waiting", 7, 14, "waiting", "waiting_on_customer", "status: cannot be “waiting”"),
    ("status>open", 6, 7, ">", "status:", "status has no order"),
    ("tag>=a", 3, 5, ">=", "tag:", "tag has no order"),
    ("is>overdue", 2, 3, ">", "is:", "is has no order"),
    ("priority>=hihg", 10, 14, "hihg", "high", "priority>= cannot be “hihg”"),
    ("priority>low,high", 13, 17, "high", None, "compares with one value"),
    ("created>soon", 8, 12, "soon", None, "It is no time"),
    ("created>todya", 8, 13, "todya", "today", "Did you mean `today`?"),
    ("created>7d", 8, 10, "7d", "-7d", "Did you mean `-7d`?"),
    ("created:2026-02-30", 8, 18, "2026-02-30", None, "2026-02 has 28 days"),
    ("created:2026-01-31..x", 8, 21, "2026-01-31..x", None, "It is no time"),
    ("created:..2026", 8, 14, "..2026", None, "It is no time"),
    ("created:2026..2025", 8, 18, "2026..2025", None, "It ends before it begins"),
    ("created>2025..2026", 8, 18, "2025..2026", None, "It is no time"),
    ("created:none", 8, 12, "none", None, "It is no time"),
    ("created:-7d", 7, 8, ":", "created>-7d", "Compare with it"),
    ("comments>three", 9, 14, "three", None, "It is no whole number"),
    ("comments>-3", 9, 11, "-3", None, "It is no whole number"),
    ("comments:٣", 9, 10, "٣", None, "It is no whole number"),
    ("comments:" + "9" * 30, 9, 39, "9" * 30, None, "It is no whole number"),
    ("comments:3..1", 9, 13, "3..1", None, "It ends before it begins"),
    ("is:overdeu", 3, 10, "overdeu", "overdue", "is: cannot be “overdeu”"),
    ("has:attachement", 4, 15, "attachement", "attachment", "has: cannot be “attachement”"),
    ("requester:none", 10, 14, "none", None, "requester: is never none"),
    ("sort:updatd", 5, 11, "updatd", "updated", "sort: cannot be “updatd”"),
    ("sort:updated-dsc", 5, 16, "updated-dsc", "updated-desc", "Did you mean `updated-desc`?"),
    ("sort:relevance,updated", 15, 22, "updated", None, "cannot be sorted by something else"),
]


@pytest.mark.parametrize(("text", "start", "end", "found", "suggestion", "said"), REFUSED, ids=[c[0] for c in REFUSED])
def test_a_condition_that_means_nothing_is_refused_at_its_place(
    text: str, start: int, end: int, found: str, suggestion: str | None, said: str
) -> None:
    with pytest.raises(QueryError) as raised:
        read(text)
    details = raised.value.details
    assert said in raised.value.message
    assert (raised.value.position, details["end"], details["found"]) == (start, end, found)
    assert details["suggestion"] == suggestion


@pytest.mark.parametrize("text", ["tag:x", "team:x", "is:deleted", "has:note", "has:tag", "has:team"])
def test_what_is_for_the_desk_does_not_exist_for_customers(text: str) -> None:
    read(text)
    with pytest.raises(QueryError) as raised:
        read(text, CUSTOMER)
    assert not {"tag", "team", "deleted", "note"} & set(raised.value.details["expected"])  # type: ignore[call-overload]


NAMES = st.sampled_from([*FIELDS.fields, "is", "has", "sort", "nothing"])
OPERATORS = st.sampled_from([":", ">", ">=", "<", "<="])
VALUES = st.text(st.characters(), max_size=12) | st.from_regex(r"[-+0-9a-zT:.,]{1,14}", fullmatch=True)


@given(NAMES, OPERATORS, VALUES, st.sampled_from([AGENT, CUSTOMER]))
def test_any_condition_means_something_or_is_refused_within_the_text(
    name: str, operator: str, value: str, who: Actor
) -> None:
    text = f"{name}{operator}{value}"
    try:
        read(text, who)
    except QueryError as error:
        refused = error
    else:
        return
    assert refused.position is not None
    assert 0 <= refused.position <= refused.details["end"] <= len(text)  # type: ignore[operator]  # an int
    f"{refused.message}{refused.details}".encode()


def test_fields_come_together_from_many_slices_but_each_from_one() -> None:
    merged = Fields.merged(FIELDS, Fields(fields={"csat": FIELDS.fields["comments"]}))
    assert "csat" in merged.known_to(CUSTOMER)
    with pytest.raises(ValueError, match="two slices declare status"):
        Fields.merged(FIELDS, Fields(fields={"status": FIELDS.fields["status"]}))
