"""What the ids in entries of the audit log are called, also of things that are gone by now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Organization, Person, Team, display_name
from deskbell.audit.models import AuditAction, AuditLog
from deskbell.kernel.arrays import in_array
from deskbell.tickets.models import Attachment, Comment, Tag

PEOPLE = ("creator_id", "assignee_id", "author_id", "uploaded_by_id")


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id; `notes` says which comments are internal."""

    people: Mapping[int, str]
    teams: Mapping[int, str]
    organizations: Mapping[int, str]
    tags: Mapping[int, str]
    files: Mapping[int, str]
    notes: Mapping[int, bool]

    @classmethod
    def of(cls, session: Session, ticket_id: int, entries: Sequence[Row[Any]]) -> Self:
        """Look up what the entries mention. At most seven statements."""
        tag_ids = set(_mentioned(entries, ("tag_id",)))
        files = select(Attachment.id, Attachment.file_name).where(Attachment.ticket_id == ticket_id)
        notes = select(Comment.id, Comment.is_internal).where(Comment.ticket_id == ticket_id)
        people = session.scalars(_with_ids(Person, _mentioned(entries, PEOPLE)))
        return cls(
            people={person.id: display_name(person) for person in people},
            teams=_named(session, Team, _mentioned(entries, ("team_id",))),
            organizations=_named(session, Organization, _mentioned(entries, ("organization_id",))),
            tags=_deleted_tags(session, tag_ids) | _named(session, Tag, tag_ids),
            files=_lost(entries, "attachments", "file_name") | _pairs(session, files),
            notes=_lost(entries, "comments", "is_internal") | _pairs(session, notes),
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


def _pairs(session: Session, statement: Select[*tuple[Any, ...]]) -> dict[int, Any]:
    return {number: value for number, value in session.execute(statement)}  # noqa: C416 - Row


def _lost(entries: Sequence[Row[Any]], table_name: str, column: str) -> dict[int, Any]:
    """Return a column of rows that were deleted, as the entries have it."""
    return {
        entry.record_id: entry.changes[column]
        for entry in entries
        if entry.table_name == table_name and entry.action == AuditAction.DELETE
    }
