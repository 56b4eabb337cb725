"""What the page of one ticket shows, as functions over a session: slices side by side, no SQL."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from deskbell.accounts.queries import teams
from deskbell.composing.mentions import Colleague
from deskbell.composing.models import Draft, DraftFile
from deskbell.composing.queries import Own, colleagues, mentions_in, own
from deskbell.kernel.database import actor_of
from deskbell.kernel.resources import resources_of
from deskbell.kernel.storage import INLINE_SAFE
from deskbell.tickets.bodies import body_of
from deskbell.tickets.changes import say
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.glance import NEWEST, Glance, Others, glance, other_tickets, tag_names
from deskbell.tickets.models import BodyFormat, Comment, Ticket, TicketPriority, TicketStatus
from deskbell.web.pages import present
from deskbell.web.workspace.correspondence import correspondence

STEP: Final = 300
"""Older messages that are shown by one step at most, so that a page takes its time only when it is asked to."""
MOST_SHOWN: Final = NEWEST + 10 * STEP
_CID: Final = re.compile(r'src="cid:([^"]*)"', re.IGNORECASE)
_IMAGE: Final = re.compile(r'<img((?:\s+[\w-]+="[^"]*")*)\s*/?>')
_ATTRIBUTE: Final = re.compile(r'\s([\w-]+)="[^"]*"')
"""As the sanitiser writes them: every value in double quotes, so that nothing in one can end the tag."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer's composer holds."""

    content: str
    status: TicketStatus | None = None


def ticket(session: Session, number: str, *, shown: int = NEWEST) -> dict[str, Any]:
    """Return one ticket with the newest of its thread, and for the desk all that stands beside it.

    `shown` is how many messages, the first one aside; at least `NEWEST`, at most `MOST_SHOWN`.
    """
    found = glance(session, number, newest=min(max(shown, NEWEST), MOST_SHOWN))
    context = shown_thread(found, staff=actor_of(session).is_staff)
    return {**context, **_for_the_desk(session, found)} if actor_of(session).is_staff else context


def shown_thread(found: Glance, *, staff: bool) -> dict[str, Any]:
    """Return the ticket with the part of its thread that was loaded."""
    return {
        "ticket": _ticket(found, staff=staff),
        "comments": [_comment(comment) for comment in found.comments],
        "older": _older(found),
        "statuses": present.choices(TicketStatus),
        "priorities": present.choices(TicketPriority),
        "seen": _seen(found),
    }


def send(session: Session, number: str, message: Message, version: int) -> tuple[Comment, Ticket]:
    """Add a customer's reply; return it and the ticket, for its files."""
    body, now = body_of(message.content), resources_of(session).clock.now()
    return say(session, number, body, is_internal=False, status=message.status, expected=version, now=now)


def attach(session: Session, comment: Comment, ticket: Ticket, file: StoredFile) -> None:
    """Add one of its files to what was just sent."""
    add_attachment(session, ticket, file, comment=comment, uploaded_by_id=comment.author_id)


def comment_with_names(comment: Comment, mentions: Sequence[str] = ()) -> dict[str, Any]:
    """Show a comment of the thread, its inline images by their addresses."""
    shown = present.comment(comment)
    html = _with_images(shown["content_html"], [(file.content_id, file.id) for file in comment.attachments])
    is_markdown = comment.content_format is BodyFormat.MARKDOWN
    return {**shown, "content_html": html, "is_markdown": is_markdown, "mentions": list(mentions)}


def draft_file(file: DraftFile, number: str) -> dict[str, Any]:
    """Show a file of a draft."""
    return {
        "id": file.id,
        "file_name": file.file_name,
        "media_type": file.media_type,
        "size": file.size,
        "url": f"/tickets/{number}/draft/files/{file.id}",
        "is_image": file.media_type.startswith("image/") and file.media_type in INLINE_SAFE,
    }


def _comment(comment: Comment) -> dict[str, Any]:
    return comment_with_names(comment)


