"""What use cases need beside the database, carried by the session: clock, storage, cache, a few plain settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from deskbell.kernel.cache import Cache
from deskbell.kernel.clock import Clock
from deskbell.kernel.mail_rules import MailRules
from deskbell.kernel.reach import Reach
from deskbell.kernel.remembering import Lately
from deskbell.kernel.storage import Storage
from deskbell.kernel.vault import NO_VAULT, Vault

RESOURCES_KEY = "deskbell.resources"


@dataclass(frozen=True, slots=True)
class Resources:
    """Made once by the edge. `attachment_bytes`, `mail_bytes` and `delivery_bytes` are the largest sizes taken in.

    They are those of files, of messages that are read, and of messages that servers and programs deliver.

    `undo` is how long a message waits before it is sent. `audit_months` and `access_months` are how long the logs are
    kept; 0 is forever.
    """

    clock: Clock
    storage: Storage
    ticket_prefix: str
    attachment_bytes: int
    mail_bytes: int
    delivery_bytes: int = 64 * 1024 * 1024
    undo: timedelta = timedelta(seconds=10)
    audit_months: int = 0
    access_months: int = 0
    cache: Cache | None = None
    folders: Mapping[str, Path] = field(default_factory=dict)
    vault: Vault = NO_VAULT
    reach: Reach = field(default_factory=Reach)
    mail: MailRules = field(default_factory=MailRules)
    lately: Lately = field(default_factory=Lately)


def resources_of(session: Session) -> Resources:
    """Return what the edge gave this session."""
    resources: Resources = session.info[RESOURCES_KEY]
    return resources
