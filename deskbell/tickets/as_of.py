"""A ticket as it was at some time, with its comments, attachments and tags. For the desk, whose is the audit log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, FromClause, Row, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from deskbell.accounts.models import Organization, Person, Team
from deskbell.audit.queries import later_entries, rows_of, rows_of_ticket
from deskbell.audit.retention import removed_before
from deskbell.audit.reversal import Values, rows_as_of
from deskbell.kernel.arrays import in_array
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.orm import Base
from deskbell.kernel.text import clean
from deskbell.tickets.actions import require_staff
from deskbell.tickets.errors import NoSuchTicketError, PastRemovedError
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket, TicketTag

ONLY_THE_DESK: Final = "Only the desk sees what tickets were like before."
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
_DERIVED: Final = frozenset({"version", "updated_at"})
"""Kept by triggers and not recorded, so nobody knows what they were."""

Entries = Sequence[Row[Any]]
T = TypeVar("T", bound=Base)
P = TypeVar("P", Comment, Attachment)


@dataclass(frozen=True, slots=True)
class TicketThen:
    """A ticket as it was at `at`, in the shape that `get_thread` loads.

    It belongs to no session, and neither do its comments, attachments and tags: they are there to be read. Tags are
    called what they were called then, people and teams what they are called now. `version` and `updated_at` are not
    known and not set.
    """

    at: datetime
    ticket: Ticket


def as_of(session: Session, number_or_id: str | int, at: datetime) -> TicketThen:
    """Return the ticket as it was at the aware time `at`; the future is as it is now. At most eleven statements.

    Raises InvalidError for a time without a zone, NoSuchTicketError where there was no such ticket then, and
    PastRemovedError where it cannot be known, as retention removed what came after `at` from the audit log. By its id
    also a ticket is found that was deleted for good.
    """
    require_staff(session, ONLY_THE_DESK)
    at = _in_utc(at)
    present = _present(session, Ticket.__table__, _is_the(number_or_id))
    if not present and isinstance(number_or_id, str):
        raise NoSuchTicketError(f"There is no ticket {number_or_id}.")
    ticket_id = present[0]["id"] if present else int(number_or_id)
    entries = session.execute(later_entries(rows_of_ticket(ticket_id), at)).all()
    then = rows_as_of(Ticket.__table__, present, _of(entries, Ticket), at)
    _check_known(session, number_or_id, ticket_id, at)
    if not then:
        raise NoSuchTicketError(_not_yet(number_or_id, present[0]["created_at"] if present else None))
    return TicketThen(at, _assembled(session, then[0], entries, at))


def _in_utc(at: datetime) -> datetime:
    """Return the same moment in UTC; beyond the first and the last year that there are, the first or the last one."""
    if at.utcoffset() is None:
        raise InvalidError(f"{at.isoformat()} has no time zone: give one, such as Z or +01:00.", field="at")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return _FIRST if at.year == _FIRST.year else _LAST


def _is_the(number_or_id: str | int) -> ColumnElement[bool]:
    if isinstance(number_or_id, int):
        return Ticket.id == number_or_id
    return Ticket.ticket_number == clean(number_or_id).strip().upper()


def _check_known(session: Session, number_or_id: str | int, ticket_id: int, at: datetime) -> None:
    removed = removed_before(session, "tickets", ticket_id)
    if removed is not None and at < removed:
        raise PastRemovedError(
            f"What {number_or_id} was like at {at:%Y-%m-%d %H:%M:%S} UTC is not known any more: retention removed the "
            f"audit log until {removed.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC. Ask for a time after that.",
            known_from=removed,
        )


def _not_yet(number_or_id: str | int, created_at: datetime | None) -> str:
    if created_at is None:
        return f"There is no ticket with the id {number_or_id}."
    return f"There is {number_or_id} since {created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, and not before."


def _of(entries: Entries, kind: type[Base]) -> Entries:
    return [entry for entry in entries if entry.table_name == kind.__tablename__]


def _assembled(session: Session, values: Values, entries: Entries, at: datetime) -> Ticket:
    ticket = _unattached(Ticket, values)
    comments = _parts(session, Comment, ticket.id, entries, at)
    attachments = _parts(session, Attachment, ticket.id, entries, at)
    people = _people(session, {ticket.creator_id, ticket.assignee_id, *(comment.author_id for comment in comments)})
    for comment in comments:
        its = [file for file in attachments if file.comment_id == comment.id]
        _relate(comment, writer=people.get(comment.author_id), attachments=its)
    _relate(
        ticket,
        requester=people.get(ticket.creator_id),
        agent=people.get(ticket.assignee_id),
        organization=session.get(Organization, ticket.organization_id) if ticket.organization_id else None,
        team=session.get(Team, ticket.team_id) if ticket.team_id else None,
        comments=sorted(comments, key=lambda comment: (comment.created_at, comment.id)),
        attachments=sorted(attachments, key=lambda file: file.id),
        tags=sorted(_tags(session, ticket.id, entries, at), key=lambda tag: tag.name),
    )
    return ticket


def _parts(session: Session, kind: type[P], ticket_id: int, entries: Entries, at: datetime) -> list[P]:
    """Return comments or attachments, also those that another ticket has by now or that were deleted."""
    table, its = kind.__table__, _of(entries, kind)
    here = or_(table.c.ticket_id == ticket_id, in_array(table.c.id, {entry.record_id for entry in its}))
    then = rows_as_of(table, _present(session, table, here), its, at)
    return [_unattached(kind, values) for values in then if values["ticket_id"] == ticket_id]


def _tags(session: Session, ticket_id: int, entries: Entries, at: datetime) -> list[Tag]:
    """Return the tags with the names that they had."""
    bearing, table = TicketTag.__table__, Tag.__table__
    borne = _present(session, bearing, bearing.c.ticket_id == ticket_id)
    ids = {row["tag_id"] for row in rows_as_of(bearing, borne, _of(entries, TicketTag), at)}
    present = _present(session, table, in_array(table.c.id, ids))
    renamed = session.execute(later_entries(rows_of("tags", ids), at)).all()
    then = {row["id"]: row for row in (*present, *rows_as_of(table, present, renamed, at))}
    return [_unattached(Tag, values) for values in then.values()]


def _present(session: Session, table: FromClause, condition: ColumnElement[bool]) -> list[Values]:
    """Return rows as they are, past the ORM: what it has loaded already may be about to change."""
    return [row._asdict() for row in session.execute(select(table).where(condition))]


def _people(session: Session, ids: Iterable[int | None]) -> Mapping[int | None, Person]:
    wanted = sorted(number for number in ids if number is not None)
    found = session.scalars(select(Person).where(in_array(Person.__table__.c.id, wanted)))
    return {person.id: person for person in found}


def _unattached(kind: type[T], values: Values) -> T:
    return kind(**{name: value for name, value in values.items() if name not in _DERIVED})


def _relate(thing: object, **relations: object) -> None:
    """Set relations as loading does: nothing is cascaded, nothing is written."""
    for name, value in relations.items():
        set_committed_value(thing, name, value)
