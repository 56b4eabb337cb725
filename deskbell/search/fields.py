"""What each field of the query language means as SQL. A slice registers its own fields in `wiring.py`, not here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, false, func, or_, select

from deskbell.accounts.models import Organization, Team, User
from deskbell.kernel.actor import Actor
from deskbell.search.language import Condition, QueryError
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus, TicketTag
from deskbell.tickets.queries import tagged

Compile = Callable[[str, Actor], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: how a value becomes an expression, and what it may say, where that can be listed."""

    compile: Compile
    help: str
    values: tuple[str, ...] = ()
    staff_only: bool = False


def _enumerated(column: ColumnElement[object], kind: type[StrEnum], text: str) -> Field:
    return Field(lambda value, _: column == kind(value), text, tuple(member.value for member in kind))


def _person(column: ColumnElement[int | None], value: str, actor: Actor) -> ColumnElement[bool]:
    if value.lower() == "me":
        return column == actor.user_id if actor.user_id is not None else false()
    if value.lower() == "none":
        return column.is_(None)
    return column.in_(select(User.id).where(func.lower(User.email) == func.lower(value)))


def _tag(value: str, _actor: Actor) -> ColumnElement[bool]:
    if value.lower() == "none":
        return ~exists().where(TicketTag.ticket_id == Ticket.id)
    return exists(tagged(value).where(TicketTag.ticket_id == Ticket.id))


def _named(column: ColumnElement[int | None], table: type[Organization | Team], value: str) -> ColumnElement[bool]:
    if value.lower() == "none":
        return column.is_(None)
    return column.in_(select(table.id).where(func.lower(table.name) == func.lower(value)))


FIELDS: Mapping[str, Field] = {
    "status": _enumerated(Ticket.__table__.c.status, TicketStatus, "where the ticket stands"),
    "priority": _enumerated(Ticket.__table__.c.priority, TicketPriority, "how urgent it is"),
    "tag": Field(_tag, "a tag it bears, or none", staff_only=True),
    "assignee": Field(
        lambda value, actor: _person(Ticket.__table__.c.assignee_id, value, actor), "me, none, or an e-mail address"
    ),
    "requester": Field(
        lambda value, actor: _person(Ticket.__table__.c.creator_id, value, actor), "me, or an e-mail address"
    ),
    "organization": Field(
        lambda value, _: _named(Ticket.__table__.c.organization_id, Organization, value),
        "the requester's organization, or none",
    ),
    "team": Field(
        lambda value, _: _named(Ticket.__table__.c.team_id, Team, value),
        "the team it was given to, or none",
        staff_only=True,
    ),
    "number": Field(lambda value, _: Ticket.ticket_number == value.upper(), "its number, like DB-1042"),
}


def condition(term: Condition, actor: Actor) -> ColumnElement[bool]:
    """Compile `field:value`. Raises QueryError for what does not exist, with the nearest that does."""
    known = {name: field for name, field in FIELDS.items() if actor.is_staff or not field.staff_only}
    if term.field not in known:
        message = f"There is no field {term.field}:.{_did_you_mean(term.field, known, ':')} Fields are {_list(known)}."
        raise QueryError(message, field="q", position=term.position, found=term.field, expected=sorted(known))
    return or_(*(_value(term, known[term.field], value, actor) for value in term.values))


def _value(term: Condition, field: Field, value: str, actor: Actor) -> ColumnElement[bool]:
    if field.values and value.lower() not in field.values:
        hint = _did_you_mean(value.lower(), field.values)
        message = f"{term.field}: cannot be “{value}”.{hint} It is one of {_list(field.values)}."
        raise QueryError(message, field="q", position=term.value_position, found=value, expected=list(field.values))
    return field.compile(value.lower() if field.values else value, actor)


def _did_you_mean(found: str, known: Mapping[str, object] | tuple[str, ...], suffix: str = "") -> str:
    near = get_close_matches(found, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]}{suffix}?" if near else ""


def _list(names: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(names)
