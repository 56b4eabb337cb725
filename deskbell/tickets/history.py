"""The history of a ticket for people, read from the audit log: who, what, when, through what, why.

What one act did together is told together, and what cancelled itself out is not told. The raw entries, for programs,
are `deskbell.audit.queries.changes_of_ticket`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Select, column, func, select
from sqlalchemy.orm import Session

from deskbell.audit.models import AuditLog
from deskbell.audit.queries import changes_of_ticket
from deskbell.audit.retention import removed_before
from deskbell.kernel.actor import Channel
from deskbell.kernel.arrays import in_array
from deskbell.kernel.paging import Cursor, Page, SortKey, keyset, page
from deskbell.tickets.actions import require_staff
from deskbell.tickets.history_names import Names
from deskbell.tickets.history_words import Change, net, sentence, tell
from deskbell.tickets.queries import get_ticket

ONLY_THE_DESK: Final = "Only the desk sees the history of tickets."
REMOVED: Final = "what happened before was removed from the audit log by retention"
NEWEST_ACT_FIRST: Final = (SortKey(column("id", BigInteger), descending=True, nullable=False, unique=True),)


@dataclass(frozen=True, slots=True)
class Act:
    """All that one operation changed about a ticket, at its last change. `actor` is None for Deskbell itself.

    `act` is what was done ("PATCH /api/v1/tickets/{number}", "deskbell import csv"), `cause` why it was done where no
    person asked for it just then ("rule:7").
    """

    id: int
    operation_id: int
    at: datetime
    actor_id: int | None
    actor: str | None
    channel: str
    act: str
    cause: str
    changes: tuple[Change, ...]

    @property
    def summary(self) -> str:
        """What was done, in words: "wrote a reply, changed status"."""
        return sentence(self.changes) or REMOVED


def history_page(
    session: Session, number: str, *, limit: int = 50, cursor: Cursor | None = None, query: str = ""
) -> Page[Act]:
    """Return a page of the acts, newest first; it may be shorter than `limit` by those that cancelled themselves out.

    Where retention removed what came before, the last page says so with one more act, which has no changes. At most
    eleven statements. `query` is what the cursor is good for. Raises NoSuchTicketError.
    """
    require_staff(session, ONLY_THE_DESK)
    ticket = get_ticket(session, number, deleted=True)
    limited = keyset(acts_of(ticket.id), NEWEST_ACT_FIRST, limit=limit, cursor=cursor, query=query)
    found = page(session.execute(limited).all(), NEWEST_ACT_FIRST, limit=limit, query=query)
    told = _told(session, ticket.id, found.items)
    removed = () if found.next_cursor else _removed(session, ticket.id)
    return Page((*told, *removed), found.next_cursor)


def acts_of(ticket_id: int) -> Select[*tuple[Any, ...]]:
    """Return the operations that changed a ticket, each with the `id` of its newest entry about it."""
    entries = changes_of_ticket(ticket_id).with_only_columns(AuditLog.operation_id, func.max(AuditLog.id).label("id"))
    acts = entries.group_by(AuditLog.operation_id).subquery("acts")
    return select(acts.c.operation_id, acts.c.id)


def _told(session: Session, ticket_id: int, acts: Sequence[Row[Any]]) -> list[Act]:
    operations = [act.operation_id for act in acts]
    wanted = changes_of_ticket(ticket_id).where(in_array(AuditLog.__table__.c.operation_id, operations))
    by_operation = attrgetter("operation_id", "id")
    entries = sorted(session.execute(wanted), key=by_operation)
    names = Names.of(session, ticket_id, entries)
    told = (_act(list(its), names) for _, its in groupby(entries, key=attrgetter("operation_id")))
    return sorted((act for act in told if act.changes), key=attrgetter("id"), reverse=True)


def _removed(session: Session, ticket_id: int) -> Sequence[Act]:
    """Say that the beginning is gone, where it is: the entry that made the ticket."""
    until = removed_before(session, "tickets", ticket_id)
    if until is None:
        return ()
    return (Act(0, 0, until, None, None, Channel.JOB, "", "retention", ()),)


def _act(entries: Sequence[Row[Any]], names: Names) -> Act:
    newest = entries[-1]
    return Act(
        id=newest.id,
        operation_id=newest.operation_id,
        at=newest.created_at,
        actor_id=newest.user_id,
        actor=newest.user_name or (f"#{newest.user_id}" if newest.user_id else None),
        channel=newest.channel,
        act=newest.act or "",
        cause=newest.cause,
        changes=tuple(tell(net(entries), names)),
    )
