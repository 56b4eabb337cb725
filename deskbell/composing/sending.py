"""From a draft to a comment, once, in its writer's name; and back where that cannot be."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from deskbell.composing.models import Draft, DraftFile
from deskbell.composing.queries import lock_draft
from deskbell.kernel.storage import StoredBlob
from deskbell.tickets.actions import add_note, change_status, reply
from deskbell.tickets.bodies import body_of
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.models import BodyFormat, Comment, Ticket
from deskbell.tickets.queries import number_of


def deliver(session: Session, draft: Draft, *, now: datetime) -> Comment:
    """Make a comment of a draft that the actor holds locked, with its files. Raises as `reply` and `add_note` do."""
    number, body = number_of(session, draft.ticket_id), body_of(draft.content, BodyFormat.MARKDOWN)
    if draft.is_internal:
        comment = add_note(session, number, body=body)
        if draft.status is not None:
            change_status(session, number, draft.status)
    else:
        comment = reply(session, number, body=body, status=draft.status, now=now)
    ticket = session.get_one(Ticket, draft.ticket_id)
    for file in draft.files:
        add_attachment(session, ticket, _stored(file), comment=comment, uploaded_by_id=draft.user_id)
    session.execute(delete(Draft).where(Draft.id == draft.id))
    session.expunge(draft)
    return comment


def put_back(session: Session, waiting: Draft, *, now: datetime, problem: str = "") -> Draft:
    """Make a draft again of a message on its way; what its writer has begun meanwhile comes beneath it.

    Where one of both is an internal note, all of it is: nothing becomes public by being joined.
    """
    begun = lock_draft(session, waiting.ticket_id)
    if begun is not None:
        waiting.content = f"{waiting.content.rstrip()}\n\n{begun.content.lstrip()}".rstrip()
        waiting.is_internal = waiting.is_internal or (begun.is_internal and bool(begun.content.strip()))
        session.execute(update(DraftFile).where(DraftFile.draft_id == begun.id).values(draft_id=waiting.id))
        session.execute(delete(Draft).where(Draft.id == begun.id))
        session.expunge(begun)
        waiting.revision = max(waiting.revision, begun.revision)
    waiting.revision, waiting.saved_at, waiting.problem, waiting.send_at = waiting.revision + 1, now, problem, None
    session.flush()  # before it is looked for as a draft
    return waiting


def _stored(file: DraftFile) -> StoredFile:
    return StoredFile(StoredBlob(file.storage_key, file.sha256, file.size), file.file_name, file.media_type)
