"""Jobs that keep the kernel's own tables and folders tidy."""

from datetime import timedelta

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from deskbell.kernel.idempotency import IdempotencyKey
from deskbell.kernel.resources import resources_of

PARTITIONS_AHEAD = 3
ANSWERS_KEPT = timedelta(days=1)
"""How long a repeated request gets its first answer again."""
UPLOADS_KEPT = timedelta(hours=6)
"""After which a half-written upload is taken for what a crash left behind."""


def make_partitions(session: Session) -> int:
    """Make the partitions of both logs for the coming months where they are missing; return how many were.

    What lies in a default partition moves to its month, past ones as well.
    """
    made: int = session.scalars(text("select deskbell_make_partitions(:months)"), {"months": PARTITIONS_AHEAD}).one()
    return made


def forget_answers(session: Session) -> None:
    """Forget answers to requests that nobody will repeat any more."""
    before = resources_of(session).clock.now() - ANSWERS_KEPT
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))


def sweep_storage(session: Session) -> None:
    """Remove what crashes left half-written in the attachment storage."""
    resources = resources_of(session)
    resources.storage.sweep(resources.clock.now() - UPLOADS_KEPT)
