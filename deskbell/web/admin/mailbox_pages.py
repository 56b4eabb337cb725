"""What the pages about mailboxes show, as functions over a session."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Team
from deskbell.accounts.queries import teams
from deskbell.mail.inbound.models import InboundMessage
from deskbell.mail.mailboxes.actions import get_mailbox
from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder
from deskbell.mail.mailboxes.queries import folders_of, mailboxes, tags_of
from deskbell.mail.mailboxes.standing import standing
from deskbell.tickets.glance import tag_names
from deskbell.tickets.models import TicketPriority
from deskbell.web.admin.mailbox_forms import MailboxForm, offers
from deskbell.web.pages.present import choices

SHOWN: Final = 500
"""Mailboxes on one page; nobody has that many."""
GAPS_SHOWN: Final = 30


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
    tags = tags_of(session, [mailbox.id]).get(mailbox.id, [])
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
