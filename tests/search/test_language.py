"""The query language: what is read, how it is written again, and how it says what it could not read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deskbell.search.language import (
    MAXIMUM_LENGTH,
    And,
    Condition,
    Not,
    Operator,
    Or,
    Query,
    QueryError,
    Span,
    Value,
    Words,
    parse,
    print_query,
)
from tests.search.trees import QUERIES


def values(*texts: str) -> tuple[Value, ...]:
    return tuple(Value(text) for text in texts)


def test_words_phrases_and_fields_are_told_apart() -> None:
    assert parse('Status:open,closed card "not arrived" tag:"two words"').tree == And(
        (
            Condition("status", Operator.IS, values("open", "closed")),
            Words("card"),
            Words("not arrived", is_quoted=True),
            Condition("tag", Operator.IS, (Value("two words", is_quoted=True),)),
        )
    )


def test_each_part_knows_where_it_stood() -> None:
    tree = parse('card -status:open,"closed"').tree
    assert isinstance(tree, And)
    negated = tree.items[1]
    assert isinstance(negated, Not)
    term = negated.item
    assert isinstance(term, Condition)
    assert [tree.span, negated.span, term.span] == [Span(0, 26), Span(5, 26), Span(6, 26)]
    assert [term.name_span, term.operator_span, term.values_span] == [Span(6, 12), Span(12, 13), Span(13, 26)]
    assert [value.span for value in term.values] == [Span(13, 17), Span(18, 26)]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a OR b c", Or((Words("a"), And((Words("b"), Words("c")))))),
        ("(a OR b) c", And((Or((Words("a"), Words("b"))), Words("c")))),
        ("a AND b", And((Words("a"), Words("b")))),
        ("a and b or c", And((Words("a"), Words("and"), Words("b"), Words("or"), Words("c")))),
        ("NOT a -b --c", And((Not(Words("a")), Not(Words("b")), Not(Not(Words("c")))))),
        ("-(a b)", Not(And((Words("a"), Words("b"))))),
        (
            'refun* "card arriv"*',
            And((Words("refun", is_prefix=True), Words("card arriv", is_prefix=True, is_quoted=True))),
        ),
        ("refun*** OR*", And((Words("refun", is_prefix=True), Words("OR", is_prefix=True)))),
        ("e-mail 12:30 <b> a->b", And((Words("e-mail"), Words("12:30"), Words("<b>"), Words("a->b")))),
        ('"status:open" "OR"', And((Words("status:open", is_quoted=True), Words("OR", is_quoted=True)))),
        (r'"say \"hi\" in C:\temp\\"', Words('say "hi" in C:\\temp\\', is_quoted=True)),
        ("created>=-7d", Condition("created", Operator.FROM, values("-7d"))),
        ("comments<3", Condition("comments", Operator.BELOW, values("3"))),
    ],
)
def test_a_query_is_read_as(text: str, tree: object) -> None:
    assert parse(text) == Query(tree)  # type: ignore[arg-type]  # a Node, each


def test_a_query_without_terms_is_everything() -> None:
    assert parse("  \t\r\n ") == Query()


@pytest.mark.parametrize("text", ["sort:updated-desc,priority a OR b", "a sort:updated-desc,priority OR b"])
def test_sort_may_stand_anywhere_and_belongs_to_the_whole_query(text: str) -> None:
    assert parse(text) == Query(Or((Words("a"), Words("b"))), values("updated-desc", "priority"))
    assert parse("sort:created") == Query(None, values("created"))


REFUSED = [
    ('card "not arrived', 5, "quotation mark is not closed", "the end"),
    ('card "C:\\"', 5, "quotation mark is not closed", "the end"),
    ("card status:", 12, "status: has no value", "the end"),
    ("card status: open", 12, "status: has no value", "a space"),
    ("status:,open", 7, "status: has no value", ","),
    ("status:open, closed", 12, "After the comma a value of status: is missing", "a space"),
    ('tag:""', 4, "tag: has no value", '"'),
    ("tag:(a OR b)", 4, "a value, not a bracket", "("),
    ('tag:a"b"', 5, "Write a space before", '"'),
    ('""', 0, "nothing to search for", '""'),
    ("card *", 5, "nothing to search for", "*"),
    ("card (twice", 5, "This ( is not closed", "the end"),
    ("(a (b)", 0, "This ( is not closed", "the end"),
    ("card (", 5, "This ( is not closed", "the end"),
    ("card) twice", 4, "closes no bracket", ")"),
    ("a ()", 3, "stands nothing", ")"),
    ("OR card", 0, "OR stands between two terms", "OR"),
    ("card OR", 7, "After OR a term is missing", "the end"),
    ("card AND OR bill", 9, "OR stands between two terms", "OR"),
    ("card -", 5, "- excludes the term that follows", "-"),
    ("card - bill", 5, "- excludes the term that follows", "-"),
    ("card NOT", 5, "NOT excludes the term that follows", "NOT"),
    ("-sort:updated", 1, "sort: says how the whole query", "sort:updated"),
    ("(card sort:updated)", 6, "sort: says how the whole query", "sort:updated"),
    ("sort:updated sort:created", 13, "sorted once", "sort:created"),
    ("sort>updated", 4, "After sort comes a colon", ">"),
    ("card \0", 5, "no text", "U+0000"),
    ("card \ud83d", 5, "no text", "U+D83D"),
    ("x " * 51, 100, "at most 50 terms", "x"),
    ("tag:" + "x," * 50 + "x", 0, "at most 50 terms", "tag:x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x…"),
    ("x" * 100_000, 2000, "at most 2,000 characters", ""),
    ("(" * 21 + "x" + ")" * 21, 20, "20 deep", "("),
    ("-" * 2000, 20, "20 deep", "-"),
    ('"' + "\\" * 1999, 0, "quotation mark is not closed", "the end"),
]


@pytest.mark.parametrize(("text", "position", "said", "found"), REFUSED, ids=[repr(case[0][:20]) for case in REFUSED])
def test_what_cannot_be_read_says_where_and_why(text: str, position: int, said: str, found: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(text)
    assert said in raised.value.message
    assert (raised.value.position, raised.value.details["found"]) == (position, found)


def test_a_value_after_a_space_is_suggested_without_it() -> None:
    with pytest.raises(QueryError) as raised:
        parse("status: open")
    assert raised.value.details["suggestion"] == "status:open"
    assert raised.value.details["expected"] == ["a value"]


ANY_TEXT = st.text(st.characters(), max_size=60)
"""Every character that Python has: NUL, lone halves of surrogate pairs, and those that turn the writing round."""

PIECES = st.lists(
    st.sampled_from(
        [
            *'()-*",: \\\0\ud800',
            "OR",
            "AND",
            "NOT",
            "status:",
            "sort:",
            "created>=",
            "a",
            "card",
            "-7d",
            "é",
            "\u202e",
            "\x1f",
        ]
    ),
    max_size=30,
).map("".join)
"""What the language is made of, in any order."""


@given(ANY_TEXT | PIECES)
@example("x" * (MAXIMUM_LENGTH + 1))
@example('"' + "\\" * 1998 + '"')
def test_any_text_is_read_and_written_again_or_refused_with_a_position(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        refused = error
    else:
        assert parse(print_query(query)) == query
        return
    assert refused.position is not None
    assert 0 <= refused.position <= refused.details["end"] <= len(text)  # type: ignore[operator]  # an int
    f"{refused.message}{refused.details}".encode()  # fit to be sent


@given(QUERIES)
def test_what_is_printed_reads_as_the_same_tree(query: Query) -> None:
    assert parse(print_query(query)) == query


@given(QUERIES)
def test_printing_what_was_printed_changes_nothing(query: Query) -> None:
    printed = print_query(query)
    assert print_query(parse(printed)) == printed
