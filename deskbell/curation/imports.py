"""Rows of a file become tickets, a batch in each transaction, all batches of one import in one operation.

A row is known by its content key: running the same import again adds nothing, and one that was interrupted goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import Text, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.curation.csv_fields import BadRow, ContentKeys, Row
from deskbell.curation.models import ImportedRow
from deskbell.kernel.arrays import in_array
from deskbell.kernel.text import normalized_email, title_from
from deskbell.tickets.actions import TITLE_LENGTH
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.labels import ensure_tags
from deskbell.tickets.models import TicketPriority, TicketStatus

BATCH = 1000
_ONE_IMPORT_AT_A_TIME = 0x696D706F7274  # "import"


@dataclass(frozen=True, slots=True)
class KeyedRow:
    """A row and the key it is known by; None when it is to be added whatever is there."""

    row: Row
    key: bytes | None


@dataclass(slots=True)
class Outcome:
    """What became of a batch: rows added, rows known already, rows refused; `operation` is theirs."""

    added: int = 0
    known: int = 0
    refused: list[BadRow] = field(default_factory=list)
    operation: int | None = None


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    organization_id: int | None
    is_staff: bool


def keyed(rows: Iterator[Row | BadRow], requester: str, *, force_new: bool) -> Iterator[KeyedRow | BadRow]:
    """Give each good row its content key."""
    keys = ContentKeys(requester)
    for row in rows:
        yield row if isinstance(row, BadRow) else KeyedRow(row, None if force_new else keys.key(row))


def batches(rows: Iterator[KeyedRow | BadRow], size: int = BATCH) -> Iterator[list[KeyedRow | BadRow]]:
    """Cut the rows into lists of at most `size`."""
    while batch := list(islice(rows, size)):
        yield batch


def import_batch(session: Session, batch: Sequence[KeyedRow | BadRow], *, requester: str, now: datetime) -> Outcome:
    """Turn the rows that are not known yet into tickets, in a fixed number of statements.

    `requester` is the e-mail address of who asked, for rows that name nobody; who is not known is added as a customer.
    """
    session.execute(select(func.pg_advisory_xact_lock(_ONE_IMPORT_AT_A_TIME)))
    outcome = Outcome(refused=[row for row in batch if isinstance(row, BadRow)])
    rows = _unknown(session, [row for row in batch if isinstance(row, KeyedRow)], outcome)
    people = _people(session, [item.row for item in rows], requester)
    rows = _with_assignees(rows, people, outcome)
    tags = ensure_tags(session, [name for item in rows for name in item.row.tags])
    ids = create_tickets(session, [_ticket(item.row, people, tags, requester, now) for item in rows])
    _remember(session, rows, ids)
    outcome.added = len(ids)
    outcome.operation = _operation(session)
    return outcome


def check_batch(session: Session, batch: Sequence[KeyedRow | BadRow]) -> Outcome:
    """Say what `import_batch` would do. Nothing is written, and no ticket number is used up."""
    outcome = Outcome(refused=[row for row in batch if isinstance(row, BadRow)])
    rows = _unknown(session, [row for row in batch if isinstance(row, KeyedRow)], outcome)
    assigned = {normalized_email(item.row.values["assignee"]) for item in rows if "assignee" in item.row.values}
    outcome.added = len(_with_assignees(rows, _known(session, assigned) if assigned else {}, outcome))
    return outcome


def _unknown(session: Session, rows: list[KeyedRow], outcome: Outcome) -> list[KeyedRow]:
    keys = [item.key for item in rows if item.key is not None]
    if not keys:
        return rows
    statement = select(ImportedRow.content_key).where(in_array(ImportedRow.__table__.c.content_key, keys))
    known = {bytes(key) for key in session.scalars(statement)}
    fresh = [item for item in rows if item.key not in known]
    outcome.known = len(rows) - len(fresh)
    return fresh


def _people(session: Session, rows: list[Row], requester: str) -> dict[str, _Person]:
    """Return everybody that the rows name by normalised address, adding who asked and is not known."""
    asking = {
        normalized_email(row.values.get("requester", requester)): row.values.get("requester", requester) for row in rows
    }
    assigned = {normalized_email(row.values["assignee"]) for row in rows if "assignee" in row.values}
    if not asking:
        return {}
    known = _known(session, set(asking))
    missing = [address for lowered, address in asking.items() if lowered not in known]
    if missing:
        added = [{"email": address} for address in missing]
        session.execute(upsert(User).values(added).on_conflict_do_nothing())
    return _known(session, set(asking) | assigned)


def _known(session: Session, addresses: set[str]) -> dict[str, _Person]:
    lowered = func.lower(User.email)
    statement = select(lowered, User.id, User.organization_id, User.role, User.is_active)
    found = session.execute(statement.where(in_array(lowered, sorted(addresses), Text())))
    return {
        address: _Person(number, organization, role is not Role.CUSTOMER and active)
        for address, number, organization, role, active in found
    }


def _with_assignees(rows: list[KeyedRow], people: Mapping[str, _Person], outcome: Outcome) -> list[KeyedRow]:
    """Refuse rows whose assignee is not an agent here: dropping the name silently would lose what the file says."""
    kept = []
    for item in rows:
        assignee = item.row.values.get("assignee")
        person = people.get(normalized_email(assignee)) if assignee else None
        if assignee and not (person and person.is_staff):
            reason = f"the assignee {assignee} is not an active agent. Add them with `deskbell user create`."
            outcome.refused.append(BadRow(item.row.line, reason))
        else:
            kept.append(item)
    return kept


def _ticket(
    row: Row, people: Mapping[str, _Person], tags: Mapping[str, int], requester: str, now: datetime
) -> NewTicket:
    values = row.values
    creator = people[normalized_email(values.get("requester", requester))]
    assignee = values.get("assignee")
    created_at = values.get("created_at")
    return NewTicket(
        title=values.get("title", "")[:TITLE_LENGTH] or title_from(values["message"]),
        description=values["message"],
        creator_id=creator.id,
        organization_id=creator.organization_id,
        created_at=datetime.fromisoformat(created_at) if created_at else now,
        status=TicketStatus(values.get("status", TicketStatus.OPEN)),
        priority=TicketPriority(values.get("priority", TicketPriority.MEDIUM)),
        assignee_id=people[normalized_email(assignee)].id if assignee else None,
        tag_ids=tuple(tags[name] for name in row.tags if name in tags),
    )


def _remember(session: Session, rows: Sequence[KeyedRow], ids: Sequence[int]) -> None:
    pairs = zip(rows, ids, strict=True)
    remembered = [{"content_key": item.key, "ticket_id": ticket} for item, ticket in pairs if item.key is not None]
    if remembered:
        session.execute(insert(ImportedRow), remembered)


def _operation(session: Session) -> int | None:
    """Return the operation that this transaction's changes belong to, so that the next batch can join it."""
    number = session.scalar(text("select nullif(current_setting('deskbell.operation', true), '')"))
    return int(number) if number else None