def _for_the_desk(session: Session, found: Glance) -> dict[str, Any]:
    it, people = found.ticket, colleagues(session)
    mentions = mentions_in(session, [comment.id for comment in found.comments])
    mine, mail = own(session, it.id), correspondence(session, it.id, [comment.id for comment in found.comments])
    return {
        "seen": {**_seen(found), "newest_copy": max((copy["id"] for copy in mail["copies"]), default=0)},
        "comments": [comment_with_names(comment, mentions.get(comment.id, ())) for comment in found.comments],
        "agents": [_colleague(person) for person in people],
        "teams": [{"id": team.id, "name": team.name} for team in session.scalars(teams())],
        "tag_names": list(tag_names(session)),
        "others": _others(other_tickets(session, it)),
        "mail": mail,
        **_own(mine, it.ticket_number),
    }


def _ticket(found: Glance, *, staff: bool) -> dict[str, Any]:
    ticket, files = found.ticket, found.files
    html = _with_images(ticket.description_html, [(file.content_id, file.id) for file in files])
    return {
        **present.ticket_row(ticket, staff=staff),
        "channel": ticket.channel.value,
        "version": ticket.version,
        "created_at": ticket.created_at,
        "due_at": ticket.due_at,
        "first_responded_at": ticket.first_responded_at,
        "resolved_at": ticket.resolved_at,
        "deleted_at": ticket.deleted_at,
        "team": {"id": ticket.team.id, "name": ticket.team.name} if staff and ticket.team else None,
        "organization": {"name": ticket.organization.name} if ticket.organization else None,
        "description": ticket.description,
        "description_html": html,
        "description_folded": ticket.description_folded,
        "is_markdown": ticket.description_format is BodyFormat.MARKDOWN,
        "attachments": [present.attachment(file) for file in files],
    }


def _with_images(html: str | None, files: Sequence[tuple[str | None, int]]) -> str | None:
    """Show images that came with a message where it has them; others, which have no address, are left out."""
    if not html or "<img" not in html.lower():
        return html
    places = {content_id: f"/attachments/{file_id}" for content_id, file_id in files if content_id}
    shown = _CID.sub(lambda match: f'src="{places[match[1]]}"' if match[1] in places else "", html)
    return _IMAGE.sub(_described, shown)


def _described(image: re.Match[str]) -> str:
    """Whoever cannot see an image is told of it only where its writer has described it."""
    names = _ATTRIBUTE.findall(image[1])
    if "src" not in names:
        return ""
    return image[0] if "alt" in names else f'<img alt=""{image[1]}>'


def _older(found: Glance) -> dict[str, int]:
    """Say how many messages stand before these, and how to ask for more."""
    step = min(found.older, STEP)
    return {"count": found.older, "step": step, "shown": len(found.comments) + step}


def _seen(found: Glance) -> dict[str, Any]:
    """What whoever gets this page has before their eyes; the composer says so when it sends."""
    newest = max((comment.id for comment in found.comments), default=0)
    return {"comment": newest, "status": found.ticket.status.value, "requester": found.ticket.creator_id}


def _own(mine: Own, number: str) -> dict[str, Any]:
    return {"draft": _draft(mine.draft, number), "waiting": _draft(mine.waiting, number)}


def _draft(draft: Draft | None, number: str) -> dict[str, Any] | None:
    if draft is None:
        return None
    return {
        "content": draft.content,
        "content_html": _rendered(draft) if draft.send_at else None,
        "is_internal": draft.is_internal,
        "status": draft.status.value if draft.status else "",
        "revision": draft.revision,
        "problem": draft.problem,
        "send_at": draft.send_at,
        "saved_at": draft.saved_at,
        "files": [draft_file(file, number) for file in draft.files],
    }


def _rendered(draft: Draft) -> str | None:
    return body_of(draft.content, BodyFormat.MARKDOWN).html


def _others(others: Others) -> dict[str, Any]:
    some = [
        {"number": row.ticket_number, "title": row.title, "status": row.status.value, "updated_at": row.updated_at}
        for row in others.tickets
    ]
    return {"tickets": some, "count": others.count}


def _colleague(person: Colleague) -> dict[str, Any]:
    return {"id": person.id, "name": person.name, "email": person.email}
