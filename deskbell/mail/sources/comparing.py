"""Comparing what lies on a server with the ledger: what was fetched and is not there is missing, and can be filled in.

Both are jobs that ask the server between two transactions; a mailbox that does not answer hinders no other.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from deskbell.kernel.errors import NotFoundError
from deskbell.kernel.jobs import add_job
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.actions import get_mailbox
from deskbell.mail.mailboxes.models import MailboxFolder
from deskbell.mail.mailboxes.queries import folders_of
from deskbell.mail.sources import folders
from deskbell.mail.sources.errors import RefusedError, Stage
from deskbell.mail.sources.fetching import batches, fetch
from deskbell.mail.sources.imap import Connection, connect
from deskbell.mail.sources.servers import Account, account, accounts, imap_server
from deskbell.mail.sources.threads import aside

COMPARE_ALL: Final = "mail.compare_folders"
COMPARE: Final = "mail.compare_folder"
FILL: Final = "mail.fill_gaps"
_AT_ONCE: Final = 200
_MISSING = text(
    "select coalesce(array_agg(u order by u), '{}') from unnest(:uids) u where u <= :last and not exists"
    " (select from inbound_arrivals a where a.folder_id = :folder and a.uid_validity = :validity and a.uid = u)"
).bindparams(bindparam("uids", type_=ARRAY(BigInteger)))


@dataclass(frozen=True, slots=True)
class Visit:
    """A folder that somebody is about to look into. `missing` are those to be fetched, if any."""

    account: Account
    folder_id: int
    name: str
    uid_validity: int | None
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which messages lie in a folder."""

    uid_validity: int
    uids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finds:
    """Some of the missing messages, and those of them that the server has no longer."""

    messages: dict[int, bytes]
    gone: frozenset[int]


def compare_all(session: Session) -> int:
    """Have each folder that is fetched compared with its server, each by itself; return how many there are."""
    return sum(1 for each in accounts(session) for folder_id, _ in each.folders if compare(session, folder_id))


def compare(session: Session, folder_id: int) -> int:
    """Have one folder compared with its server; return the job's id. Raises NotFoundError."""
    return add_job(session, COMPARE, lock=_lock(_known(session, folder_id)), folder_id=folder_id)


def compare_mailbox(session: Session, mailbox_id: int) -> int:
    """Have each folder of a mailbox that is fetched compared with its server; return how many. Raises NotFoundError."""
    wanted = set(get_mailbox(session, mailbox_id).imap_folders)
    its = [one for one in folders_of(session, [mailbox_id]).get(mailbox_id, []) if one.name in wanted]
    return sum(1 for one in its if compare(session, one.id))


def fill_gaps(session: Session, folder_id: int) -> int:
    """Have fetched what is missing of a folder, exactly that; return how many messages. Raises NotFoundError."""
    missing = session.scalars(select(MailboxFolder.missing).where(MailboxFolder.id == _known(session, folder_id))).one()
    if missing:
        add_job(session, FILL, lock=_lock(folder_id), folder_id=folder_id)
    return len(missing)


def begin_comparison(session: Session, folder_id: int) -> Visit | None:
    """Return how the folder is reached; None where its mailbox is not fetched any more."""
    return _visit(session, folder_id)


async def list_folder(visit: Visit) -> Listing:
    """Ask the server which messages there are. Raises MailServerError."""
    return await aside(lambda: _list(visit))


def record_comparison(session: Session, given: Visit, returned: Listing) -> None:
    """Note which messages below the last one fetched are not in the ledger."""
    folder = session.get_one(MailboxFolder, given.folder_id, with_for_update=True)
    if folder.uid_validity not in {None, returned.uid_validity}:
        return  # numbered anew: all of it is fetched again, and then compared the next night
    values = {"uids": list(returned.uids), "last": folder.last_uid}
    values |= {"folder": folder.id, "validity": returned.uid_validity}
    folder.missing = session.scalars(_MISSING, values).one()
    folder.on_server = len(returned.uids)
    folder.compared_at = resources_of(session).clock.now()


def begin_filling(session: Session, folder_id: int) -> Visit | None:
    """Return how the folder is reached and what to fetch there; None where there is nothing."""
    visit = _visit(session, folder_id)
    return visit if visit is not None and visit.missing else None


async def fetch_missing(visit: Visit) -> Finds:
    """Fetch a batch of them. Raises MailServerError, where the server gives none at all too."""
    return await aside(lambda: _fetch(visit))


def record_finds(session: Session, given: Visit, returned: Finds) -> None:
    """Write them down, and add a job for those that are left."""
    folder = session.get_one(MailboxFolder, given.folder_id, with_for_update=True)
    if given.uid_validity is None or folder.uid_validity != given.uid_validity:
        return  # numbered anew: all of it is fetched again
    folders.write_down(session, given.account, folder.id, given.uid_validity, returned.messages)
    folders.found(session, folder.id, returned.gone)
    if folder.missing and (returned.messages or returned.gone):
        fill_gaps(session, folder.id)


def _list(visit: Visit) -> Listing:
    connection = connect(imap_server(visit.account))
    try:
        opened = connection.open_folder(visit.name)
        return Listing(opened.uid_validity, tuple(uid for some in connection.uids(opened, 0) for uid in some))
    finally:
        connection.close()


def _fetch(visit: Visit) -> Finds:
    """Fetch the first batch that can be had. Nothing is marked as seen: it is not written down yet."""
    connection, reason = connect(imap_server(visit.account)), ""
    try:
        if connection.open_folder(visit.name).uid_validity != visit.uid_validity:
            return Finds({}, frozenset())
        sizes = connection.sizes(visit.missing)
        gone = frozenset(visit.missing) - sizes.keys()
        for batch in batches(connection, sorted(sizes)):
            messages, reasons = _as_many(connection, batch)
            if messages:
                return Finds(messages, gone)
            reason = next(iter(reasons.values()), reason)
    finally:
        connection.close()
    if reason and not gone:
        raise RefusedError(reason, Stage.FETCH)
    return Finds({}, gone)


def _as_many(connection: Connection, batch: dict[int, int]) -> tuple[dict[int, bytes], dict[int, str]]:
    """Fetch what the server gives of a batch, and why it does not give the rest."""
    try:
        return fetch(connection, batch)
    except RefusedError as error:
        if len(batch) == 1:
            return {}, dict.fromkeys(batch, error.message)
    singly = [_as_many(connection, {uid: size}) for uid, size in batch.items()]
    return {u: raw for got, _ in singly for u, raw in got.items()}, {
        u: why for _, no in singly for u, why in no.items()
    }


def _visit(session: Session, folder_id: int) -> Visit | None:
    folder = session.get_one(MailboxFolder, folder_id)
    its = account(session, folder.mailbox_id)
    if its is None or (folder_id, folder.name) not in its.folders:
        return None
    return Visit(its, folder_id, folder.name, folder.uid_validity, tuple(folder.missing[:_AT_ONCE]))


def _known(session: Session, folder_id: int) -> int:
    if session.get(MailboxFolder, folder_id) is None:
        raise NotFoundError(f"There is no folder {folder_id} of a mailbox.")
    return folder_id


def _lock(folder_id: int) -> str:
    """Name what comparing and filling share: one at a time for a folder."""
    return f"mail.folder:{folder_id}"
