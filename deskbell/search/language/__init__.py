"""The query language, without a database: text becomes a tree, a tree becomes text, mistakes become exact errors.

`docs/reference/query-language.md` says what can be written. What the fields are and mean is declared by the slices, see
`deskbell.kernel.fields`.
"""

from deskbell.search.language.errors import QueryError
from deskbell.search.language.parser import MAXIMUM_NESTING, parse
from deskbell.search.language.printing import print_query
from deskbell.search.language.tokens import MAXIMUM_LENGTH, MAXIMUM_TERMS
from deskbell.search.language.tree import And, Condition, Node, Not, Operator, Or, Query, Span, Value, Words

__all__ = [
    "MAXIMUM_LENGTH",
    "MAXIMUM_NESTING",
    "MAXIMUM_TERMS",
    "And",
    "Condition",
    "Node",
    "Not",
    "Operator",
    "Or",
    "Query",
    "QueryError",
    "Span",
    "Value",
    "Words",
    "parse",
    "print_query",
]
