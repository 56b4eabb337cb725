"""How fetching a mailbox stands, by what its folders say. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder


@dataclass(frozen=True, slots=True)
class Standing:
    """How fetching stands. `code` is off, delivered, waiting, fine or failing; `problem` and `since` say of what."""

    code: str
    problem: str = ""
    since: datetime | None = None
    checked_at: datetime | None = None
    missing: int = 0


def standing(mailbox: Mailbox, folders: Sequence[MailboxFolder]) -> Standing:
    """Say how a mailbox stands, by its folders."""
    missing = sum(len(folder.missing) for folder in folders)
    if not mailbox.is_active:
        return Standing("off", missing=missing)
    if not mailbox.imap_host:
        return Standing("delivered", missing=missing)
    checked_at = max((folder.checked_at for folder in folders if folder.checked_at), default=None)
    failing = [folder for folder in folders if folder.problem]
    if failing:
        worst = min(failing, key=lambda folder: (folder.failing_since is None, folder.failing_since, folder.id))
        return Standing("failing", worst.problem, worst.failing_since, checked_at, missing)
    return Standing("fine" if checked_at else "waiting", checked_at=checked_at, missing=missing)
