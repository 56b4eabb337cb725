"""Asking for mailboxes."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.errors import NotFoundError
from deskbell.kernel.paging import SortKey
from deskbell.kernel.text import normalized_email
from deskbell.mail.mailboxes.addresses import without_tag
from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder, MailboxTag, TicketMailbox
from deskbell.tickets.models import Tag, Ticket

MAILBOXES_BY_ID: Final = (SortKey(Mailbox.id),)
NOTHING_SENDS: Final = "no mailbox sends"
"""A fact for `deskbell.kernel.remembering.Lately`."""


def mailboxes(*, active: bool = False) -> Select[Mailbox]:
    """Return the mailboxes by name, all or the active ones."""
    statement = select(Mailbox).order_by(func.lower(Mailbox.name), Mailbox.id)
    return statement.where(Mailbox.is_active) if active else statement


def mailbox_for(session: Session, addresses: Iterable[str]) -> Mailbox | None:
    """Return the mailbox that one of these addresses belongs to, the first that does; tags after a plus aside."""
    wanted = list(dict.fromkeys(normalized_email(without_tag(each)) for each in addresses))
    found = session.scalars(select(Mailbox).where(func.lower(Mailbox.address).in_(wanted))).all()
    return min(found, key=lambda each: wanted.index(normalized_email(each.address)), default=None)


def mailbox_of(session: Session, ticket: Ticket) -> Mailbox | None:
    """Return the mailbox from which a ticket's answers leave: where it came to, its team's, or the only one there is.

    None where there is none: they leave from the desk's own address.
    """
    its = select(Mailbox).join(TicketMailbox, TicketMailbox.mailbox_id == Mailbox.id)
    came_to = session.scalar(its.where(TicketMailbox.ticket_id == ticket.id, Mailbox.is_active))
    if came_to is not None:
        return came_to
    found = session.scalars(mailboxes(active=True)).all()
    of_team = [each for each in found if each.team_id is not None and each.team_id == ticket.team_id]
    if of_team:
        return of_team[0]
    return found[0] if len(found) == 1 else None


def get_folder(session: Session, mailbox_id: int, folder_id: int) -> MailboxFolder:
    """Load a folder of a mailbox. Raises NotFoundError."""
    found = session.get(MailboxFolder, folder_id)
    if found is None or found.mailbox_id != mailbox_id:
        raise NotFoundError(f"Mailbox {mailbox_id} has no folder {folder_id}.")
    return found


def folders_of(session: Session, mailbox_ids: Iterable[int]) -> dict[int, list[MailboxFolder]]:
    """Return the folders of mailboxes by mailbox, by name. One statement."""
    wanted = select(MailboxFolder).where(MailboxFolder.mailbox_id.in_(list(mailbox_ids)))
    found: dict[int, list[MailboxFolder]] = {}
    for folder in session.scalars(wanted.order_by(func.lower(MailboxFolder.name), MailboxFolder.id)):
        found.setdefault(folder.mailbox_id, []).append(folder)
    return found


def tags_of(session: Session, mailbox_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the names of the tags that new tickets of mailboxes bear, by mailbox, by name. One statement."""
    wanted = select(MailboxTag.mailbox_id, Tag.name).join(Tag, Tag.id == MailboxTag.tag_id)
    found: dict[int, list[str]] = {}
    for mailbox_id, name in session.execute(
        wanted.where(MailboxTag.mailbox_id.in_(list(mailbox_ids))).order_by(func.lower(Tag.name))
    ):
        found.setdefault(mailbox_id, []).append(name)
    return found
