"""Random trees of the query language, for Hypothesis: all that the parser can return, and nothing else."""

from hypothesis import strategies as st

from deskbell.search.language import And, Condition, Node, Not, Operator, Or, Query, Value, Words

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)
TRICKY = st.sampled_from(
    [
        *("a", "-a", "a*", "OR", "and", "AND", "NOT", '"', "\\", '\\"', "a\\", "(", ")", "a b", "status:open", "x>1"),
        *"-*:,",
    ]
)
WORDS = st.builds(Words, TEXT | TRICKY, st.booleans(), st.just(True)) | st.builds(
    Words, st.from_regex(r"[a-z%_é.][a-z0-9%_é.-]{0,8}", fullmatch=True), st.booleans()
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "sort")
PLAIN = st.from_regex(r'[^\s"(),=\0\ud800-\udfff][^\s"(),\0\ud800-\udfff]{0,7}', fullmatch=True)
"""Not beginning with `=`, which would belong to the operator."""
VALUES = st.builds(Value, PLAIN, st.just(False)) | st.builds(Value, TEXT | TRICKY, st.just(True))
CONDITIONS = st.builds(Condition, NAMES, st.sampled_from(Operator), st.lists(VALUES, min_size=1, max_size=3).map(tuple))


def trees(leaves: st.SearchStrategy[Node], most: int = 12) -> st.SearchStrategy[Node]:
    """Return trees of these leaves."""
    return st.recursive(
        leaves,
        lambda inner: st.builds(Not, inner) | st.builds(And, _several(inner)) | st.builds(Or, _several(inner)),
        max_leaves=most,
    )


def _several(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.lists(inner, min_size=2, max_size=3).map(tuple)


QUERIES = st.builds(
    Query, st.none() | trees(WORDS | CONDITIONS), st.just(()) | st.lists(VALUES, min_size=1, max_size=2).map(tuple)
)
