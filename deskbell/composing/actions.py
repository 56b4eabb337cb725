"""Use cases of whoever writes a message: keeping a draft, its files, sending it, calling it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.composing.errors import AlreadySentError
from deskbell.composing.guard import Seen, check_seen
from deskbell.composing.models import Draft, DraftFile
from deskbell.composing.queries import get_file, lock_draft, lock_waiting
from deskbell.composing.sending import deliver, put_back
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.jobs import add_job
from deskbell.kernel.text import clean, clean_file_name
from deskbell.tickets.actions import require_staff
from deskbell.tickets.bodies import MAXIMUM_LENGTH, body_of
from deskbell.tickets.files import StoredFile
from deskbell.tickets.models import BodyFormat, Comment, TicketStatus
from deskbell.tickets.queries import get_ticket

SEND_MESSAGE: Final = "composing.send_message"
ONLY_THE_DESK: Final = "Only the desk keeps drafts."
MOST_FILES: Final = 50


@dataclass(frozen=True, slots=True)
class Written:
    """What a composer holds: Markdown. `status` is where the ticket stands once it is sent, None: as it stands."""

    content: str
    is_internal: bool = False
    status: TicketStatus | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft was kept as `revision`, 0 where there is nothing to keep.

    `replaced` is what another window had written meanwhile, which is not kept.
    """

    revision: int
    replaced: str | None = None


def save(session: Session, number: str, written: Written, *, revision: int, now: datetime) -> Saved:
    """Keep what is typed; the last one to write wins. `revision` is the one that the composer last knew, or 0."""
    require_staff(session, ONLY_THE_DESK)
    content = clean(written.content)
    if len(content) > MAXIMUM_LENGTH:
        raise InvalidError(f"A message has at most {MAXIMUM_LENGTH:,} characters.", field="content")
    draft = lock_draft(session, get_ticket(session, number, deleted=True).id)
    replaced = (
        draft.content if draft and draft.revision != revision and draft.content.strip() != content.strip() else None
    )
    if not content.strip() and not (draft and draft.files):
        if draft is not None:
            _delete(session, draft)
        return Saved(0, replaced or None)
    kept = draft or _new(session, number)
    _write(kept, written, now)
    session.flush()  # for a constraint to show here
    return Saved(kept.revision, replaced or None)


def discard(session: Session, number: str) -> None:
    """Throw the actor's draft away, with its files."""
    draft = lock_draft(session, get_ticket(session, number, deleted=True).id)
    if draft is not None:
        _delete(session, draft)


def add_file(session: Session, number: str, file: StoredFile) -> DraftFile:
    """Put a stored file to the draft, which is made where there is none."""
    require_staff(session, ONLY_THE_DESK)
    draft = lock_draft(session, get_ticket(session, number).id) or _new(session, number)
    if len(draft.files) >= MOST_FILES:
        raise InvalidError(f"A message has at most {MOST_FILES} files.", field="files")
    blob = file.blob
    kept = DraftFile(
        draft_id=draft.id,
        file_name=clean_file_name(file.file_name),
        media_type=file.media_type,
        size=blob.size,
        sha256=blob.sha256,
        storage_key=blob.key,
    )
    session.add(kept)
    session.flush()  # for the id
    session.expire(draft, ["files"])
    return kept


def remove_file(session: Session, file_id: int) -> None:
    """Take a file off the actor's draft. Raises NotFoundError."""
    file = get_file(session, file_id)
    session.execute(delete(DraftFile).where(DraftFile.id == file.id))


def send(
    session: Session, number: str, written: Written, *, seen: Seen, now: datetime, grace: timedelta
) -> Draft | Comment:
    """Send what is written, with the files of the draft; return the comment, or, with a grace, what waits for its end.

    A message of the same writer that waits already goes first. Raises InvalidError where there is nothing to send,
    MovedOnError where the guard stops it, TicketDeletedError.
    """
    require_staff(session, ONLY_THE_DESK)
    body_of(written.content, BodyFormat.MARKDOWN)
    ticket = check_seen(session, number, seen)
    if (waiting := lock_waiting(session, ticket.id)) is not None:
        deliver(session, waiting, now=now)
    draft = lock_draft(session, ticket.id) or _new(session, number)
    _write(draft, written, now)
    if not grace:
        return deliver(session, draft, now=now)
    draft.send_at = now + grace
    session.flush()  # before the job that looks for it
    add_job(session, SEND_MESSAGE, draft_id=draft.id, run_at=draft.send_at)
    return draft


def call_back(session: Session, number: str, *, now: datetime) -> Draft:
    """Put the message on its way back into the composer. Raises AlreadySentError."""
    ticket = get_ticket(session, number, deleted=True)
    waiting = lock_waiting(session, ticket.id)
    if waiting is None:
        raise AlreadySentError
    return put_back(session, waiting, now=now)


def _write(draft: Draft, written: Written, now: datetime) -> None:
    draft.content, draft.is_internal, draft.status = clean(written.content), written.is_internal, written.status
    draft.revision, draft.saved_at, draft.problem = draft.revision + 1, now, ""


def _new(session: Session, number: str) -> Draft:
    """Make an empty draft; where another window was faster, it is that one."""
    ticket_id = get_ticket(session, number).id
    values = {"user_id": actor_of(session).user_id, "ticket_id": ticket_id}
    session.execute(insert(Draft).values(values).on_conflict_do_nothing())
    draft = lock_draft(session, ticket_id)
    assert draft is not None  # noqa: S101 - just made, and locked
    return draft


def _delete(session: Session, draft: Draft) -> None:
    session.execute(delete(Draft).where(Draft.id == draft.id))
    session.expunge(draft)
