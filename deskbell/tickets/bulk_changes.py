"""Use cases that change many tickets at once: one statement does it, and a second one explains what it left alone.

The ids are one array parameter, however many they are. Their rows are locked in the order of the ids, so that two
callers with the same tickets wait for each other instead of ending each other as a deadlock.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, any_, case, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from deskbell.accounts.queries import get_user
from deskbell.kernel.arrays import in_array
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.events import Event, publish
from deskbell.kernel.ids import checked_id
from deskbell.kernel.worlds import both_worlds
from deskbell.tickets.actions import check_assignee, require_staff
from deskbell.tickets.events import TicketsAssigned, TicketsStatusChanged
from deskbell.tickets.models import Ticket, TicketStatus
from deskbell.tickets.rules import status_named

MOST_IDS: Final = 100_000
STAFF_ONLY: Final = "Only the desk changes tickets in bulk."
_TICKETS: Final[Table] = Ticket.__table__  # type: ignore[assignment]  # a mapped class's table is one
IS_THERE: Final = _TICKETS.c.deleted_at.is_(None)


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of each id: changed, or why not. No id stands in two places, whichever was named twice.

    `unchanged` was as wanted already, `deleted` must be restored first, `missing` does not exist.
    """

    changed: int
    unchanged: tuple[int, ...] = ()
    deleted: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()

    @property
    def refused(self) -> dict[int, str]:
        """The ids that could not be changed, each with the reason in words."""
        gone = dict.fromkeys(self.deleted, "It was deleted. Restore it first.")
        return gone | dict.fromkeys(self.missing, "There is no such ticket.")


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What is to become of many tickets: which of them need it, how it is done, and what is published then.

    `made` changes those of the ids that need it and returns them, ascending. `refuses_deleted`: a deleted ticket cannot
    have it; otherwise one that does not need it is as wanted already, deleted or not.
    """

    needed: ColumnElement[bool]
    made: Callable[[Session, list[int], ColumnElement[bool]], tuple[int, ...]]
    event: Callable[[tuple[int, ...]], Event] | None = None
    refuses_deleted: bool = True


@both_worlds
def bulk_update_ticket_status(session: Session, ticket_ids: Iterable[int], status: TicketStatus | str) -> BulkResult:
    """Move up to 100,000 tickets to a status; `resolved_at` and the count of reopenings follow by themselves."""
    require_staff(session, STAFF_ONLY)
    ids = checked_ids(ticket_ids)
    return change_all(session, ids, moving_to(status_named(status)))


@both_worlds
def bulk_assign_tickets(session: Session, ticket_ids: Iterable[int], assignee_id: int | None) -> BulkResult:
    """Give up to 100,000 tickets to an agent, or to nobody. The open ones are then in progress.

    Raises NotFoundError for somebody who does not exist, InvalidError for customers and for who is not active.
    """
    require_staff(session, STAFF_ONLY)
    ids = checked_ids(ticket_ids)
    return change_all(session, ids, giving_to(session, assignee_id))


def moving_to(status: TicketStatus) -> Change:
    """Say that tickets move to a status."""
    needed = and_(IS_THERE, _TICKETS.c.status != status)
    return Change(needed, setting({"status": status}), partial(TicketsStatusChanged, new=status.value))


def giving_to(session: Session, assignee_id: int | None) -> Change:
    """Say that tickets are given to somebody, or to nobody. Raises as `bulk_assign_tickets`."""
    event = partial(TicketsAssigned, assignee_id=assignee_id)
    if assignee_id is None:
        return Change(and_(IS_THERE, _TICKETS.c.assignee_id.is_not(None)), setting({"assignee_id": None}), event)
    check_assignee(get_user(session, checked_id(assignee_id, "assignee_id")))
    is_open = _TICKETS.c.status == TicketStatus.OPEN
    needed = or_(_TICKETS.c.assignee_id.is_distinct_from(assignee_id), is_open)
    status = case((is_open, TicketStatus.IN_PROGRESS.value), else_=_TICKETS.c.status)
    return Change(and_(IS_THERE, needed), setting({"assignee_id": assignee_id, "status": status}), event)


def change_all(session: Session, ids: list[int], change: Change) -> BulkResult:
    """Make a change in those of the tickets that need it, and say what became of each."""
    session.flush()  # what was changed in this session before comes first
    changed = change.made(session, ids, change.needed)
    _refresh_loaded(session, changed)
    if changed and change.event is not None:
        publish(session, change.event(changed))
    return _result(session, ids, changed, refuses_deleted=change.refuses_deleted)


def checked_ids(ticket_ids: Iterable[int]) -> list[int]:
    """Return the ids sorted, each once."""
    ids = sorted({checked_id(number, "ticket_ids") for number in ticket_ids})
    if not 1 <= len(ids) <= MOST_IDS:
        raise InvalidError(f"Send 1 to {MOST_IDS:,} ticket ids at once, not {len(ids):,}.", field="ticket_ids")
    return ids


def setting(values: Mapping[str, Any]) -> Callable[[Session, list[int], ColumnElement[bool]], tuple[int, ...]]:
    """Return what writes these values to the tickets that need it."""

    def write(session: Session, ids: list[int], needed: ColumnElement[bool]) -> tuple[int, ...]:
        wanted = locked(ids, needed).cte("wanted")
        statement = update(_TICKETS).where(_TICKETS.c.id == wanted.c.id).values(values).returning(_TICKETS.c.id)
        return tuple(sorted(session.scalars(statement)))

    return write


def locked(ids: list[int], needed: ColumnElement[bool]) -> Select[int]:
    """Select and lock those of the tickets that need a change."""
    among = _TICKETS.c.id == any_(literal(ids, ARRAY(BigInteger)))
    return select(_TICKETS.c.id).where(among, needed).order_by(_TICKETS.c.id).with_for_update()


def _refresh_loaded(session: Session, changed: tuple[int, ...]) -> None:
    """Read again what this session has loaded already: otherwise it would show, and check, versions that are gone."""
    loaded = {ticket.id for ticket in session.identity_map.values() if isinstance(ticket, Ticket)}
    if stale := sorted(loaded.intersection(changed)):
        statement = select(Ticket).where(in_array(_TICKETS.c.id, stale))
        session.scalars(statement.execution_options(populate_existing=True)).all()


def _result(session: Session, ids: list[int], changed: tuple[int, ...], *, refuses_deleted: bool) -> BulkResult:
    rest = sorted(set(ids).difference(changed))
    if not rest:
        return BulkResult(len(changed))
    statement = select(_TICKETS.c.id, _TICKETS.c.deleted_at.is_not(None)).where(in_array(_TICKETS.c.id, rest))
    refused = {number: gone and refuses_deleted for number, gone in session.execute(statement)}
    return BulkResult(
        changed=len(changed),
        unchanged=tuple(number for number in rest if refused.get(number) is False),
        deleted=tuple(number for number in rest if refused.get(number) is True),
        missing=tuple(number for number in rest if number not in refused),
    )
