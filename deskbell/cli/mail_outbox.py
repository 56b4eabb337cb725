"""`deskbell mail outbox`: what goes out, what waits and why, and another try."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deskbell.cli.commands import Json, command
from deskbell.cli.console import counted, note, say, say_json, say_table, shown, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from deskbell.mail.outbound.models import OutboundMessage

StateName = Literal["queued", "sending", "sent", "failed"]
State = Annotated[StateName | None, typer.Option(help="Only messages in this state.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]
Texts = Annotated[
    bool,
    typer.Option("--text", help="Show what they say: without a mail server, hand the link over in another way."),
]
Retry = Annotated[bool, typer.Option("--retry", help="Send those that wait or failed now, however old they are.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "mail outbox",
        "deskbell mail outbox",
        "deskbell mail outbox --state queued --text",
        "deskbell mail outbox --retry",
    )(outbox)


def outbox(
    state: State = None, limit: Limit = 50, text: Texts = False, retry: Retry = False, as_json: Json = False
) -> None:
    """List outgoing messages, newest first, with what the server said or why they wait.

    Texts are kept until a message was sent: they hold links that let somebody in. Showing them is recorded.
    """
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import note_reading, open_desk, system
    from deskbell.mail.outbound.models import OutboundState
    from deskbell.mail.outbound.queries import messages

    statement = messages(OutboundState(state) if state else None).limit(limit)
    with open_desk(reading=not retry) as desk, desk.database.transaction(system()) as session:
        if retry:
            say(f"{counted(_retry(session), 'message')} will be sent as soon as a worker is free.")
            return
        found = session.scalars(statement).all()
        note_reading(desk, system(), AccessKind.MAIL, query="outbox with texts" if text else "outbox", shown=len(found))
    if as_json:
        say_json({"messages": [_document(message, text=text) for message in found]})
    elif found:
        _show(found, text=text)
    else:
        note(f"No message is {state}." if state else "The outbox is empty.")


def _retry(session: "Session") -> int:
    from deskbell.kernel.resources import resources_of
    from deskbell.mail.outbound.actions import retry
    from deskbell.mail.outbound.models import OutboundState
    from deskbell.mail.outbound.queries import messages

    now, again = resources_of(session).clock.now(), 0
    for state in (OutboundState.FAILED, OutboundState.QUEUED):
        for message in session.scalars(messages(state)):
            again += retry(session, message, now)
    return again


def _show(found: "Sequence[OutboundMessage]", *, text: bool) -> None:
    rows = [
        (
            str(m.id),
            when(m.created_at),
            m.kind.value,
            m.state.value,
            str(m.attempts),
            m.recipient or "-",
            shown(m.reason or m.subject or "-"),
        )
        for m in found
    ]
    say_table(
        ("Id", "Written", "Kind", "State", "Tries", "To", "Reason or subject"), rows, flexible="Reason or subject"
    )
    for message in found if text else ():
        if message.text:
            say("", f"{message.id}  To {message.recipient}: {message.subject}", "", message.text)


def _document(message: "OutboundMessage", *, text: bool) -> dict[str, object]:
    names = ("id", "kind", "state", "reason", "recipient", "subject", "ticket_id", "comment_id", "message_id")
    times = ("attempts", "created_at", "next_attempt_at", "sent_at")
    known = {name: getattr(message, name) for name in (*names, *times)}
    return known | ({"text": message.text} if text else {})
