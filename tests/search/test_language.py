"""The query language: what is read, and how it says what it could not read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.search.language import Condition, QueryError, Words, parse


def test_words_phrases_and_fields_are_told_apart() -> None:
    assert parse('status:open,closed card "not arrived" tag:"two words"') == (
        Condition("status", ("open", "closed"), 0, 7),
        Words("card", 19),
        Words("not arrived", 24, is_phrase=True),
        Condition("tag", ("two words",), 38, 42),
    )


def test_an_empty_query_has_no_terms() -> None:
    assert parse("  \t ") == ()


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ('card "not arrived', 5, "quotation mark"),
        ("card status:", 12, "status: has no value"),
        ("x " * 51, 100, "at most 50 terms"),
        ("x" * 2001, 2000, "at most 2,000 characters"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, position: int, said: str) -> None:
    with pytest.raises(QueryError, match=said) as raised:
        parse(text)
    assert raised.value.position == position


@given(st.text(max_size=2100))
def test_any_text_is_read_or_refused_with_a_position(text: str) -> None:
    positions: list[int | None]
    try:
        positions = [term.position for term in parse(text)]
    except QueryError as error:
        positions = [error.position]
    assert all(position is not None and 0 <= position <= len(text) for position in positions)
