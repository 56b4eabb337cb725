"""What the desk keeps of a folder on a server: how far it was fetched, what is missing, what is wrong with it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import structlog
from sqlalchemy import case, func, update
from sqlalchemy.orm import Session

from deskbell.kernel.resources import resources_of
from deskbell.mail.inbound.jobs import queue_filing
from deskbell.mail.inbound.ledger import Place, receive_many
from deskbell.mail.mailboxes.models import MailboxFolder
from deskbell.mail.sources.errors import RenumberedError
from deskbell.mail.sources.imap import Opened
from deskbell.mail.sources.servers import Account

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.mail")
_RENUMBERED: Final = (
    "The server numbers what is in {} anew (UIDVALIDITY was {}, is {}): all of it is read again, and what the desk has "
    "already is recognised."
)
_GONE_BACK: Final = (
    "The server has gone back to an earlier state of {} (read up to message {}, its next one is {}): all of it is read "
    "again, and what the desk has already is recognised."
)


def begin(session: Session, folder_id: int, opened: Opened) -> int:
    """Return the UID up to which everything was written down; 0 where the server's numbers mean something else now."""
    folder = _locked(session, folder_id)
    was, last = folder.uid_validity, folder.last_uid
    if was == opened.uid_validity and not _has_gone_back(last, opened):
        return last
    folder.uid_validity, folder.last_uid, folder.missing, folder.on_server = opened.uid_validity, 0, [], None
    if was is not None:
        words = _RENUMBERED.format(opened.name, was, opened.uid_validity)
        if was == opened.uid_validity:
            words = _GONE_BACK.format(opened.name, last, opened.uid_next)
        _log.warning("folder_read_again", folder=folder_id, reason=words)
        _note(session, folder_id, words)
    return 0


def write_down(
    session: Session,
    account: Account,
    folder_id: int,
    uid_validity: int,
    messages: Mapping[int, bytes],
    *,
    up_to: int | None = None,
    without: Iterable[int] = (),
    priority: int = 0,
) -> int:
    """Write messages of a folder down and have the new ones filed; return how many were new.

    In the same transaction the folder is fetched up to `up_to`, but for those in `without`; or, where it is None, these
    are no longer missing. Raises RenumberedError where the numbers mean something else by now.
    """
    folder = _locked(session, folder_id)
    if folder.uid_validity != uid_validity:
        raise RenumberedError(f"What is in {folder.name} was numbered anew while it was fetched: it begins again.")
    places = {Place(folder_id, uid_validity, uid): messages[uid] for uid in sorted(messages)}
    source = f"imap://{account.host}/{folder.name}"  # what follows is as in RFC 5092
    taken = receive_many(session, places, source=source, mailbox_id=account.mailbox_id)
    new = list(dict.fromkeys(each.id for each in taken if each.is_new))  # two may be the very same
    queue_filing(session, *new, priority=priority)
    if up_to is not None:
        folder.last_uid = max(folder.last_uid, up_to)
        folder.missing = sorted({*folder.missing, *without})
    else:
        found(session, folder_id, messages)
    return len(new)


def found(session: Session, folder_id: int, uids: Collection[int]) -> None:
    """Take UIDs off the list of missing ones."""
    folder = _locked(session, folder_id)
    folder.missing = [uid for uid in folder.missing if uid not in uids]


def note_success(session: Session, folder_id: int) -> None:
    """Note that all of a folder was fetched just now."""
    values = {"problem": "", "failing_since": None, "checked_at": resources_of(session).clock.now()}
    session.execute(update(MailboxFolder).where(MailboxFolder.id == folder_id).values(values))


def note_problem(session: Session, folder_ids: Collection[int], words: str) -> None:
    """Note what is wrong with folders; since when is kept where something was wrong before."""
    for folder_id in sorted(folder_ids):
        _note(session, folder_id, words)


def _note(session: Session, folder_id: int, words: str) -> None:
    now = resources_of(session).clock.now()
    since = case((MailboxFolder.problem == "", now), else_=func.coalesce(MailboxFolder.failing_since, now))
    values = {"problem": words, "failing_since": since, "checked_at": now}
    session.flush()  # what was changed of the row as an object comes first
    session.execute(update(MailboxFolder).where(MailboxFolder.id == folder_id).values(values))


def _locked(session: Session, folder_id: int) -> MailboxFolder:
    return session.get_one(MailboxFolder, folder_id, with_for_update=True)


def _has_gone_back(last: int, opened: Opened) -> bool:
    """Whether numbers that were given out are to be given out again, as after a backup was put back (RFC 9051)."""
    return opened.uid_next is not None and opened.uid_next <= last
