"""What the pages about mailboxes show, as functions over a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Team
from deskbell.accounts.queries import teams
from deskbell.mail.inbound.models import InboundMessage
from deskbell.mail.mailboxes.actions import get_mailbox
from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder, MailboxTag
from deskbell.mail.mailboxes.queries import folders_of, mailboxes
from deskbell.mail.sources.comparing import compare
from deskbell.tickets.glance import tag_names
from deskbell.tickets.models import Tag, TicketPriority
from deskbell.web.admin.mailbox_forms import MailboxForm, offers
from deskbell.web.pages.present import choices

SHOWN: Final = 500
"""Mailboxes on one page; nobody has that many."""
GAPS_SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """How fetching stands. `code` is off, delivered, waiting, fine or failing; `problem` and `since` say of what."""

    code: str
    problem: str = ""
    since: datetime | None = None
    checked_at: datetime | None = None
    missing: int = 0


def mailbox_list(session: Session) -> dict[str, Any]:
    """Return all mailboxes with how they stand. Two statements."""
    its = select(InboundMessage.created_at).where(InboundMessage.mailbox_id == Mailbox.id)
    last = its.order_by(InboundMessage.id.desc()).limit(1).scalar_subquery()
    listed = mailboxes().outerjoin(Team, Team.id == Mailbox.team_id).limit(SHOWN)
    found = session.execute(listed.with_only_columns(Mailbox, Team.name, last.label("last"))).all()
    folders = folders_of(session, [row.Mailbox.id for row in found])
    return {"mailboxes": [_listed(mailbox, team, at, folders.get(mailbox.id, [])) for mailbox, team, at in found]}


def mailbox_page(session: Session, mailbox_id: int) -> dict[str, Any]:
    """Return a mailbox with its form, its folders and what they lack. Six statements."""
    mailbox = get_mailbox(session, mailbox_id)
    its_tags = (
        select(Tag.name).join(MailboxTag).where(MailboxTag.mailbox_id == mailbox.id).order_by(func.lower(Tag.name))
    )
    tags = session.scalars(its_tags).all()
    folders = folders_of(session, [mailbox.id]).get(mailbox.id, [])
    return {
        "mailbox": {
            "id": mailbox.id,
            "name": mailbox.name,
            "address": mailbox.address,
            "is_active": mailbox.is_active,
            "is_fetched": bool(mailbox.imap_host),
            "standing": standing(mailbox, folders),
            "kept": list(mailbox.kept),
        },
        "folders": [_folder(folder) for folder in folders],
        "values": MailboxForm.of(mailbox, tags).shown(),
        **form_choices(session),
    }


def form_choices(session: Session) -> dict[str, Any]:
    """Return what the fields offer. Two statements."""
    return {
        "teams": [{"value": str(team.id), "label": team.name} for team in session.scalars(teams())],
        "tag_names": list(tag_names(session)),
        "priorities": choices(TicketPriority),
        **offers(),
    }


def compare_folders(session: Session, mailbox_id: int) -> int:
    """Have each folder of a mailbox that is fetched compared with its server; return how many."""
    wanted = set(get_mailbox(session, mailbox_id).imap_folders)
    folders = [one for one in folders_of(session, [mailbox_id]).get(mailbox_id, []) if one.name in wanted]
    return sum(1 for one in folders if compare(session, one.id))


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


def troubled(session: Session) -> list[dict[str, Any]]:
    """Return the mailboxes that cannot be fetched, or lack messages, for the overview. One statement."""
    concerned = MailboxFolder.problem.not_in([""]) | (func.cardinality(MailboxFolder.missing) > 0)
    joined = select(Mailbox, MailboxFolder).join(MailboxFolder, MailboxFolder.mailbox_id == Mailbox.id)
    by_id: dict[int, tuple[Mailbox, list[MailboxFolder]]] = {}
    for mailbox, folder in session.execute(joined.where(concerned, Mailbox.is_active).order_by(Mailbox.id)):
        by_id.setdefault(mailbox.id, (mailbox, []))[1].append(folder)
    return [
        {"id": mailbox.id, "name": mailbox.name, "standing": standing(mailbox, folders)}
        for mailbox, folders in by_id.values()
    ]


def _listed(
    mailbox: Mailbox, team: str | None, last: datetime | None, folders: Sequence[MailboxFolder]
) -> dict[str, Any]:
    return {
        "id": mailbox.id,
        "name": mailbox.name,
        "address": mailbox.address,
        "team": team,
        "last": last,
        "sends_itself": bool(mailbox.smtp_host),
        "standing": standing(mailbox, folders),
    }


def _folder(folder: MailboxFolder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "name": folder.name,
        "problem": folder.problem,
        "failing_since": folder.failing_since,
        "checked_at": folder.checked_at,
        "compared_at": folder.compared_at,
        "on_server": folder.on_server,
        "missing": list(folder.missing[:GAPS_SHOWN]),
        "lacks": len(folder.missing),
    }
