"""A query as a statement over tickets.

`prepare` reads it, looks up its names and compiles it; `compile_query` gives the statement, to be limited and sorted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Select, UnaryExpression, and_, not_, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import Grouping

from deskbell.kernel.database import actor_of
from deskbell.kernel.fields import Context, Expression, Field, Flag, Flags, Join, fields_of
from deskbell.kernel.paging import SortKey
from deskbell.kernel.resources import resources_of
from deskbell.search.fields import Known, condition, flags_of, known_field
from deskbell.search.language import And, Condition, Node, Not, Or, Query, Words, parse
from deskbell.search.names import Hint, Names, mentioned, resolve, slips
from deskbell.search.sorting import Order, order_of
from deskbell.search.words import Tsquery, is_text, matches, positive_words, tsquery
from deskbell.tickets.fields import DOCUMENT
from deskbell.tickets.models import Ticket

S = TypeVar("S", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A query that was understood, and what it says of tickets. `order` is None where the query says none.

    `text` is what it says of their words, apart from the other conditions: to be looked for among the newest first.
    `tsquery` is the same for the index of words.
    `hints` tell what is no mistake, but was hardly meant: names that nothing bears.
    """

    query: Query
    context: Context
    names: Names
    order: Order | None
    joins: tuple[Join, ...]
    conditions: tuple[Expression, ...]
    text: Expression | None = None
    tsquery: Tsquery | None = None
    hints: tuple[Hint, ...] = ()

    @property
    def keys(self) -> tuple[SortKey, ...]:
        """What to sort by, ending in a unique key; empty where the query leaves it open, or says by relevance."""
        return self.order.keys if self.order else ()

    @property
    def words(self) -> Tsquery | None:
        """Any of the words that a ticket is to have: to rank what was found, and to mark them in it."""
        return positive_words(self.query.tree)

    def narrow(self, statement: S) -> S:
        """Keep, of a statement over tickets, those that fit; each stays one row."""
        return self.narrow_by_text(self.narrow_but_for_text(statement))

    def narrow_but_for_text(self, statement: S) -> S:
        """Keep those that fit apart from their words."""
        for join in self.joins:
            statement = statement.join(join.target, join.on)
        return statement.where(*self.conditions)

    def narrow_by_text(self, statement: S) -> S:
        """Keep, of these, those whose words fit."""
        if self.text is None:
            return statement
        if DOCUMENT not in self.joins:
            statement = statement.join(DOCUMENT.target, DOCUMENT.on)
        return statement.where(self.text)


def prepare(session: Session, query: str | Query, *, names: Names | None = None) -> Prepared:
    """Read a query as the session's actor. Sends one statement if it has names, else none. Raises QueryError.

    Deleted tickets are left out, unless the query says `is:deleted` somewhere, and so decides about them itself.
    `names` are those of several queries, where they were looked up together.
    """
    read = parse(query) if isinstance(query, str) else query
    actor, resources, fields = actor_of(session), resources_of(session), fields_of(session)
    context, known = Context(actor, resources.clock.now(), resources.ticket_prefix), fields.known_to(actor)
    order = order_of(read.sort, fields.sorts)
    names = resolve(session, mentioned(read, known)) if names is None else names
    compiler, (texts, others) = _Compiler(known, names, context), _parted(read.tree)
    conditions = [compiler.expression(node) for node in others]
    parts = list(_parts(read, known))
    if not any(isinstance(part, Flag) and part.is_about_deleted for part in parts):
        conditions.insert(0, Ticket.deleted_at.is_(None))
    hints = (*names.hints, *slips(read, known))
    words = None if texts is None else tsquery(texts)
    text = None if words is None else matches(words, actor)
    joins = _joins(parts, has_words=any(map(_has_words, others)))
    return Prepared(read, context, names, order, joins, tuple(conditions), text, words, hints)


def compile_query(session: Session, query: str | Query | Prepared) -> Select[Ticket]:
    """Return the tickets that fit a query, each once, in no order. Raises QueryError."""
    prepared = query if isinstance(query, Prepared) else prepare(session, query)
    return prepared.narrow(select(Ticket))


@dataclass(frozen=True, slots=True)
class _Compiler:
    known: Known
    names: Names
    context: Context

    def expression(self, node: Node, *, in_or: bool = False) -> Expression:
        if is_text(node):
            return matches(tsquery(node), self.context.actor, or_nothing=in_or)
        match node:
            case Condition():
                return condition(node, self.known, self.names, self.context)
            case Not():
                return self._negated(node.item)
            case And():
                return and_(*(self.expression(item) for item in _with_texts_joined(node.items, And)))
            case Or():
                return or_(*(self.expression(item, in_or=True) for item in _with_texts_joined(node.items, Or)))
        raise TypeError("words are text")

    def _negated(self, node: Node) -> Expression:
        """What is NULL does not hold, so its negation does: a ticket of nobody is not one of Kim's."""
        inner = self.expression(node)
        fields = (known_field(term, self.known) for term in _conditions(node))
        return inner.is_not(true()) if any(field.is_nullable for field in fields) else _opposite(inner)


def _opposite(condition: Expression) -> Expression:
    """Take back a NOT instead of adding another: PostgreSQL makes a join of EXISTS, but not of NOT (NOT EXISTS)."""
    while isinstance(condition, Grouping):
        condition = cast("Expression", condition.element)
    if isinstance(condition, UnaryExpression) and condition.operator is operators.inv:
        return cast("Expression", condition.element)
    return not_(condition)


def _with_texts_joined(items: tuple[Node, ...], kind: type[And | Or]) -> Iterator[Node]:
    """Put all that is text into one item, for one `tsquery`."""
    texts = tuple(item for item in items if is_text(item))
    yield from (item for item in items if not is_text(item))
    if texts:
        yield texts[0] if len(texts) == 1 else kind(texts)


def _conditions(node: Node) -> Iterator[Condition]:
    return (leaf for leaf in Query(node).leaves() if isinstance(leaf, Condition))


def _parts(query: Query, known: Known) -> Iterator[Field | Flag]:
    """Yield the fields of the query, and of `is:` and `has:` the flags that are asked for."""
    for leaf in query.leaves():
        if isinstance(leaf, Condition):
            field = known_field(leaf, known)
            yield from flags_of(leaf, field) if isinstance(field, Flags) else (field,)


def _parted(tree: Node | None) -> tuple[Node | None, tuple[Node, ...]]:
    """Part what must hold into that which is text alone, if any, and the rest."""
    items = tuple(_with_texts_joined(tree.items, And)) if isinstance(tree, And) else () if tree is None else (tree,)
    texts = [item for item in items if is_text(item)]
    return (texts[0] if texts else None), tuple(item for item in items if not is_text(item))


def _has_words(node: Node) -> bool:
    return any(isinstance(leaf, Words) for leaf in Query(node).leaves())


def _joins(parts: list[Field | Flag], *, has_words: bool) -> tuple[Join, ...]:
    """Return what the parts are kept in, each once; words are found in the document."""
    joins = [part.join for part in parts if part.join]
    return tuple(dict.fromkeys([*joins, DOCUMENT] if has_words else joins))
