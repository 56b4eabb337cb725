"""What a customer sees of one request and does to it, as functions over a session: each takes the request's number.

Nothing here tells of internal notes: not the ticket's version or last change, no id from which one could count, no gap.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from deskbell.accounts.models import Person
from deskbell.accounts.queries import get_user
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError
from deskbell.kernel.resources import resources_of
from deskbell.tickets.actions import change_status, open_ticket, reply
from deskbell.tickets.bodies import Body
from deskbell.tickets.errors import NoSuchTicketError
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.models import Attachment, Comment, Ticket, TicketStatus
from deskbell.tickets.queries import get_attachment, get_thread, get_ticket, lock_ticket
from deskbell.web.i18n import gettext as _
from deskbell.web.pages import present
from deskbell.web.portal.visiting import address_of
from deskbell.web.portal.words import shown


def request_page(session: Session, number: str) -> dict[str, Any]:
    """Return a request with its conversation. Raises NoSuchTicketError."""
    ticket, me = get_thread(session, number), actor_of(session).user_id
    comments = [comment for comment in ticket.comments if not comment.is_internal]
    first = [file for file in ticket.attachments if file.comment_id is None]
    opening = _message(ticket, ticket.requester, first, is_mine=ticket.creator_id == me)
    opening |= {"content": ticket.description, "html": ticket.description_html, "folded": ticket.description_folded}
    return {
        "ticket": {
            "number": ticket.ticket_number,
            "title": ticket.title,
            "address": address_of(ticket.ticket_number),
            "standing": shown(ticket.status),
            "is_mine": ticket.creator_id == me,
        },
        "messages": [opening, *(_reply(ticket, comment, me) for comment in comments)],
    }


def ask(session: Session, title: str, body: Body, files: Sequence[StoredFile]) -> str:
    """Open a request of the actor's; return its number."""
    me = actor_of(session).user_id
    assert me is not None  # noqa: S101 - a customer has an id
    ticket = open_ticket(session, body=body, requester=get_user(session, me), title=title)
    for file in files:
        add_attachment(session, ticket, file, comment=None, uploaded_by_id=me)
    return ticket.ticket_number


def answer(session: Session, number: str, body: Body, files: Sequence[StoredFile]) -> None:
    """Reply to a request; what waited for the customer or was solved is ours again."""
    comment = reply(session, number, body=body, now=resources_of(session).clock.now())
    ticket = get_ticket(session, number)
    for file in files:
        add_attachment(session, ticket, file, comment=comment, uploaded_by_id=comment.author_id)


def settle(session: Session, number: str, status: TicketStatus) -> None:
    """Say that one's own request is solved, or open it again. One that stands so already stays as it is."""
    ticket = lock_ticket(session, number)
    if ticket.creator_id != actor_of(session).user_id:
        raise ForbiddenError(_("Only who asked can do this."))
    if ticket.status.is_done != status.is_done:
        change_status(session, number, status)


def file_of(session: Session, number: str, attachment_id: int) -> Attachment:
    """Return a file of this request, and of no other one. Raises NoSuchTicketError."""
    ticket, attachment = get_ticket(session, number), get_attachment(session, attachment_id)
    if attachment.ticket_id != ticket.id:
        raise NoSuchTicketError(_("There is no attachment %(number)s.") % {"number": attachment_id})
    return attachment


def _reply(ticket: Ticket, comment: Comment, me: int | None) -> dict[str, Any]:
    message = _message(ticket, comment.writer, comment.attachments, is_mine=comment.author_id == me)
    words = {"content": comment.content, "html": comment.content_html, "folded": comment.folded}
    return {**message, **words, "at": comment.created_at}


def _message(ticket: Ticket, author: Person | None, files: Sequence[Attachment], *, is_mine: bool) -> dict[str, Any]:
    by_staff = author is not None and author.is_staff and not is_mine
    return {
        "author": _name(author, by_staff=by_staff),
        "is_mine": is_mine,
        "by_staff": by_staff,
        "at": ticket.created_at,
        "files": [_file(ticket, file) for file in files],
    }


def _name(author: Person | None, *, by_staff: bool) -> str:
    """Return a name and never an address, nor a part of one."""
    return (author.full_name if author else "") or (_("Our team") if by_staff else _("Somebody"))


def _file(ticket: Ticket, file: Attachment) -> dict[str, Any]:
    address = f"{address_of(ticket.ticket_number)}/files/{file.id}"
    return {**present.attachment(file), "url": address}
