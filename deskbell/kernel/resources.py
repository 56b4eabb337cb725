"""What use cases need beside the database, carried by the session: the clock, the storage, a few plain settings."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from deskbell.kernel.clock import Clock
from deskbell.kernel.storage import Storage

RESOURCES_KEY = "deskbell.resources"


@dataclass(frozen=True, slots=True)
class Resources:
    """Made once by the edge. `attachment_bytes` and `mail_bytes` are the largest sizes that are taken in."""

    clock: Clock
    storage: Storage
    ticket_prefix: str
    attachment_bytes: int
    mail_bytes: int


def resources_of(session: Session) -> Resources:
    """Return what the edge gave this session."""
    resources: Resources = session.info[RESOURCES_KEY]
    return resources
