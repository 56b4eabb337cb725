"""Use cases about tags: making them, putting them on tickets and taking them off."""

import re
from collections.abc import Sequence

from sqlalchemy import BigInteger, Text, delete, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from deskbell.kernel.errors import InvalidError, NotFoundError
from deskbell.kernel.text import one_line
from deskbell.tickets.actions import require_staff
from deskbell.tickets.models import Tag, TicketTag
from deskbell.tickets.queries import lock_ticket

NAME_LENGTH = 100
ONLY_THE_DESK = "Only the desk may change tags."
COLOR = re.compile(r"#[0-9a-f]{6}")
DEFAULT_COLOR = "#6b7280"
USES_COUNTED = 1_000
"""Counting all tickets of a common tag takes long."""


def create_tag(session: Session, *, name: str, color: str = DEFAULT_COLOR, description: str = "") -> Tag:
    """Add a tag. Raises InvalidError for a color that is not `#rrggbb`, ConflictError for a taken name."""
    tag = Tag(name=tag_name(name), color=tag_color(color), description=one_line(description, 500))
    session.add(tag)
    session.flush()  # for the id, and for a taken name to show here
    return tag


def change_tag(
    session: Session, tag_id: int, *, name: str | None = None, color: str | None = None, description: str | None = None
) -> Tag:
    """Rename a tag, or change its color or description, on all tickets at once. Raises as `create_tag` does."""
    changed = get_tag(session, tag_id)
    if name is not None:
        changed.name = tag_name(name)
    if color is not None:
        changed.color = tag_color(color)
    if description is not None:
        changed.description = one_line(description, 500)
    session.flush()  # for a taken name to show here
    return changed


def merge_tags(session: Session, tag_id: int, into_id: int) -> Tag:
    """Put another tag on all tickets that bear this one, remove this one for good, and return the other."""
    if tag_id == into_id:
        raise InvalidError("A tag cannot be merged into itself. Choose another one.", field="into")
    gone, kept = get_tag(session, tag_id), get_tag(session, into_id)
    bearing = select(TicketTag.ticket_id, literal(kept.id, BigInteger)).where(TicketTag.tag_id == gone.id)
    session.execute(insert(TicketTag).from_select(["ticket_id", "tag_id"], bearing).on_conflict_do_nothing())
    delete_tag(session, gone.id)
    return kept


def get_tag(session: Session, tag_id: int) -> Tag:
    """Load a tag. Raises NotFoundError."""
    found = session.get(Tag, tag_id)
    if found is None:
        raise NotFoundError(f"There is no tag {tag_id}.")
    return found


def tag(session: Session, number: str, name: str) -> bool:
    """Put a tag on a ticket, making it where it is new. Return whether anything changed."""
    require_staff(session, ONLY_THE_DESK)
    ticket = lock_ticket(session, number)
    [tag_id] = ensure_tags(session, [name]).values()
    statement = insert(TicketTag).values(ticket_id=ticket.id, tag_id=tag_id).on_conflict_do_nothing()
    return bool(session.execute(statement.returning(TicketTag.tag_id)).all())


def untag(session: Session, number: str, name: str) -> bool:
    """Take a tag off a ticket. Return whether anything changed."""
    require_staff(session, ONLY_THE_DESK)
    ticket = lock_ticket(session, number)
    known = select(Tag.id).where(func.lower(Tag.name) == func.lower(tag_name(name)))
    statement = delete(TicketTag).where(TicketTag.ticket_id == ticket.id, TicketTag.tag_id.in_(known))
    return bool(session.execute(statement.returning(TicketTag.tag_id)).all())


def ensure_tags(session: Session, names: list[str]) -> dict[str, int]:
    """Return the ids of the tags by cleaned name, making those that are missing. Two statements, however many."""
    cleaned = sorted({tag_name(name) for name in names})  # in one order, so that two callers do not lock each other out
    if not cleaned:
        return {}
    wanted = func.unnest(literal(cleaned, ARRAY(Text))).column_valued("wanted")
    session.execute(insert(Tag).from_select(["name"], select(wanted)).on_conflict_do_nothing())
    found = session.execute(select(wanted, Tag.id).join(Tag, func.lower(Tag.name) == func.lower(wanted)))
    return {name: tag_id for name, tag_id in found}  # noqa: C416 - Row


def delete_tag(session: Session, tag_id: int) -> None:
    """Remove a tag from all tickets and for good; the audit log keeps which ones had it. For administrators."""
    session.execute(delete(TicketTag).where(TicketTag.tag_id == tag_id))
    gone = session.execute(delete(Tag).where(Tag.id == tag_id).returning(Tag.id)).all()
    if not gone:
        raise NotFoundError(f"There is no tag {tag_id}.")


def uses(session: Session, tag_ids: Sequence[int], cap: int = USES_COUNTED) -> dict[int, int]:
    """Return how many tickets bear each tag, counted up to `cap` + 1, the deleted ones too. One statement."""
    wanted = func.unnest(literal(list(tag_ids), ARRAY(BigInteger))).table_valued("tag_id").render_derived("wanted")
    some = select(TicketTag.ticket_id).where(TicketTag.tag_id == wanted.c.tag_id).limit(cap + 1).lateral("some")
    counted = select(wanted.c.tag_id, func.count(some.c.ticket_id)).select_from(wanted.outerjoin(some, true()))
    found = session.execute(counted.group_by(wanted.c.tag_id))
    return {tag_id: count for tag_id, count in found}  # noqa: C416 - Row


def tag_color(color: str) -> str:
    """Return a color as it is kept. Raises InvalidError for one that is not `#rrggbb`."""
    written = color.strip().lower()
    if not COLOR.fullmatch(written):
        raise InvalidError(f"A color is written like #1d4ed8, not {one_line(color, 20)!r}.", field="color")
    return written


def tag_name(name: str) -> str:
    """Clean a tag's name. Raises InvalidError when nothing is left or it is too long."""
    cleaned = one_line(name, NAME_LENGTH + 1)
    if not cleaned:
        raise InvalidError("A tag needs a name.", field="name")
    if len(cleaned) > NAME_LENGTH:
        raise InvalidError(f"A tag's name has at most {NAME_LENGTH} characters.", field="name")
    return cleaned
