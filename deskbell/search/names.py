"""Names that a query mentions become ids before it is compiled: one statement for all of them, if there are any.

With a constant id PostgreSQL knows from its statistics how common a tag or an agent is, and picks the plan that fits.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Select, TableValuedAlias, Text, func, literal, select, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from deskbell.kernel.fields import Catalog, Field, Name
from deskbell.search.language.errors import did_you_mean, shown
from deskbell.search.language.printing import print_value
from deskbell.search.language.tree import Condition, Query, Span, Value, Words
from deskbell.search.values import is_keyword

_NEIGHBOURS = 25
"""In alphabetical order. Addresses are alike in all but a few letters: by likeness alone, all would be compared."""
_UNKNOWN: Final = {
    "person": "There is no person “{}”.",
    "organization": "There is no organization “{}”.",
    "team": "There is no team “{}”.",
    "tag": "There is no tag “{}”.",
}
"""Whole sentences: other languages bend what stands around the kind."""
_EQUALS = re.compile(r"([A-Za-z]+)=([^\s,]+)")


@dataclass(frozen=True, slots=True)
class Hint:
    """Something in a query that is no mistake, but finds nothing: where, what, and what was probably meant."""

    message: str
    span: Span
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in a query stand for; what is not known matches nothing and has a hint."""

    known: Mapping[tuple[str, str], int] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()

    def ids(self, catalog: Catalog, value: Value) -> list[int]:
        """Return the id of what is called so, if anything is."""
        found = self.known.get((catalog.kind, value.text.strip()))
        return [] if found is None else [found]


Mention = tuple[Name, Value]
"""A field, and a value of it that is a name."""


def resolve(session: Session, mentions: Iterable[Mention]) -> Names:
    """Look up the names among what the actor may see."""
    asked = list(mentions)
    wanted: dict[str, tuple[Catalog, set[str]]] = {}
    for name, value in asked:
        wanted.setdefault(name.catalog.kind, (name.catalog, set()))[1].add(value.text.strip())
    if not wanted:
        return Names()
    statements = [_lookup(catalog, sorted(texts)) for catalog, texts in wanted.values()]
    rows = session.execute(union_all(*statements) if len(statements) > 1 else statements[0]).all()
    known = {(row.kind, row.wanted): row.id for row in rows if row.id is not None}
    near = {(row.kind, row.wanted): row.near for row in rows if row.id is None}
    unknown = ((name, value, (name.catalog.kind, value.text.strip())) for name, value in asked)
    return Names(known, tuple(_hint(name, value, near[key]) for name, value, key in unknown if key in near))


def mentioned(query: Query, known: Mapping[str, Field]) -> Iterator[Mention]:
    """Yield each name in the query; `me` and `none` are none."""
    for leaf in query.leaves():
        if isinstance(leaf, Condition) and isinstance(its := known.get(leaf.field), Name):
            yield from ((its, value) for value in leaf.values if not is_keyword(value, its))


def slips(query: Query, known: Mapping[str, Field]) -> Iterator[Hint]:
    """Yield a hint for each word like `status=open`, which is lawful but hardly meant as text."""
    for leaf in query.leaves():
        written = _EQUALS.fullmatch(leaf.text) if isinstance(leaf, Words) else None
        if written and written[1].lower() in known and leaf.span.end - leaf.span.start == len(written[0]):
            suggestion = f"{written[1].lower()}:{written[2]}"
            message = f"{shown(written[0])} is searched for as text.{did_you_mean(shown(suggestion))}"
            yield Hint(message, leaf.span, suggestion)


def _lookup(catalog: Catalog, texts: list[str]) -> Select[Any]:
    """Return each text with the id of what has it as its name, else with the name that is most like it."""
    wanted = func.unnest(literal(texts, ARRAY(Text))).table_valued("name").render_derived()
    found = select(catalog.id.label("id")).where(func.lower(catalog.name) == func.lower(wanted.c.name)).lateral()
    near = _nearest(catalog, wanted, found)
    kind = literal(catalog.kind, Text).label("kind")
    columns = select(kind, wanted.c.name.label("wanted"), found.c.id, near.c.name.label("near"))
    return columns.select_from(wanted.outerjoin(found, true()).outerjoin(near, true()))


def _nearest(catalog: Catalog, wanted: TableValuedAlias, found: LateralFromClause) -> LateralFromClause:
    """Select the name that is most alike; where there are very many, of the next ones before and after it."""
    name, text = catalog.name, wanted.c.name
    if catalog.is_large:
        place, names = func.lower(name), select(name.label("name")).where(found.c.id.is_(None)).correlate(wanted, found)
        after = names.where(place >= func.lower(text)).order_by(place)
        before = names.where(place < func.lower(text)).order_by(place.desc())
        name = union_all(after.limit(_NEIGHBOURS), before.limit(_NEIGHBOURS)).subquery().c.name
    alike = select(name.label("name")).where(found.c.id.is_(None), name.op("%", is_comparison=True)(text))
    return alike.order_by(func.similarity(name, text).desc(), name).limit(1).lateral()


def _hint(name: Name, value: Value, near: str | None) -> Hint:
    suggestion = print_value(near) if near else None
    message = f"{_UNKNOWN[name.catalog.kind].format(shown(value.text))}{did_you_mean(suggestion)}"
    return Hint(message, value.span, suggestion)
