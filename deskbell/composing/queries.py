"""Drafts and mentions as statements, and how to get one's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from deskbell.accounts.models import User, display_name
from deskbell.accounts.queries import agents
from deskbell.composing.mentions import Colleague
from deskbell.composing.models import Draft, DraftFile, Mention
from deskbell.kernel.arrays import in_array
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Own:
    """What somebody has to one ticket: the draft in the composer, and the message on its way."""

    draft: Draft | None = None
    waiting: Draft | None = None


def own(session: Session, ticket_id: int) -> Own:
    """Load the actor's draft and message on its way, with their files. Two statements."""
    found = session.scalars(_mine(session, ticket_id).options(selectinload(Draft.files))).all()
    draft = next((it for it in found if it.send_at is None), None)
    return Own(draft, next((it for it in found if it.send_at is not None), None))


def lock_draft(session: Session, ticket_id: int) -> Draft | None:
    """Load the actor's draft with its files to change it, if there is one."""
    return _locked(session, _mine(session, ticket_id).where(Draft.send_at.is_(None)))


def lock_waiting(session: Session, ticket_id: int) -> Draft | None:
    """Load the actor's message on its way, with its files, to send it or to call it back, if there is one."""
    return _locked(session, _mine(session, ticket_id).where(Draft.send_at.is_not(None)))


def get_file(session: Session, file_id: int) -> DraftFile:
    """Load a file of one of the actor's drafts. Raises NotFoundError."""
    file = session.get(DraftFile, file_id)
    if file is None:
        raise NotFoundError(f"There is no file {file_id} among your drafts.")
    return file


def colleagues(session: Session) -> Sequence[Colleague]:
    """Return who can be mentioned, by name."""
    columns = agents().with_only_columns(User.id, User.full_name, User.email)
    return [Colleague(row.id, display_name(row), row.email) for row in session.execute(columns)]


def mentions_in(session: Session, comment_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the names of those whom some comments mention, by comment."""
    wanted = select(Mention.comment_id, User.full_name, User.email, User.id).join(User, User.id == Mention.user_id)
    found = session.execute(
        wanted.where(in_array(Mention.__table__.c.comment_id, comment_ids)).order_by(User.full_name)
    )
    names: dict[int, list[str]] = {}
    for row in found:
        names.setdefault(row.comment_id, []).append(display_name(row))
    return names


def _mine(session: Session, ticket_id: int) -> Select[Draft]:
    return select(Draft).where(Draft.user_id == actor_of(session).user_id, Draft.ticket_id == ticket_id)


def _locked(session: Session, statement: Select[Draft]) -> Draft | None:
    fresh = statement.options(selectinload(Draft.files)).with_for_update(of=Draft)
    return session.scalar(fresh.execution_options(populate_existing=True))
