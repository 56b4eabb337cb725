"""Tickets on the terminal and as JSON. Whatever the actor was not shown is not loaded, and is left out."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from rich.rule import Rule
from rich.text import Text
from sqlalchemy import inspect

from deskbell.accounts.models import Person, display_name
from deskbell.cli.console import counted, safe, say, stdout, when
from deskbell.kernel.text import human_bytes
from deskbell.tickets.models import Attachment, Comment, Ticket

_RULE = 100


def worded(value: StrEnum) -> str:
    """Write `in_progress` as `in progress`."""
    return value.value.replace("_", " ")


def called(person: Person | None) -> str:
    """Name somebody."""
    return display_name(person) if person else "somebody"


def _loaded(ticket: Ticket, name: str) -> Any:  # noqa: ANN401 - of any type
    """Return a relation's value; None where the actor may not see it, as it was not loaded then."""
    return None if name in inspect(ticket).unloaded else getattr(ticket, name)


def say_thread(ticket: Ticket, *, quotes: bool) -> None:
    """Print a ticket and its messages, oldest first."""
    console = stdout()
    console.print(Text(f"{ticket.ticket_number}  {safe(ticket.title)}", style="bold"), soft_wrap=True)
    for name, value in _properties(ticket):
        console.print(Text.assemble((f"{name:<13}", "dim"), safe(value)), soft_wrap=True)
    first = _Message(ticket.description, ticket.description_folded, _files(ticket.attachments, None))
    _say_message(
        f"{called(ticket.requester)}, {when(ticket.created_at)}, by {worded(ticket.channel)}", first, quotes=quotes
    )
    for comment in ticket.comments:
        who = f"{called(comment.writer)}, {when(comment.created_at)}, by {worded(comment.channel)}"
        title = f"{who}, INTERNAL NOTE" if comment.is_internal else who
        message = _Message(comment.content, comment.folded, _files(ticket.attachments, comment))
        _say_message(title, message, quotes=quotes, style="yellow" if comment.is_internal else "")


def _properties(ticket: Ticket) -> Iterable[tuple[str, str]]:
    status = worded(ticket.status)
    if ticket.deleted_at:
        yield "DELETED", f"{when(ticket.deleted_at)} (deskbell ticket restore {ticket.ticket_number} brings it back)"
    yield "Status", f"{status} since {when(ticket.resolved_at)}" if ticket.resolved_at else status
    yield "Priority", worded(ticket.priority)
    yield "Requester", _with_address(ticket.requester)
    yield "Assignee", _with_address(ticket.agent) if ticket.agent else "-"
    for label, name in (("Team", "team"), ("Organization", "organization")):
        if found := _loaded(ticket, name):
            yield label, found.name
    if tags := _loaded(ticket, "tags"):
        yield "Tags", ", ".join(tag.name for tag in tags)
    if not _unknown_then(ticket):
        yield "Changed", f"{when(ticket.updated_at)}, version {ticket.version}"


def _with_address(person: Person | None) -> str:
    address = person.email if person else None
    return f"{called(person)} <{address}>" if address else called(person)


class _Message:
    def __init__(self, text: str, folded: str, files: list[Attachment]) -> None:
        self.text, self.folded, self.files = text, folded, files


def _files(attachments: list[Attachment], comment: Comment | None) -> list[Attachment]:
    return [file for file in attachments if file.comment_id == (comment.id if comment else None)]


def _say_message(title: str, message: _Message, *, quotes: bool, style: str = "") -> None:
    console = stdout()
    console.print()
    rule = Rule(Text(safe(title), style=style or "bold"), align="left", style=style or "dim")
    console.print(rule, width=min(console.width, _RULE))
    say(safe(message.text).rstrip())
    if message.folded:
        lines = message.folded.strip("\n").splitlines()
        if quotes:
            say(*(f"> {safe(line)}" for line in lines))
        else:
            console.print(Text(f"… {counted(len(lines), 'quoted line')} (--quotes shows them)", style="dim"))
    for file in message.files:
        console.print(
            Text(f"[{safe(file.file_name)}, {human_bytes(file.size)}, {file.media_type}]", style="cyan"), soft_wrap=True
        )


def ticket_document(ticket: Ticket) -> dict[str, Any]:
    """Return a ticket of a list as JSON values."""
    document: dict[str, Any] = {
        "number": ticket.ticket_number,
        "title": ticket.title,
        "status": ticket.status,
        "priority": ticket.priority,
        "channel": ticket.channel,
        "requester": _person(ticket.requester),
        "assignee": _person(ticket.agent),
        "version": ticket.version,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "resolved_at": ticket.resolved_at,
        "deleted_at": ticket.deleted_at,
    }
    organization, team, tags = (_loaded(ticket, name) for name in ("organization", "team", "tags"))
    document["organization"] = organization.name if organization else None
    if tags is not None:  # for staff alone
        document |= {"team": team.name if team else None, "tags": [tag.name for tag in tags]}
    return document


def thread_document(ticket: Ticket) -> dict[str, Any]:
    """Return a ticket with all its messages as JSON values."""
    return ticket_document(ticket) | {
        "description": ticket.description,
        "description_folded": ticket.description_folded,
        "attachments": [_file(file) for file in _files(ticket.attachments, None)],
        "comments": [
            {
                "id": comment.id,
                "author": _person(comment.writer),
                "internal": comment.is_internal,
                "channel": comment.channel,
                "created_at": comment.created_at,
                "content": comment.content,
                "folded": comment.folded,
                "attachments": [_file(file) for file in _files(ticket.attachments, comment)],
            }
            for comment in ticket.comments
        ],
    }


def past_document(ticket: Ticket, at: datetime) -> dict[str, Any]:
    """Return a ticket as it was at a time as JSON values; what nobody knows any more is left out."""
    unknown = _unknown_then(ticket)
    return {"as_of": at} | {name: value for name, value in thread_document(ticket).items() if name not in unknown}


def _unknown_then(ticket: Ticket) -> set[str]:
    """Return what is not known of a ticket of `as_of`, and nothing for one that is as it is."""
    return inspect(ticket).unloaded & {"version", "updated_at"}


def _person(person: Person | None) -> dict[str, Any] | None:
    return {"id": person.id, "name": called(person), "email": person.email} if person else None


def _file(file: Attachment) -> dict[str, Any]:
    return {"id": file.id, "name": file.file_name, "type": file.media_type, "size": file.size, "sha256": file.sha256}
