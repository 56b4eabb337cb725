"""The job that files a message."""

from sqlalchemy.orm import Session

from deskbell.mail.filing import actions


def file_message(session: Session, message_id: int) -> None:
    """File one message, unless somebody else has done so."""
    actions.file_message(session, message_id)
