"""From tokens to the tree, by recursive descent.

    query := or    or := and ("OR" and)*    and := term (["AND"] term)*
    term  := ("-" | "NOT") term | "(" or ")" | words | condition

`sort:` is a condition that may stand anywhere outside brackets, once, and belongs to the whole query.
"""

from deskbell.search.language.errors import QueryError, shown
from deskbell.search.language.tokens import A_TERM, Kind, Token, tokens
from deskbell.search.language.tree import And, Condition, Node, Not, Operator, Or, Query, Span, Value

MAXIMUM_NESTING = 20
"""Brackets and negations within each other."""

SORT = "sort"


def parse(text: str) -> Query:
    """Read a query; without any term it is everything. Raises QueryError with the place and what is wrong there."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._index = 0
        self._sort: tuple[Value, ...] = ()

    def query(self) -> Query:
        tree = None if self._only_sorts() else self._either(0)
        self._take_sorts(0)
        if self._next.kind is not Kind.END:
            raise self._unexpected()
        return Query(tree, self._sort)

    def _only_sorts(self) -> bool:
        self._take_sorts(0)
        return self._next.kind is Kind.END

    def _either(self, depth: int) -> Node:
        items = [self._all(depth)]
        while self._next.kind is Kind.OR:
            self._index += 1
            items.append(self._all(depth))
        return items[0] if len(items) == 1 else Or(tuple(items), _around(items))

    def _all(self, depth: int) -> Node:
        self._take_sorts(depth)
        items = [self._term(depth)]
        while True:
            self._take_sorts(depth)
            if self._next.kind is Kind.AND:
                self._index += 1
                if self._take_sorts(depth):
                    continue
            elif self._next.kind in {Kind.OR, Kind.CLOSE, Kind.END}:
                break
            items.append(self._term(depth))
        return items[0] if len(items) == 1 else And(tuple(items), _around(items))

    def _term(self, depth: int) -> Node:
        token = self._next
        if token.leaf is not None:
            self._index += 1
            return self._leaf(token)
        if token.kind not in {Kind.MINUS, Kind.NOT, Kind.OPEN}:
            raise self._unexpected()
        if depth == MAXIMUM_NESTING:
            message = f"Brackets and negations can stand within each other {MAXIMUM_NESTING} deep, and not deeper."
            raise QueryError(message, span=token.span, found=self._said(token))
        self._index += 1
        return self._group(token, depth) if token.kind is Kind.OPEN else self._negated(token, depth)

    def _leaf(self, token: Token) -> Node:
        leaf = token.leaf
        if leaf is None or (isinstance(leaf, Condition) and leaf.field == SORT):
            message = "sort: says how the whole query is sorted, so it stands outside brackets and is not negated."
            raise QueryError(message, span=token.span, found=self._said(token), expected=A_TERM)
        return leaf

    def _group(self, opened: Token, depth: int) -> Node:
        if self._next.kind is Kind.END:
            raise self._unclosed(opened)
        item = self._either(depth + 1)
        closing = self._next
        if closing.kind is not Kind.CLOSE:
            raise self._unclosed(opened)
        self._index += 1
        return item

    def _negated(self, mark: Token, depth: int) -> Node:
        following = self._next
        is_apart = mark.kind is Kind.MINUS and following.span.start > mark.span.end
        if is_apart or following.kind in {Kind.END, Kind.CLOSE, Kind.OR, Kind.AND}:
            sign = mark.kind.value
            message = (
                f"{sign} excludes the term that follows it{' without a space' if sign == '-' else ''}, and none does. "
                f'To search for it as text, write "{sign}".'
            )
            raise QueryError(message, span=mark.span, found=sign, expected=A_TERM, suggestion=f'"{sign}"')
        item = self._term(depth + 1)
        return Not(item, Span(mark.span.start, item.span.end))

    def _take_sorts(self, depth: int) -> bool:
        """Read `sort:`, where the query as a whole is being read; return whether there was any."""
        taken = False
        while depth == 0 and isinstance(leaf := self._next.leaf, Condition) and leaf.field == SORT:
            self._take_sort(leaf)
            taken = True
        return taken

    def _take_sort(self, leaf: Condition) -> None:
        if self._sort:
            message = "A query is sorted once. To sort by several things, write them in a row: sort:priority,updated."
            raise QueryError(message, span=leaf.span, found=self._said(self._next))
        if leaf.operator is not Operator.IS:
            message = f"After sort comes a colon, not {leaf.operator}."
            raise QueryError(message, span=leaf.operator_span, found=leaf.operator, expected=(":",), suggestion=":")
        self._sort = leaf.values
        self._index += 1

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _said(self, token: Token) -> str:
        return self._text[token.span.start : token.span.end]

    def _unclosed(self, opened: Token) -> QueryError:
        return QueryError("This ( is not closed by a ).", span=opened.span, found="the end", expected=(")",))

    def _unexpected(self) -> QueryError:
        """Say what is wrong with a token that no term begins with."""
        token = self._next
        if token.kind is Kind.CLOSE:
            empty = self._index > 0 and self._tokens[self._index - 1].kind is Kind.OPEN
            message = "Between these brackets stands nothing." if empty else "This ) closes no bracket."
        elif token.kind is Kind.END:
            message = f"After {shown(self._said(self._tokens[self._index - 1]))} a term is missing."
        else:
            message = (
                f"{token.kind} stands between two terms. To search for the word, write "
                f'"{token.kind}", or in small letters.'
            )
        found = self._said(token) or "the end"
        return QueryError(message, span=token.span, found=found, expected=A_TERM)


def _around(items: list[Node]) -> Span:
    return Span(items[0].span.start, items[-1].span.end)
