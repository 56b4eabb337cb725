"""What an editor offers while a query is being written: fields, operators, values, flags, sorts, and names.

What begins as written comes first, then what is written much the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, true, union
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.fields import Choice, Field, Flags, Name, Sort, Time, fields_of
from deskbell.search.language.fragments import Fragment, fragment_at
from deskbell.search.language.parser import SORT
from deskbell.search.language.printing import print_value
from deskbell.search.language.tokens import MAXIMUM_LENGTH
from deskbell.search.language.tree import Operator
from deskbell.search.sorting import sort_names
from deskbell.search.values import ME, NONE

MOST: Final = 20
_ALIKE: Final = 0.6
TIMES: Final = {
    "today": "from midnight on",
    "yesterday": "the day before",
    "tomorrow": "the day after",
    "now": "this moment",
    "-24h": "24 hours ago",
    "-7d": "7 days ago",
    "-30d": "30 days ago",
    "-1y": "a year ago",
}
_MOMENTS: Final = ("now", "-", "+")


@dataclass(frozen=True, slots=True)
class Completion:
    """One offer: `insert` takes the place of the text from `start` to `end`.

    `kind` is field, operator, flag, value, time, sort, keyword, or the kind of thing that is named (person, tag, team,
    organization); `detail` says more of it, for people.
    """

    insert: str
    label: str
    kind: str
    detail: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Offer:
    label: str
    kind: str
    detail: str = ""
    insert: str = ""


def complete(session: Session, text: str, cursor: int) -> list[Completion]:
    """Return at most 20 offers for the place of the cursor, best first; at most one statement, for names alone."""
    if len(text) > MAXIMUM_LENGTH:
        return []
    fragment, fields = fragment_at(text, cursor), fields_of(session)
    known = fields.known_to(actor_of(session))
    if fragment.field is None:
        offers = [] if fragment.is_quoted else list(_terms(fragment, known))
    elif fragment.field == SORT:
        offers = _sorts(fragment, fields.sorts)
    else:
        field = known.get(fragment.field)
        offers = [] if field is None else list(_values(session, fragment, field))
    return [
        Completion(offer.insert or offer.label, offer.label, offer.kind, offer.detail, fragment.start, fragment.end)
        for offer in offers[:MOST]
    ]


def _terms(fragment: Fragment, known: Mapping[str, Field]) -> Iterator[_Offer]:
    field = known.get(fragment.text.lower())
    if field is not None and field.is_comparable:
        yield from (_Offer(f"{fragment.text.lower()}{operator}", "operator", field.help) for operator in Operator)
    names = [_Offer(f"{name}:", "field", field.help) for name, field in known.items()]
    names.append(_Offer(f"{SORT}:", "field", "how the result is sorted"))
    flags = (
        _Offer(f"{name}:{flag}", "flag", its.help)
        for name, field in known.items()
        if isinstance(field, Flags)
        for flag, its in field.flags.items()
    )
    seen = {fragment.text.lower() + ":"} if field is not None and field.is_comparable else set()
    yield from (offer for offer in _fitting(fragment.text, names) if offer.label not in seen)
    if fragment.text:
        yield from (offer for offer in flags if offer.label.partition(":")[2].startswith(fragment.text.lower()))


def _sorts(fragment: Fragment, sorts: Mapping[str, Sort]) -> list[_Offer]:
    offers = (
        _Offer(name, "sort", sorts[name.removesuffix("-asc").removesuffix("-desc")].help) for name in sort_names(sorts)
    )
    return _fitting(fragment.text, offers)


def _values(session: Session, fragment: Fragment, field: Field) -> Iterable[_Offer]:
    if fragment.operator != Operator.IS and not field.is_comparable:
        return ()
    match field:
        case Flags():
            return _fitting(fragment.text, (_Offer(name, "flag", flag.help) for name, flag in field.flags.items()))
        case Choice():
            return _fitting(fragment.text, (_Offer(value, "value") for value in field.values))
        case Time():
            return _fitting(fragment.text, _times(fragment, field))
        case Name():
            return _named(session, fragment, field)
    return ()


def _times(fragment: Fragment, field: Time) -> Iterator[_Offer]:
    """Yield times; a moment is compared with, so it is not offered after a colon."""
    is_compared = fragment.operator != Operator.IS
    for name, detail in TIMES.items():
        if is_compared or not name.startswith(_MOMENTS):
            yield _Offer(name, "time", detail)
    if field.is_nullable and not is_compared:
        yield _Offer(NONE, "keyword", "at no time")


def _named(session: Session, fragment: Fragment, field: Name) -> Iterator[_Offer]:
    keywords = [_Offer(ME, "keyword", "yourself")] if field.me else []
    keywords += [_Offer(NONE, "keyword", "nothing")] if field.lacking is not None else []
    if not fragment.is_quoted:
        yield from (offer for offer in keywords if offer.label.startswith(fragment.text.lower()))
    for name, detail in session.execute(_alike(field, fragment.text)):
        is_literal = fragment.is_quoted or name.lower() in {ME, NONE}
        yield _Offer(name, field.catalog.kind, detail, print_value(name, literal=is_literal))


def _alike(field: Name, written: str) -> Select[str, str]:
    """Return names that begin like this, or whose detail does, and then, of a few, those that are much the same."""
    catalog = field.catalog
    parts = [part for part in (catalog.name, catalog.detail) if part is not None]
    begins = [func.starts_with(func.lower(part), func.lower(written)) for part in parts]
    likeness = func.greatest(*(func.similarity(part, written) for part in parts))
    arms = [_ids(field, begin, func.lower(part)) for part, begin in zip(parts, begins, strict=True)]
    if written and (field.offered is not None or not catalog.is_large):
        arms.append(_ids(field, or_(*(part.op("%", is_comparison=True)(written) for part in parts)), likeness.desc()))
    statement = select(catalog.name, literal("") if catalog.detail is None else catalog.detail)
    fitting = statement.where(catalog.id.in_(union(*arms))).limit(MOST)
    by_name = func.lower(catalog.name)
    return fitting.order_by(or_(*begins).desc(), likeness.desc(), by_name) if written else fitting.order_by(by_name)


def _ids(field: Name, condition: ColumnElement[bool], order: ColumnElement[Any]) -> Select[int]:
    """Return the first ids for which it holds, each kind with an index of its own to walk along."""
    offered = true() if field.offered is None else field.offered
    return select(field.catalog.id).where(condition, offered).order_by(order).limit(MOST)


def _fitting(written: str, offers: Iterable[_Offer]) -> list[_Offer]:
    """Return the offers that begin as written; where there are none, those that are written much the same."""
    wanted, all_of_them = written.lower(), list(offers)
    if begun := [offer for offer in all_of_them if offer.label.startswith(wanted)]:
        return begun
    alike = {offer: SequenceMatcher(None, wanted, offer.label.rstrip(":")).ratio() for offer in all_of_them}
    return sorted((offer for offer in alike if alike[offer] >= _ALIKE), key=lambda offer: -alike[offer])
