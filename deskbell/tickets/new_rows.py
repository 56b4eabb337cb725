"""Reading new tickets that others wrote, as dicts or `NewTicket`: which row is wrong is known before any is stored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Organization, Role, Team, User
from deskbell.kernel.actor import Channel
from deskbell.kernel.arrays import in_array
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.ids import is_id
from deskbell.kernel.text import clean, one_line, title_from
from deskbell.tickets.bodies import MAXIMUM_LENGTH
from deskbell.tickets.bulk import NewTicket
from deskbell.tickets.labels import ensure_tags, tag_name
from deskbell.tickets.models import Tag, TicketPriority, TicketStatus

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

NewRow = Mapping[str, Any] | NewTicket
TITLE_LENGTH: Final = 500
_NAMES: Final = tuple(field.name for field in fields(NewTicket))
_IDS: Final = ("creator_id", "assignee_id", "organization_id", "team_id")
_TIMES: Final = ("created_at", "updated_at", "first_responded_at", "resolved_at", "due_at")
_LATER: Final = ("updated_at", "first_responded_at", "resolved_at")
_YEARS: Final = range(1900, 3000)
"""As in queries. Drivers store the ends of Python's calendar as infinite, which is no time that can be shown."""
_ENUMS: Final[Mapping[str, type[StrEnum]]] = {"status": TicketStatus, "priority": TicketPriority, "channel": Channel}
_DEFAULTS: Final[Mapping[str, object]] = {"title": "", "description": "", "creator_id": None}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows refer to, as far as it exists. Of people: whether they can be assigned, and their organization."""

    people: Mapping[int, tuple[bool, int | None]]
    organizations: frozenset[int]
    teams: frozenset[int]
    tags: frozenset[int]
    named_tags: Mapping[str, int]


def read_rows(session: Session, rows: Sequence[NewRow], channel: Channel) -> list[NewTicket]:
    """Return the tickets to be created, cleaned, with the ids of their tags; new tags are made.

    `channel` is theirs where a dict names none. A ticket without an organization gets its requester's. Raises
    InvalidError for the first row that is wrong: `row` is its place, counted from 0, `field` the column.
    """
    tickets = _each(rows, lambda row: _checked(_as_ticket(row, channel)))
    known = _known(session, tickets)
    return _each(tickets, lambda ticket: _referring(ticket, known))


def _each(rows: Iterable[T], read: Callable[[T], NewTicket]) -> list[NewTicket]:
    found = []
    for place, row in enumerate(rows):
        try:
            found.append(read(row))
        except InvalidError as error:
            raise InvalidError(f"tickets[{place}]: {error.message}", field=error.field, row=place) from error
    return found


def _as_ticket(row: NewRow, channel: Channel) -> NewTicket:
    if isinstance(row, NewTicket):
        return row
    if not isinstance(row, Mapping):
        raise InvalidError(f"A ticket is a dict or a NewTicket, not {type(row).__name__}.", field="tickets")
    for name in row:
        if name not in _NAMES:
            near = get_close_matches(str(name), _NAMES, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(_NAMES)}."
            raise InvalidError(f"There is no field {one_line(str(name), 40)}.{hint}", field=one_line(str(name), 40))
    return NewTicket(**{**_DEFAULTS, "channel": channel, **row})


def _checked(ticket: NewTicket) -> NewTicket:
    """Clean the texts and check each value by itself."""
    for name in _IDS:
        _check_id(name, getattr(ticket, name))
    if ticket.creator_id is None:
        raise InvalidError("Say who asks: creator_id is missing.", field="creator_id")
    for name in _TIMES:
        _check_time(ticket, name)
    description = _text("description", ticket.description, MAXIMUM_LENGTH).strip()
    title = one_line(_text("title", ticket.title, TITLE_LENGTH), TITLE_LENGTH)
    if not (title or description):
        raise InvalidError("It has neither a title nor a description.", field="title")
    return replace(
        ticket,
        title=title or title_from(description),
        description=description,
        tags=tuple(tag_name(name) for name in _list("tags", ticket.tags, str)),
        tag_ids=_list("tag_ids", ticket.tag_ids, int),
        **{name: _member(name, kind, getattr(ticket, name)) for name, kind in _ENUMS.items()},  # type: ignore[arg-type]  # each is what its field takes
    )


def _check_id(name: str, value: object) -> None:
    if value is not None and not is_id(value):
        raise InvalidError(f"{name} is {one_line(repr(value), 40)}, which is no id.", field=name)


def _check_time(ticket: NewTicket, name: str) -> None:
    value = getattr(ticket, name)
    if value is None:
        return
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidError(f"{name} must be a time with a time zone.", field=name)
    if value.year not in _YEARS:
        raise InvalidError(f"{name} is in {value.year}. Years go from {_YEARS[0]} to {_YEARS[-1]}.", field=name)
    if name in _LATER and ticket.created_at is not None and value < ticket.created_at:
        raise InvalidError(f"{name} is before created_at.", field=name)


def _text(name: str, value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise InvalidError(f"{name} must be a text.", field=name)
    if len(value) > longest:
        raise InvalidError(f"{name} has {len(value):,} characters, at most {longest:,} are allowed.", field=name)
    return clean(value)


def _list(name: str, value: object, kind: type[T]) -> tuple[T, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidError(f"{name} must be a list.", field=name)
    found = tuple(value)
    if found and not all(type(item) is kind for item in found):
        raise InvalidError(f"{name} must hold nothing but {kind.__name__}.", field=name)
    return found


def _member(name: str, kind: type[E], value: object) -> E:
    try:
        return kind(value if isinstance(value, str) else "")
    except ValueError:
        expected = ", ".join(member.value for member in kind)
        message = f"{name} is {one_line(repr(value), 40)}. It is one of {expected}."
        raise InvalidError(message, field=name) from None


def _known(session: Session, tickets: Sequence[NewTicket]) -> _Known:
    """Look up all that the rows refer to: at most six statements, however many rows."""
    people = {ticket.creator_id for ticket in tickets} | {t.assignee_id for t in tickets if t.assignee_id}
    statement = select(User.id, User.role, User.is_active, User.organization_id)
    found = session.execute(statement.where(in_array(User.__table__.c.id, sorted(people))))
    return _Known(
        people={number: (role is not Role.CUSTOMER and active, company) for number, role, active, company in found},
        organizations=_existing(session, Organization, {ticket.organization_id for ticket in tickets}),
        teams=_existing(session, Team, {ticket.team_id for ticket in tickets}),
        tags=_existing(session, Tag, {tag for ticket in tickets for tag in ticket.tag_ids}),
        named_tags=ensure_tags(session, [name for ticket in tickets for name in ticket.tags]),
    )


def _existing(session: Session, table: type[Any], ids: Iterable[int | None]) -> frozenset[int]:
    wanted = sorted(number for number in set(ids) if is_id(number))
    if not wanted:
        return frozenset()
    return frozenset(session.scalars(select(table.id).where(in_array(table.__table__.c.id, wanted))))


def _referring(ticket: NewTicket, known: _Known) -> NewTicket:
    """Check what the ticket refers to, and give it its organization and tags."""
    if ticket.creator_id not in known.people:
        raise InvalidError(f"There is no user {ticket.creator_id}.", field="creator_id")
    if ticket.assignee_id is not None and not known.people.get(ticket.assignee_id, (False, None))[0]:
        raise InvalidError(f"{ticket.assignee_id} is no active agent.", field="assignee_id")
    if ticket.organization_id is not None and ticket.organization_id not in known.organizations:
        raise InvalidError(f"There is no organization {ticket.organization_id}.", field="organization_id")
    if ticket.team_id is not None and ticket.team_id not in known.teams:
        raise InvalidError(f"There is no team {ticket.team_id}.", field="team_id")
    if strange := [tag for tag in ticket.tag_ids if tag not in known.tags]:
        raise InvalidError(f"There is no tag {strange[0]}.", field="tag_ids")
    organization_id = ticket.organization_id or known.people[ticket.creator_id][1]
    tag_ids = tuple(dict.fromkeys((*ticket.tag_ids, *(known.named_tags[name] for name in ticket.tags))))
    if organization_id == ticket.organization_id and tag_ids == ticket.tag_ids:
        return ticket
    return replace(ticket, organization_id=organization_id, tag_ids=tag_ids)
