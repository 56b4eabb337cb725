"""What templates are given: rows turned into plain values, with what the viewer may not see left out already."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Person, Role, User, display_name
from deskbell.kernel.storage import INLINE_SAFE
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket, TicketPriority, TicketStatus
from deskbell.web.i18n import gettext as _
from deskbell.web.templating import label


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page."""

    id: int
    name: str
    email: str
    role: str
    is_staff: bool
    time_zone: str

    @classmethod
    def of(cls, identity: Identity) -> Self:
        """Show somebody who is logged in."""
        name = identity.full_name or identity.email.partition("@")[0]
        is_staff = identity.role is not Role.CUSTOMER
        return cls(identity.user_id, name, identity.email, identity.role.value, is_staff, identity.time_zone)


def choices(kind: type[TicketStatus] | type[TicketPriority]) -> list[dict[str, str]]:
    """Return what a select offers."""
    return [{"value": member.value, "label": label(member.value)} for member in kind]


def person(somebody: Person | User | None) -> dict[str, Any]:
    """Show a person; whom the viewer may not know is somebody."""
    if somebody is None:
        return {"id": None, "name": _("Somebody"), "email": "", "is_staff": False}
    name, email = display_name(somebody), somebody.email or ""
    return {"id": somebody.id, "name": name, "email": email, "is_staff": somebody.is_staff}


def ticket_row(ticket: Ticket, *, staff: bool) -> dict[str, Any]:
    """Show a ticket in the list."""
    return {
        "number": ticket.ticket_number,
        "title": ticket.title,
        "status": ticket.status.value,
        "priority": ticket.priority.value,
        "requester": person(ticket.requester),
        "assignee": person(ticket.agent) if ticket.agent else None,
        "tags": [_tag(tag) for tag in ticket.tags] if staff else [],
        "updated_at": ticket.updated_at,
    }


def comment(it: Comment) -> dict[str, Any]:
    """Show one comment of the thread."""
    return {
        "id": it.id,
        "author": person(it.writer),
        "is_internal": it.is_internal,
        "content": it.content,
        "content_html": it.content_html,
        "folded": it.folded,
        "created_at": it.created_at,
        "attachments": [attachment(file) for file in it.attachments],
    }


def attachment(file: Attachment) -> dict[str, Any]:
    """Show a file to download; only safe kinds of image are shown in place."""
    return {
        "id": file.id,
        "file_name": file.file_name,
        "media_type": file.media_type,
        "size": file.size,
        "url": f"/attachments/{file.id}",
        "is_image": file.media_type.startswith("image/") and file.media_type in INLINE_SAFE,
    }


def _tag(tag: Tag) -> dict[str, str]:
    return {"name": tag.name, "color": tag.color}


def moment(value: object) -> object:
    """Turn the audit log's JSON texts of times back into times."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and value[4:5] == "-" and "T" in value else value
    except ValueError:
        return value
