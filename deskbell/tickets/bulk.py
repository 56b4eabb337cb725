"""Many tickets at once: what a new one says, and the statements that write them, each with one array a column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TIMESTAMP, BigInteger, Text, column, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from deskbell.kernel.actor import Channel
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus, TicketTag

BATCH: Final = 10_000
"""Tickets of one statement."""


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to be created, its people known by id. A resolved one was so at its last change, unless it says when.

    Without `created_at` it is created now, or when the first of its other times says. `tags` are names, of which
    `bulk_create_tickets` makes those that are new; `create_tickets` takes `tag_ids` alone.
    """

    title: str
    description: str
    creator_id: int
    organization_id: int | None = None
    created_at: datetime | None = None
    status: TicketStatus = TicketStatus.OPEN
    priority: TicketPriority = TicketPriority.MEDIUM
    assignee_id: int | None = None
    channel: Channel = Channel.IMPORT
    tag_ids: tuple[int, ...] = ()
    updated_at: datetime | None = None
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None
    team_id: int | None = None
    due_at: datetime | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatedTicket:
    """A ticket that was just created, as the database numbered it."""

    id: int
    ticket_number: str


def create_tickets(session: Session, tickets: Sequence[NewTicket]) -> list[int]:
    """Create tickets as they are given and return their ids in the same order. Nobody hears of it: for imports."""
    return [created.id for created in insert_tickets(session, tickets)]


def insert_tickets(session: Session, tickets: Sequence[NewTicket], *, batch: int = BATCH) -> list[CreatedTicket]:
    """Create tickets; return ids and numbers in the same order. One statement for each batch, and one for tags."""
    created = [
        found for start in range(0, len(tickets), batch) for found in _inserted(session, tickets[start : start + batch])
    ]
    pairs = zip(created, tickets, strict=True)
    put_tags(session, ((found.id, tag) for found, ticket in pairs for tag in ticket.tag_ids))
    return created


def put_tags(session: Session, pairs: Iterable[tuple[int, int]]) -> None:
    """Put tags on tickets that do not bear them yet, from pairs of ticket id and tag id, in one statement."""
    wanted = list(dict.fromkeys(pairs))
    if not wanted:
        return
    columns: dict[str, tuple[TypeEngine[Any], list[Any]]] = {
        "ticket_id": (BigInteger(), [ticket for ticket, _ in wanted]),
        "tag_id": (BigInteger(), [tag for _, tag in wanted]),
    }
    rows = _rows(columns)
    names = list(columns)
    session.execute(insert(TicketTag.__table__).from_select(names, select(*(rows.c[name] for name in names))))  # type: ignore[arg-type]  # a Table


def _inserted(session: Session, tickets: Sequence[NewTicket]) -> list[CreatedTicket]:
    """Insert in the given order: identity values and numbers are taken after the sort, so they ascend with it."""
    columns = _columns(tickets)
    rows = _rows(columns)
    now = func.statement_timestamp()
    values = {name: rows.c[name] for name in columns}
    first = func.least(now, rows.c.updated_at, rows.c.first_responded_at, rows.c.resolved_at)  # that is known
    values["created_at"] = func.coalesce(rows.c.created_at, first)
    values["updated_at"] = func.coalesce(rows.c.updated_at, rows.c.created_at, now)
    source = select(*values.values()).order_by(rows.c.place)
    table: Any = Ticket.__table__
    statement = insert(table).from_select(list(values), source).returning(table.c.id, table.c.ticket_number)
    return [CreatedTicket(*row) for row in sorted(session.execute(statement))]


def _columns(tickets: Sequence[NewTicket]) -> dict[str, tuple[TypeEngine[Any], list[Any]]]:
    text, number, time = Text(), BigInteger(), TIMESTAMP(timezone=True)
    return {
        "title": (text, [ticket.title for ticket in tickets]),
        "description": (text, [ticket.description for ticket in tickets]),
        "status": (text, [ticket.status.value for ticket in tickets]),
        "priority": (text, [ticket.priority.value for ticket in tickets]),
        "channel": (text, [ticket.channel.value for ticket in tickets]),
        "creator_id": (number, [ticket.creator_id for ticket in tickets]),
        "assignee_id": (number, [ticket.assignee_id for ticket in tickets]),
        "organization_id": (number, [ticket.organization_id for ticket in tickets]),
        "team_id": (number, [ticket.team_id for ticket in tickets]),
        "due_at": (time, [ticket.due_at for ticket in tickets]),
        "created_at": (time, [ticket.created_at for ticket in tickets]),
        "updated_at": (time, [ticket.updated_at for ticket in tickets]),
        "first_responded_at": (time, [ticket.first_responded_at for ticket in tickets]),
        "resolved_at": (time, [_resolved_at(ticket) for ticket in tickets]),
    }


def _resolved_at(ticket: NewTicket) -> datetime | None:
    """Where it is not known the trigger takes the present moment, and none for what is not done."""
    return ticket.resolved_at or ticket.updated_at or ticket.created_at if ticket.status.is_done else None


def _rows(columns: dict[str, tuple[TypeEngine[Any], list[Any]]]) -> Any:  # noqa: ANN401 - a FROM clause with these columns
    """Return `unnest(array, ...)` as rows: as many parameters as columns, however many rows. `place` counts them."""
    arrays = [literal(values, ARRAY(kind)) for kind, values in columns.values()]
    named = [column(name, kind) for name, (kind, _) in columns.items()]
    return func.unnest(*arrays).table_valued(*named, with_ordinality="place", name="new").render_derived()
