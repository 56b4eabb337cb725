"""Many tickets at once, in few statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Channel
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus, TicketTag


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to be created, its people and tags already known by id. A resolved one was so at its last change."""

    title: str
    description: str
    creator_id: int
    organization_id: int | None
    created_at: datetime
    status: TicketStatus = TicketStatus.OPEN
    priority: TicketPriority = TicketPriority.MEDIUM
    assignee_id: int | None = None
    channel: Channel = Channel.IMPORT
    tag_ids: tuple[int, ...] = ()
    updated_at: datetime | None = None
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None


def create_tickets(session: Session, tickets: Sequence[NewTicket]) -> list[int]:
    """Create tickets and return their ids in the same order: one statement for each thousand, and one for tags."""
    if not tickets:
        return []
    statement = insert(Ticket).returning(Ticket.id, sort_by_parameter_order=True)
    ids = list(session.scalars(statement, [_values(ticket) for ticket in tickets]))
    put_tags(session, ((number, tag) for number, ticket in zip(ids, tickets, strict=True) for tag in ticket.tag_ids))
    return ids


def put_tags(session: Session, pairs: Iterable[tuple[int, int]]) -> None:
    """Put tags on tickets that do not bear them yet, from pairs of ticket id and tag id."""
    rows = [{"ticket_id": ticket, "tag_id": tag} for ticket, tag in dict.fromkeys(pairs)]
    if rows:
        session.execute(insert(TicketTag), rows)


def _values(ticket: NewTicket) -> dict[str, object]:
    changed_at = ticket.updated_at or ticket.created_at
    return {
        "title": ticket.title,
        "description": ticket.description,
        "status": ticket.status,
        "priority": ticket.priority,
        "channel": ticket.channel,
        "creator_id": ticket.creator_id,
        "assignee_id": ticket.assignee_id,
        "organization_id": ticket.organization_id,
        "created_at": ticket.created_at,
        "updated_at": changed_at,
        "first_responded_at": ticket.first_responded_at,
        "resolved_at": (ticket.resolved_at or changed_at) if ticket.status.is_done else None,
    }
