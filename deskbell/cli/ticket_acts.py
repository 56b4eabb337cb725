"""`deskbell ticket open`, `reply`, `assign` and so on: one use case each."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deskbell.cli.commands import As, command
from deskbell.cli.console import say
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deskbell.runtime import Desk

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket's number, like DB-1042.")]
Message = Annotated[
    str,
    typer.Option(
        "--message", "-m", metavar="TEXT", help="What to write; otherwise standard input is read.", show_default=False
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="The message is Markdown.")]
StatusName = Literal["open", "in_progress", "waiting_on_customer", "resolved", "closed"]
PriorityName = Literal["low", "medium", "high", "urgent"]
NewStatus = Annotated[StatusName | None, typer.Option("--status", help="Where the ticket stands after it.")]
Names = Annotated[list[str], typer.Argument(metavar="TAG…", help="Names of tags.")]


@contextmanager
def _acting(email: str, *, writing: bool = False) -> Iterator[tuple["Desk", "Session"]]:
    """Open the desk and one transaction in it. Who is `writing` must be a person."""
    from deskbell.cli.desks import actor, open_desk

    with open_desk() as desk:
        who = actor(desk, email)
        if writing and who.user_id is None:
            raise InvalidError("Say who writes this: --as sam@example.org.", field="as")
        with desk.database.transaction(who) as session:
            yield desk, session


def _text(message: str) -> str:
    """Return what was typed, else what is piped in."""
    if message:
        return message
    if sys.stdin.isatty():
        raise InvalidError("Write the message with --message, or pipe it in.", field="message")
    return sys.stdin.read()


def open_ticket(
    requester: Annotated[str, typer.Option(metavar="EMAIL", help="Who asks. Added as a customer if new.")],
    message: Message = "",
    title: Annotated[str, typer.Option(help="Without one it is taken from the message.", show_default=False)] = "",
    priority: Annotated[PriorityName, typer.Option(help="How urgent it is.")] = "medium",
    markdown: Markdown = False,
    as_: As = "",
) -> None:
    """Open a ticket for somebody."""
    from deskbell.accounts.actions import find_or_create_customer
    from deskbell.tickets import actions
    from deskbell.tickets.bodies import body_of
    from deskbell.tickets.models import BodyFormat, TicketPriority

    body = body_of(_text(message), BodyFormat.MARKDOWN if markdown else BodyFormat.TEXT)
    with _acting(as_) as (_, session):
        customer = find_or_create_customer(session, requester)
        ticket = actions.open_ticket(
            session, body=body, requester=customer, title=title, priority=TicketPriority(priority)
        )
    say(f"{ticket.ticket_number} was opened: {ticket.title}")


def reply(
    number: Number, message: Message = "", status: NewStatus = None, markdown: Markdown = False, as_: As = ""
) -> None:
    """Answer a ticket in public, as the person named with --as."""
    from deskbell.tickets import actions
    from deskbell.tickets.bodies import body_of
    from deskbell.tickets.models import BodyFormat, TicketStatus

    body = body_of(_text(message), BodyFormat.MARKDOWN if markdown else BodyFormat.TEXT)
    with _acting(as_, writing=True) as (desk, session):
        wanted = TicketStatus(status) if status else None
        actions.reply(session, number, body=body, status=wanted, now=desk.resources.clock.now())
    say(f"{number.upper()} was answered.")


def note(number: Number, message: Message = "", markdown: Markdown = False, as_: As = "") -> None:
    """Leave a note that only the desk sees, as the person named with --as."""
    from deskbell.tickets import actions
    from deskbell.tickets.bodies import body_of
    from deskbell.tickets.models import BodyFormat

    body = body_of(_text(message), BodyFormat.MARKDOWN if markdown else BodyFormat.TEXT)
    with _acting(as_, writing=True) as (_, session):
        actions.add_note(session, number, body=body)
    say(f"{number.upper()} has a new internal note.")


def assign(
    number: Number,
    agent: Annotated[str, typer.Argument(metavar="EMAIL", help="An agent's address, or none.")],
    as_: As = "",
) -> None:
    """Give a ticket to an agent, or to nobody."""
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.tickets import actions

    with _acting(as_) as (_, session):
        assignee = None if agent.lower() == "none" else get_user_by_email(session, agent)
        actions.assign(session, number, assignee.id if assignee else None)
    say(f"{number.upper()} is assigned to {assignee.email if assignee else 'nobody'}.")


def status(
    number: Number,
    status: Annotated[StatusName, typer.Argument(help="Where it stands.")],
    as_: As = "",
) -> None:
    """Say where a ticket stands."""
    from deskbell.tickets import actions
    from deskbell.tickets.models import TicketStatus

    with _acting(as_) as (_, session):
        actions.change_status(session, number, TicketStatus(status))
    say(f"{number.upper()} is {status.replace('_', ' ')}.")


def priority(
    number: Number,
    priority: Annotated[PriorityName, typer.Argument(help="How urgent it is.")],
    as_: As = "",
) -> None:
    """Say how urgent a ticket is."""
    from deskbell.tickets import actions
    from deskbell.tickets.models import TicketPriority

    with _acting(as_) as (_, session):
        actions.change_priority(session, number, TicketPriority(priority))
    say(f"{number.upper()} has the priority {priority}.")


def tag(number: Number, names: Names, as_: As = "") -> None:
    """Put tags on a ticket, making those that are new."""
    from deskbell.tickets import labels

    with _acting(as_) as (_, session):
        changed = [name for name in names if labels.tag(session, number, name)]
    say(f"{number.upper()}: {', '.join(changed)} added." if changed else f"{number.upper()} bears these tags already.")


def untag(number: Number, names: Names, as_: As = "") -> None:
    """Take tags off a ticket."""
    from deskbell.tickets import labels

    with _acting(as_) as (_, session):
        changed = [name for name in names if labels.untag(session, number, name)]
    say(
        f"{number.upper()}: {', '.join(changed)} removed." if changed else f"{number.upper()} bears none of these tags."
    )


def attach(
    number: Number,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to attach.")],
    as_: As = "",
) -> None:
    """Attach a file to a ticket, as the person named with --as."""
    from deskbell.kernel.storage import sniff
    from deskbell.tickets import files

    try:
        stream = file.open("rb")
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}. Check the path.", field="file") from error
    with stream, _acting(as_, writing=True) as (desk, session):
        blob = desk.resources.storage.put(stream, max_bytes=desk.resources.attachment_bytes)
        files.attach(session, number, files.StoredFile(blob, file.name, sniff(blob.head, file.name)))
    say(f"{file.name} is attached to {number.upper()}.")


def delete(number: Number, as_: As = "") -> None:
    """Put a ticket away. It can be restored."""
    from deskbell.tickets import actions

    with _acting(as_) as (desk, session):
        changed = actions.soft_delete(session, number, now=desk.resources.clock.now())
    say(f"{number.upper()} was deleted." if changed else f"{number.upper()} was deleted already.")


def restore(number: Number, as_: As = "") -> None:
    """Bring a deleted ticket back."""
    from deskbell.tickets import actions

    with _acting(as_) as (_, session):
        changed = actions.restore(session, number)
    say(f"{number.upper()} is back." if changed else f"{number.upper()} was not deleted.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sam = "--as sam@example.org"
    declared: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
        "ticket open": (
            open_ticket,
            (
                "deskbell ticket open --requester kim@example.org -m 'My card has not arrived.'",
                "deskbell ticket open --requester kim@example.org --priority high < message.txt",
            ),
        ),
        "ticket reply": (reply, (f"deskbell ticket reply DB-1042 -m 'It was sent today.' --status resolved {sam}",)),
        "ticket note": (note, (f"deskbell ticket note DB-1042 -m 'Asked the printer.' {sam}",)),
        "ticket assign": (
            assign,
            ("deskbell ticket assign DB-1042 sam@example.org", "deskbell ticket assign DB-1042 none"),
        ),
        "ticket status": (status, (f"deskbell ticket status DB-1042 resolved {sam}",)),
        "ticket priority": (priority, ("deskbell ticket priority DB-1042 urgent",)),
        "ticket tag": (tag, ("deskbell ticket tag DB-1042 card_arrival 'second reminder'",)),
        "ticket untag": (untag, ("deskbell ticket untag DB-1042 card_arrival",)),
        "ticket attach": (attach, (f"deskbell ticket attach DB-1042 photo.jpg {sam}",)),
        "ticket delete": (delete, ("deskbell ticket delete DB-1042",)),
        "ticket restore": (restore, ("deskbell ticket restore DB-1042",)),
    }
    for path, (function, examples) in declared.items():
        command(app, path, *examples)(function)
