"""`deskbell mail`: the ledger of all messages that ever came in."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deskbell.cli.commands import Json, command, group
from deskbell.cli.console import note, say_json, say_table, when

if TYPE_CHECKING:
    from deskbell.mail.inbound.models import InboundMessage

app = group("Mail that came in or goes out, and what became of it.", "deskbell mail list --state failed")

StateName = Literal[
    "received", "ticket", "comment", "duplicate", "automatic", "bounce", "suspended", "rejected", "failed"
]
State = Annotated[StateName | None, typer.Option(help="Only messages in this state.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]


@command(app, "mail list", "deskbell mail list", "deskbell mail list --state failed --json")
def list_mail(state: State = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List messages, newest first, with their state and its reason."""
    from sqlalchemy import select

    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import note_reading, open_desk, system
    from deskbell.mail.inbound.models import MailState
    from deskbell.mail.inbound.queries import messages
    from deskbell.tickets.models import Ticket

    statement = messages(MailState(state) if state else None).limit(limit)
    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = session.scalars(statement).all()
        note_reading(desk, system(), AccessKind.MAIL, query=f"state:{state}" if state else "", shown=len(found))
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
        note(f"No message is in the state {state}." if state else "No mail has come in.")


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
