"""What the ids in entries of the audit log are called, also of things that are gone by now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Organization, Person, Team, display_name
from deskbell.audit.models import AuditAction, AuditLog
from deskbell.kernel.arrays import in_array
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket
from deskbell.tickets.relation_models import TicketCopy, TicketLink, TicketLinkKind

PEOPLE = ("creator_id", "assignee_id", "author_id", "uploaded_by_id")


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id; `notes` says which comments are internal, `links` how the other ticket stands to this one."""

    people: Mapping[int, str]
    teams: Mapping[int, str]
    organizations: Mapping[int, str]
    tags: Mapping[int, str]
    files: Mapping[int, str]
    notes: Mapping[int, bool]
    copies: Mapping[int, str]
    links: Mapping[int, tuple[str, str]]

    @classmethod
    def of(cls, session: Session, ticket_id: int, entries: Sequence[Row[Any]]) -> Self:
        """Look up what the entries mention. At most ten statements, those of copies and links only where there are."""
        tag_ids = set(_mentioned(entries, ("tag_id",)))
        files = select(Attachment.id, Attachment.file_name).where(Attachment.ticket_id == ticket_id)
        notes = select(Comment.id, Comment.is_internal).where(Comment.ticket_id == ticket_id)
        people = session.scalars(_with_ids(Person, _mentioned(entries, PEOPLE)))
        tables = {entry.table_name for entry in entries}
        return cls(
            people={person.id: display_name(person) for person in people},
            teams=_named(session, Team, _mentioned(entries, ("team_id",))),
            organizations=_named(session, Organization, _mentioned(entries, ("organization_id",))),
            tags=_deleted_tags(session, tag_ids) | _named(session, Tag, tag_ids),
            files=_lost(entries, "attachments", "file_name") | _pairs(session, files),
            notes=_lost(entries, "comments", "is_internal") | _pairs(session, notes),
            copies=_copies(session, ticket_id, entries) if "ticket_copies" in tables else {},
            links=_links(session, ticket_id, entries) if "ticket_links" in tables else {},
        )

    def value(self, column: str, value: object) -> object:
        """Return the name for an id, and the value itself for anything else."""
        known = {"team_id": self.teams, "organization_id": self.organizations}.get(column)
        names = self.people if column in PEOPLE else known
        return value if names is None or not isinstance(value, int) else names.get(value, f"#{value}")


def _mentioned(entries: Sequence[Row[Any]], columns: Iterable[str]) -> Iterator[int]:
    for entry in entries:
        for name in columns:
            value = (entry.changes or {}).get(name)
            yield from (it for it in (value if isinstance(value, list) else [value]) if isinstance(it, int))


def _with_ids(kind: type[Any], ids: Iterable[int]) -> Select[Any]:
    return select(kind).where(in_array(kind.__table__.c.id, sorted(set(ids))))


def _named(session: Session, kind: type[Tag | Team | Organization], ids: Iterable[int]) -> dict[int, str]:
    return {thing.id: thing.name for thing in session.scalars(_with_ids(kind, ids))}


def _deleted_tags(session: Session, ids: Iterable[int]) -> dict[int, str]:
    log = AuditLog.__table__.c
    its = log.table_name == "tags", in_array(log.record_id, sorted(ids)), log.action == AuditAction.DELETE
    gone = select(AuditLog.record_id, AuditLog.changes["name"].as_string()).where(*its)
    return _pairs(session, gone)


def _copies(session: Session, ticket_id: int, entries: Sequence[Row[Any]]) -> dict[int, str]:
    there = select(TicketCopy.id, TicketCopy.email).where(TicketCopy.ticket_id == ticket_id)
    return _lost(entries, "ticket_copies", "email") | _pairs(session, there)


def _links(session: Session, ticket_id: int, entries: Sequence[Row[Any]]) -> dict[int, tuple[str, str]]:
    """Return how a ticket stands to the other end of each link, and the number of that."""
    is_end = or_(TicketLink.ticket_id == ticket_id, TicketLink.other_id == ticket_id)
    columns = (TicketLink.ticket_id, TicketLink.other_id, TicketLink.kind)
    there = {
        number: (younger, elder, kind)
        for number, younger, elder, kind in session.execute(select(TicketLink.id, *columns).where(is_end))
    }
    ends = _gone_links(entries) | there
    others = {number: elder if younger == ticket_id else younger for number, (younger, elder, _) in ends.items()}
    its_numbers = select(Ticket.id, Ticket.ticket_number)
    known = _pairs(session, its_numbers.where(in_array(Ticket.__table__.c.id, sorted(set(others.values())))))
    return {
        number: (_stands(kind, follows=younger == ticket_id), known.get(others[number], "a ticket"))
        for number, (younger, _, kind) in ends.items()
    }


def _gone_links(entries: Sequence[Row[Any]]) -> dict[int, tuple[int, int, str]]:
    return {
        entry.record_id: (entry.changes["ticket_id"], entry.changes["other_id"], entry.changes["kind"])
        for entry in entries
        if entry.table_name == "ticket_links" and entry.action == AuditAction.DELETE
    }


def _stands(kind: str, *, follows: bool) -> str:
    if kind != TicketLinkKind.FOLLOW_UP:
        return "linked to"
    return "follows up" if follows else "followed up by"


def _pairs(session: Session, statement: Select[*tuple[Any, ...]]) -> dict[int, Any]:
    return {number: value for number, value in session.execute(statement)}  # noqa: C416 - Row


def _lost(entries: Sequence[Row[Any]], table_name: str, column: str) -> dict[int, Any]:
    """Return a column of rows that were deleted, as the entries have it."""
    return {
        entry.record_id: entry.changes[column]
        for entry in entries
        if entry.table_name == table_name and entry.action == AuditAction.DELETE
    }
