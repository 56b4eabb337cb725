"""`deskbell mail`: the ledger of all messages that ever came in."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deskbell.cli.commands import Json, command, group
from deskbell.cli.console import note, say_json, say_table, when
from deskbell.cli.ticket_past import moment

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from deskbell.mail.inbound.models import InboundMessage

app = group("Mail that came in or goes out, and what became of it.", "deskbell mail list --state failed")

StateName = Literal[
    "received", "ticket", "comment", "duplicate", "automatic", "bounce", "suspended", "rejected", "failed"
]
State = Annotated[StateName | None, typer.Option(help="Only messages in this state.")]
Words = Annotated[
    str,
    typer.Argument(
        metavar="[TEXT]", help="An address, a Message-ID, or part of sender or subject.", show_default=False
    ),
]
Box = Annotated[str, typer.Option("--mailbox", metavar="ADDRESS", help="Only what came there.", show_default=False)]
Since = Annotated[str, typer.Option(metavar="TIME", help="The first that counts.", show_default=False)]
Until = Annotated[str, typer.Option(metavar="TIME", help="The first that no longer counts.", show_default=False)]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]


@command(
    app,
    "mail list",
    "deskbell mail list",
    "deskbell mail list --state failed --json",
    "deskbell mail list kim@example.org --mailbox support@example.org --since 2026-11-01",
)
def list_mail(
    words: Words = "",
    state: State = None,
    mailbox: Box = "",
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List messages, newest first, with their state and its reason."""
    from sqlalchemy import select

    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import note_reading, open_desk, system
    from deskbell.tickets.models import Ticket

    asked = {"state": state, "mailbox": mailbox, "since": since, "until": until, "words": words}
    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = session.scalars(_asked(session, asked).limit(limit)).all()
        query = " ".join(f"{name}:{value}" for name, value in asked.items() if value)
        note_reading(desk, system(), AccessKind.MAIL, query=query, shown=len(found))
        ids = [message.ticket_id for message in found if message.ticket_id]
        named = session.execute(select(Ticket.id, Ticket.ticket_number).where(Ticket.id.in_(ids)))
        numbers: dict[int | None, str] = {number: name for number, name in named}  # noqa: C416 - dict() does not know a Row for a pair
    if as_json:
        say_json({"messages": [_document(message, numbers.get(message.ticket_id)) for message in found]})
    elif found:
        rows = [
            (
                str(m.id),
                when(m.created_at),
                m.state.value,
                numbers.get(m.ticket_id, "-"),
                m.sender or "-",
                m.reason or m.subject or "-",
            )
            for m in found
        ]
        say_table(("Id", "Came", "State", "Ticket", "From", "Reason or subject"), rows, flexible="Reason or subject")
    else:
        note("No message fits." if any(asked.values()) else "No mail has come in.")


def _asked(session: "Session", asked: dict[str, str | None]) -> "Select[InboundMessage]":
    """Return the ledger, narrowed to what is asked for. Raises InvalidError."""
    from deskbell.cli.mailboxes import mailbox_named
    from deskbell.mail.inbound.models import MailState
    from deskbell.mail.inbound.queries import messages

    state, mailbox, since, until, words = asked.values()
    return messages(
        MailState(state) if state else None,
        mailbox_id=mailbox_named(session, mailbox).id if mailbox else None,
        since=moment(since) if since else None,
        until=moment(until) if until else None,
        words=words or "",
    )


def _document(message: "InboundMessage", ticket: str | None) -> dict[str, object]:
    names = (
        "id",
        "state",
        "reason",
        "source",
        "size",
        "sha256",
        "message_id",
        "sender",
        "subject",
        "sent_at",
        "created_at",
        "filed_at",
        "defects",
    )
    return {name: getattr(message, name) for name in names} | {"ticket": ticket}
