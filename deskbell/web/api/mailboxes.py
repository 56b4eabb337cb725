"""Mailboxes: where mail comes from and how answers leave, and whether that works. For administrators."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Body, Response
from sqlalchemy.orm import Session

from deskbell.kernel.paging import Cursor, Page, keyset, page
from deskbell.mail.mailboxes import actions
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.mailboxes.queries import MAILBOXES_BY_ID, folders_of, get_folder, mailboxes, tags_of
from deskbell.mail.mailboxes.standing import standing
from deskbell.mail.sources.comparing import compare_mailbox, fill_gaps
from deskbell.web.apart import AdminApart
from deskbell.web.dependencies import ADMIN_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import PREFIX, api_router
from deskbell.web.schemas.base import PathId
from deskbell.web.schemas.mailboxes import (
    ComparedOut,
    FilledOut,
    FolderOut,
    FoldersOut,
    MailboxChange,
    MailboxIn,
    MailboxOut,
    TestedOut,
)
from deskbell.web.trials import steps_of

router = api_router("/mailboxes", "mailboxes")
CONFLICT = problem_responses(409)


@router.get("", summary="List mailboxes", dependencies=[ADMIN_ONLY])
async def list_mailboxes(session: Transaction, pages: Pages) -> PageOf[MailboxOut]:
    """Return all mailboxes, oldest first, with how fetching stands."""
    found = await session.run_sync(_list, pages.limit, pages.place(), pages.scope())
    return pages.answer(found, lambda mailbox: mailbox)


@router.post("", status_code=201, summary="Add a mailbox", dependencies=[ADMIN_ONLY], responses=CONFLICT)
async def add_mailbox(session: Transaction, response: Response, wanted: MailboxIn) -> MailboxOut:
    """Add a mailbox; it is active. Only its address is needed: then its mail is delivered to the desk."""
    made = await session.run_sync(lambda db: _present(db, actions.create_mailbox(db, wanted.wanted())))
    response.headers["Location"] = f"{PREFIX}/mailboxes/{made.id}"
    return made


@router.post("/test", summary="Try the connections of a new mailbox")
async def try_new_mailbox(apart: AdminApart, wanted: MailboxIn) -> TestedOut:
    """Try to fetch and to send as a mailbox would, step by step, and do neither. Nothing is saved."""
    return TestedOut.of(await steps_of(apart, wanted.wanted()))


@router.get("/{mailbox_id}", summary="Read a mailbox", dependencies=[ADMIN_ONLY])
async def read_mailbox(session: Transaction, mailbox_id: PathId) -> MailboxOut:
    """Return a mailbox, without its secrets."""
    return await session.run_sync(lambda db: _present(db, actions.get_mailbox(db, mailbox_id)))


@router.patch("/{mailbox_id}", summary="Change a mailbox", dependencies=[ADMIN_ONLY], responses=CONFLICT)
async def patch_mailbox(session: Transaction, mailbox_id: PathId, changes: MailboxChange) -> MailboxOut:
    """Change what is sent and leave the rest. One that is deactivated keeps what came to it; none is ever deleted."""
    return await session.run_sync(_change, mailbox_id, changes)


@router.post("/{mailbox_id}/test", summary="Try the connections of a mailbox")
async def try_mailbox(
    apart: AdminApart,
    mailbox_id: PathId,
    changes: Annotated[MailboxChange | None, Body(description="With these changes, which are not saved.")] = None,
) -> TestedOut:
    """Try to fetch and to send as it is, or as it would be with changes. Secrets that are not sent are those kept."""
    return TestedOut.of(await steps_of(apart, (changes or MailboxChange()).wanted(), mailbox_id))


@router.get("/{mailbox_id}/folders", summary="List a mailbox's folders", dependencies=[ADMIN_ONLY])
async def list_folders(session: Transaction, mailbox_id: PathId) -> FoldersOut:
    """Return its folders with what goes wrong, and what the nightly comparison found to be missing."""
    return await session.run_sync(_folders, mailbox_id)


@router.post("/{mailbox_id}/compare", status_code=202, summary="Compare a mailbox's folders", dependencies=[ADMIN_ONLY])
async def compare_folders(session: Transaction, mailbox_id: PathId) -> ComparedOut:
    """Have its folders compared with the ledger now instead of at night."""
    return ComparedOut(count=await session.run_sync(compare_mailbox, mailbox_id))


@router.post(
    "/{mailbox_id}/folders/{folder_id}/fill",
    status_code=202,
    summary="Fetch what is missing",
    dependencies=[ADMIN_ONLY],
)
async def fill_folder(session: Transaction, mailbox_id: PathId, folder_id: PathId) -> FilledOut:
    """Have fetched what is missing of a folder, exactly that."""
    count = await session.run_sync(lambda db: fill_gaps(db, get_folder(db, mailbox_id, folder_id).id))
    return FilledOut(count=count)


def _list(session: Session, limit: int, place: Cursor | None, scope: str) -> Page[MailboxOut]:
    limited = keyset(mailboxes(), MAILBOXES_BY_ID, limit=limit, cursor=place, query=scope)
    found = page(session.scalars(limited).all(), MAILBOXES_BY_ID, limit=limit, query=scope)
    return Page(tuple(_presented(session, found.items)), found.next_cursor)


def _change(session: Session, mailbox_id: int, changes: MailboxChange) -> MailboxOut:
    changed = actions.change_mailbox(session, mailbox_id, changes.wanted())
    if changes.is_active is not None:
        actions.set_mailbox_active(session, mailbox_id, active=changes.is_active)
    return _present(session, changed)


def _folders(session: Session, mailbox_id: int) -> FoldersOut:
    mailbox = actions.get_mailbox(session, mailbox_id)
    found = folders_of(session, [mailbox.id]).get(mailbox.id, [])
    return FoldersOut(items=[FolderOut.of(folder) for folder in found])


def _present(session: Session, mailbox: Mailbox) -> MailboxOut:
    session.flush()  # for what the database computes
    session.refresh(mailbox)
    return _presented(session, [mailbox])[0]


def _presented(session: Session, found: Sequence[Mailbox]) -> list[MailboxOut]:
    ids = [mailbox.id for mailbox in found]
    tags, folders = tags_of(session, ids), folders_of(session, ids)
    return [MailboxOut.of(one, tags.get(one.id, []), standing(one, folders.get(one.id, []))) for one in found]
