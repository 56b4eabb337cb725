"""Filters of tickets, each from a statement to a narrower one: `with_status(created_from(tickets(), monday), [...])`.

Values are whatever a program passes; those of the query language are in the search slice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from sqlalchemy import Select, Text, any_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from deskbell.kernel.actor import Actor
from deskbell.kernel.arrays import in_array
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.ids import checked_id
from deskbell.kernel.text import one_line
from deskbell.tickets.labels import tag_name
from deskbell.tickets.models import Tag, Ticket, TicketPriority, TicketStatus, TicketTag
from deskbell.tickets.queries import tagged
from deskbell.tickets.rules import priority_named, status_named

TagMatch = Literal["any", "all"]
MOST_TAGS: Final = 20


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What somebody narrows a search by; None and an empty list ask for nothing.

    `tag_match` says whether a ticket must bear all of the `tags`, or any of them. `assignee_id` 0 is nobody's.
    """

    status_list: Sequence[TicketStatus | str] | None = None
    priority: TicketPriority | str | None = None
    assignee_id: int | None = None
    created_after: datetime | None = None
    tags: Sequence[str] | None = None
    tag_match: TagMatch = "all"


def filtered(statement: Select[Ticket], wanted: TicketFilter, actor: Actor) -> Select[Ticket]:
    """Keep the tickets that fit. Raises InvalidError that names the field, ForbiddenError for a customer's tags."""
    if wanted.status_list:
        statuses = [status_named(name, field="status_list") for name in _several(wanted.status_list, "status_list")]
        statement = with_status(statement, statuses)
    if wanted.priority is not None:
        statement = statement.where(Ticket.priority == priority_named(wanted.priority))
    if wanted.assignee_id is not None:
        statement = assigned_to(statement, wanted.assignee_id)
    if wanted.created_after is not None:
        statement = created_after(statement, in_utc(wanted.created_after, "created_after"))
    if wanted.tags:
        if not actor.is_staff:
            raise ForbiddenError("Only the desk can search by tags.")
        statement = with_tags(statement, _several(wanted.tags, "tags"), wanted.tag_match)
    return statement


def with_status(statement: Select[Ticket], statuses: Sequence[TicketStatus]) -> Select[Ticket]:
    """Keep what stands at one of these."""
    if len(statuses) == 1:
        return statement.where(Ticket.status == statuses[0])
    return statement.where(in_array(Ticket.__table__.c.status, statuses))


def assigned_to(statement: Select[Ticket], assignee_id: int) -> Select[Ticket]:
    """Keep what somebody has been given; with 0, what nobody has."""
    if assignee_id == 0:
        return statement.where(Ticket.assignee_id.is_(None))
    return statement.where(Ticket.assignee_id == checked_id(assignee_id, "assignee_id"))


def created_after(statement: Select[Ticket], moment: datetime) -> Select[Ticket]:
    """Keep what was created later than the aware time."""
    return statement.where(Ticket.created_at > moment)


def created_from(statement: Select[Ticket], moment: datetime) -> Select[Ticket]:
    """Keep what was created at the aware time or later."""
    return statement.where(Ticket.created_at >= moment)


def created_before(statement: Select[Ticket], moment: datetime) -> Select[Ticket]:
    """Keep what was created earlier than the aware time."""
    return statement.where(Ticket.created_at < moment)


def with_tags(statement: Select[Ticket], names: Sequence[str], match: TagMatch = "all") -> Select[Ticket]:
    """Keep what bears all of the tags, or any of them, each once: by EXISTS, as a join would multiply the tickets."""
    if match not in {"any", "all"}:
        raise InvalidError(f"tag_match cannot be {one_line(repr(match), 40)}: it is any or all.", field="tag_match")
    if len(names) > MOST_TAGS:
        raise InvalidError(f"{len(names)} tags are too many: name {MOST_TAGS} at most.", field="tags")
    wanted = [_tag_name(name) for name in names]
    if match == "all":
        return statement.where(*(exists(tagged(name).where(TicketTag.ticket_id == Ticket.id)) for name in wanted))
    return statement.where(exists(_tagged_with_any(wanted).where(TicketTag.ticket_id == Ticket.id)))


def _tagged_with_any(names: Iterable[str]) -> Select[int]:
    """PostgreSQL lowers both sides: Python differs for some letters."""
    name = func.unnest(literal(list(names), ARRAY(Text))).column_valued("name")
    lowered = select(func.lower(name)).scalar_subquery()
    statement = select(TicketTag.ticket_id).join(Tag, Tag.id == TicketTag.tag_id)
    return statement.where(func.lower(Tag.name) == any_(lowered))


def _tag_name(name: str) -> str:
    try:
        return tag_name(name)
    except InvalidError as error:
        raise InvalidError(error.message, field="tags") from error


def _several(values: Sequence[str], field: str) -> Sequence[str]:
    if isinstance(values, str):
        raise InvalidError(f"{field} is a list: [{one_line(repr(values), 40)}].", field=field)
    return values


def in_utc(moment: datetime, field: str, *, wanted: str = "an aware time") -> datetime:
    """Return an aware time in UTC. Raises InvalidError that names the field and says what is `wanted` instead."""
    if moment.utcoffset() is None:
        raise InvalidError(f"{field} has no time zone: give {wanted}.", field=field)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidError(f"{field} lies outside of the years 1 to 9999.", field=field) from None
