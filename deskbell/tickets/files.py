"""Use cases about attachments. The bytes are stored first, outside the transaction; the row makes them belong."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.storage import StoredBlob
from deskbell.kernel.text import clean_file_name
from deskbell.tickets.models import Attachment, Comment, Ticket
from deskbell.tickets.queries import get_ticket, lock_ticket


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are in the storage already. `media_type` was sniffed from them, not believed."""

    blob: StoredBlob
    file_name: str
    media_type: str
    content_id: str | None = None


def check_place(session: Session, number: str, *, comment_id: int | None = None) -> None:
    """Raise what `attach` would raise: to be asked before the bytes are stored for nothing."""
    _comment(session, get_ticket(session, number), comment_id)


def attach(session: Session, number: str, file: StoredFile, *, comment_id: int | None = None) -> Attachment:
    """Attach a file to a ticket's first message or to one of its comments, of which customers may use their own."""
    ticket = lock_ticket(session, number)
    comment = _comment(session, ticket, comment_id)
    actor = actor_of(session)
    if actor.user_id is None:
        raise ForbiddenError("The system attaches nothing by itself; say who the sender is.")
    return add_attachment(session, ticket, file, comment=comment, uploaded_by_id=actor.user_id)


def _comment(session: Session, ticket: Ticket, comment_id: int | None) -> Comment | None:
    if comment_id is None:
        return None
    comment = session.get(Comment, comment_id)
    if comment is None or comment.ticket_id != ticket.id:
        raise InvalidError(f"{ticket.ticket_number} has no comment {comment_id}.", field="comment_id")
    actor = actor_of(session)
    if not actor.is_staff and comment.author_id != actor.user_id:
        raise ForbiddenError("You can attach files to your own comments, and to the ticket.")
    return comment


def add_attachment(
    session: Session, ticket: Ticket, file: StoredFile, *, comment: Comment | None, uploaded_by_id: int
) -> Attachment:
    """Add the row of a stored file: for callers that hold the ticket already."""
    attachment = Attachment(
        ticket_id=ticket.id,
        comment_id=comment.id if comment else None,
        file_name=clean_file_name(file.file_name),
        media_type=file.media_type,
        size=file.blob.size,
        sha256=file.blob.sha256,
        storage_key=file.blob.key,
        content_id=file.content_id,
        uploaded_by_id=uploaded_by_id,
    )
    session.add(attachment)
    session.flush()  # for the id
    return attachment
