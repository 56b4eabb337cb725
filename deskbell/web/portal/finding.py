"""Which requests a customer sees, newest first, and those like one that they are writing.

Not by the desk's last change: that moves with each internal note, and would tell of it. Requests are sorted by when
they were made, and show when somebody last wrote for all to read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, load_only, selectinload

from deskbell.accounts.models import Organization
from deskbell.kernel.arrays import in_array
from deskbell.kernel.database import actor_of
from deskbell.kernel.paging import Cursor, SortKey, keyset, page
from deskbell.kernel.text import clean
from deskbell.search.language.tree import And, Node, Or, Words
from deskbell.search.words import tsquery
from deskbell.tickets.documents import SearchDocument
from deskbell.tickets.models import Comment, Ticket
from deskbell.web.pages import present
from deskbell.web.portal.words import Standing, shown

ROWS: Final = 25
SIMILAR: Final = 3
MOST_WORDS: Final = 12
SHORTEST: Final = 3
"""Characters of a word that others are found by."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for: whose requests, where they stand, with which words."""

    theirs: bool = False
    standing: Standing | None = None
    text: str = ""
    cursor: Cursor | None = None


def shared_organization(session: Session) -> Organization | None:
    """Return the actor's organization where its members see each other's requests."""
    return session.scalar(select(Organization).where(Organization.shares_tickets))


def requests(session: Session, wanted: Wanted, key: bytes) -> dict[str, Any]:
    """Return one page of requests. At most five statements."""
    organization = shared_organization(session)
    statement = _matching(_whose(session, wanted, organization), wanted)
    query = f"{actor_of(session).user_id} {wanted.theirs} {wanted.standing} {wanted.text}"
    statement = keyset(
        statement.options(_SHOWN, selectinload(Ticket.requester)),
        _NEWEST,
        limit=ROWS,
        cursor=wanted.cursor,
        query=query,
    )
    found = page(session.scalars(statement).all(), _NEWEST, limit=ROWS, query=query)
    latest = _latest(session, [ticket.id for ticket in found.items])
    return {
        "items": [_row(ticket, latest.get(ticket.id), actor_of(session).user_id) for ticket in found.items],
        "next_cursor": found.next_cursor.seal(key) if found.next_cursor else None,
        "organization": organization.name if organization else None,
        "theirs": wanted.theirs and organization is not None,
        "standing": wanted.standing.value if wanted.standing else "",
        "standings": [{"code": each.value, "words": each.words} for each in Standing],
        "text": wanted.text,
    }


def similar(session: Session, title: str) -> list[dict[str, Any]]:
    """Return the actor's own requests that are most like a subject, best first. One statement."""
    query = _query(title, every=False)
    if query is None:
        return []
    vector = SearchDocument.__table__.c.public_vector
    statement = select(Ticket).join(SearchDocument, SearchDocument.ticket_id == Ticket.id).options(_SHOWN)
    statement = statement.where(Ticket.creator_id == actor_of(session).user_id, Ticket.deleted_at.is_(None))
    statement = statement.where(vector.op("@@", is_comparison=True)(query))
    best = statement.order_by(func.ts_rank(vector, query).desc(), Ticket.id.desc()).limit(SIMILAR)
    return [
        {"number": ticket.ticket_number, "title": ticket.title, "standing": shown(ticket.status)}
        for ticket in session.scalars(best)
    ]


def _whose(session: Session, wanted: Wanted, organization: Organization | None) -> Select[Ticket]:
    statement = select(Ticket).where(Ticket.deleted_at.is_(None))
    if wanted.theirs and organization is not None:
        return statement.where(Ticket.organization_id == organization.id)
    return statement.where(Ticket.creator_id == actor_of(session).user_id)


def _matching(statement: Select[Ticket], wanted: Wanted) -> Select[Ticket]:
    if wanted.standing is not None:
        statement = statement.where(Ticket.status.in_(wanted.standing.statuses))
    query = _query(wanted.text, every=True)
    if query is None:
        return statement
    vector = SearchDocument.__table__.c.public_vector
    has_words = vector.op("@@", is_comparison=True)(query)
    is_called = Ticket.ticket_number == clean(wanted.text).strip().upper()
    return statement.join(SearchDocument, SearchDocument.ticket_id == Ticket.id).where(or_(has_words, is_called))


def _query(text: str, *, every: bool) -> Any:  # noqa: ANN401 - a tsquery
    """Compile plain words, of which each may go on: no query language, whose conditions would tell more than words."""
    words = [word for word in clean(text).split() if any(map(str.isalnum, word))][:MOST_WORDS]
    if not every:
        words = [word for word in words if len(word) >= SHORTEST]
    if not words:
        return None
    nodes: tuple[Node, ...] = tuple(Words(word, is_prefix=True) for word in words)
    return tsquery(nodes[0] if len(nodes) == 1 else And(nodes) if every else Or(nodes))


def _latest(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    """Return when somebody last wrote in each ticket, for all to read."""
    column = Comment.__table__.c.ticket_id
    statement = select(column, func.max(Comment.created_at)).where(
        in_array(column, ids), Comment.is_internal.is_(False)
    )
    return {number: at for number, at in session.execute(statement.group_by(column))}  # noqa: C416 - dict() knows no Row


def _row(ticket: Ticket, latest: datetime | None, me: int | None) -> dict[str, Any]:
    return {
        "number": ticket.ticket_number,
        "title": ticket.title,
        "standing": shown(ticket.status),
        "created_at": ticket.created_at,
        "latest_at": latest or ticket.created_at,
        "is_answered": latest is not None,
        "is_mine": ticket.creator_id == me,
        "requester": present.person(ticket.requester)["name"],
    }


_SHOWN: Final = load_only(
    Ticket.ticket_number, Ticket.title, Ticket.status, Ticket.creator_id, Ticket.created_at, raiseload=True
)
_NEWEST: Final = (SortKey(Ticket.created_at, descending=True), SortKey(Ticket.id, descending=True))
